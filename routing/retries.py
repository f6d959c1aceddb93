"""A budget that keeps retries a small share of requests when much fails at once."""

from routing.health import DOWN_AFTER

# So many failures in a row it takes to leave a dead backend alone, and while nothing
# else is wrong each of them may go to another one.
BURST = float(DOWN_AFTER)


class RetryBudget:
    """A token bucket that every first attempt fills a little and every retry empties.

    `ratio` may be changed at any time: it is an operator's setting. 0 means none.
    """

    def __init__(self, ratio: float, burst: float = BURST) -> None:
        self.ratio = ratio
        self.burst = burst
        self.tokens = burst

    def deposit(self) -> None:
        """Call once for each request, at its first attempt."""
        self.tokens = min(self.burst, self.tokens + self.ratio)

    def allow(self) -> bool:
        """May there be another retry? Takes one when it says yes."""
        # Ten times 0.1 is a little less than 1 in floating point.
        if self.ratio <= 0 or self.tokens < 1 - 1e-9:
            return False
        self.tokens -= 1
        return True
