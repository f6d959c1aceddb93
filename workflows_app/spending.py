"""The ceiling of a run: what a call may cost at most is set aside before it is made."""

import asyncio

from workflows_app.errors import CostCeiling


class Spending:
    """Nano-dollars of one run. `limit` None: no ceiling, and nothing waits."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.spent = 0
        self.reserved = 0
        self._changed = asyncio.Event()

    def fits(self, amount: int) -> bool:
        return self.limit is None or (self.spent + self.reserved + amount <= self.limit)

    async def reserve(self, amount: int, op: str) -> None:
        """Set `amount` aside; waits while calls under way may still leave enough.
        Raises CostCeiling when they can't."""
        while not self.fits(amount):
            if not self.reserved:
                raise CostCeiling(
                    f'The run stopped before op "{op}": it may cost up to '
                    f"${amount / 1e9:.6f}, and ${max(0, self._left()) / 1e9:.6f} is "
                    "left of max_cost_usd."
                )
            self._changed.clear()
            await self._changed.wait()
        self.reserved += amount

    def settle(self, reserved: int, spent: int) -> None:
        """Give back what was set aside and count what the call really cost."""
        self.reserved -= reserved
        self.spent += spent
        self._changed.set()

    @property
    def at_most(self) -> int:
        """What is to be counted as spent should this process die now."""
        return self.spent + self.reserved

    def _left(self) -> int:
        return (self.limit or 0) - self.spent
