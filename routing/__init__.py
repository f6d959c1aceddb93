"""routing decides: the tier and backend a request deserves, and what it costs."""
