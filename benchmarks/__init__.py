"""Side-by-side measurements of the gateway: `make bench`, or `python -m benchmarks`."""
