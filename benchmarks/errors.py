"""What stops a row, and is told in its place in the table."""


class BenchmarkError(Exception):
    """This row can't be measured, or not honestly; the message says why."""
