"""What the sums take for an error."""

CLIENT_LEFT = 499


def is_error(status: int) -> bool:
    """A client that left in the middle is none of ours, and not an answer either."""
    return status >= 400 and status != CLIENT_LEFT
