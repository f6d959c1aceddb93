"""One module per row of the table; each offers `measure(bench)`."""
