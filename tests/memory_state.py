"""Shared state in a dictionary: what Redis does, for workers in one event loop."""

from collections.abc import Callable, Sequence
from time import monotonic

from gateway.shared.state import Claim, Found, Pulse, SharedStateDown


class MemoryState:
    """`down` makes it unusable. `clock` decides what has expired."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.down = False
        self._clock = clock
        self._values: dict[str, tuple[object, float]] = {}

    @property
    def usable(self) -> bool:
        return not self.down

    async def find(self, names: Sequence[str], max_bytes: int) -> Found | None:
        self._check()
        for name in names:
            key, value = name, self._get(name)
            if isinstance(value, str) and value.startswith("@"):
                key = value[1:]
                value = self._get(key)
            if isinstance(value, bytes) and len(value) <= max_bytes:
                return Found(name, value, self._values[key][1] - self._clock())
        return None

    async def put(self, names: Sequence[str], value: bytes, seconds: float) -> None:
        self._check()
        for name in names:
            self._set(name, value if name == names[0] else f"@{names[0]}", seconds)

    async def forget(self, names: Sequence[str]) -> None:
        self._check()
        for name in names:
            self._values.pop(name, None)

    async def claim(
        self,
        call: str,
        owner: str,
        seconds: float,
        answers: Sequence[str] = (),
        max_bytes: int = 0,
    ) -> Claim:
        self._check()
        leader = self._get(f"{call}:lease")
        if leader is None:
            self._set(f"{call}:lease", owner, seconds)
            return Claim(owner, await self.find(answers, max_bytes))
        self._set(f"{call}:watch", "1", seconds)
        return Claim(str(leader))

    async def renew(self, call: str, owner: str, seconds: float) -> Pulse:
        self._check()
        if self._get(f"{call}:lease") != owner:
            return Pulse(False, False)
        self._set(f"{call}:lease", owner, seconds)
        return Pulse(True, self._get(f"{call}:watch") is not None)

    async def watch(self, call: str, seconds: float) -> str:
        self._check()
        self._set(f"{call}:watch", "1", seconds)
        return str(self._get(f"{call}:lease") or "")

    async def release(self, call: str, owner: str, *, anyway: bool = False) -> bool:
        self._check()
        if self._get(f"{call}:lease") != owner:
            return True
        if not anyway and self._get(f"{call}:watch") is not None:
            return False
        await self.forget([f"{call}:lease", f"{call}:watch"])
        return True

    async def append(
        self, stream: str, number: int, value: bytes, first: int, seconds: float
    ) -> None:
        self._check()
        kept = dict(self._get(stream) or {})
        kept[number] = value
        self._set(stream, {n: v for n, v in kept.items() if n >= first}, seconds)

    async def read(self, stream: str, after: int) -> list[tuple[int, bytes]]:
        self._check()
        kept = dict(self._get(stream) or {})
        return [(n, value) for n, value in kept.items() if n > after]

    async def close(self) -> None:
        pass

    def _check(self) -> None:
        if self.down:
            raise SharedStateDown("The test says so.")

    def _get(self, name: str) -> object:
        value, until = self._values.get(name, (None, 0.0))
        return value if until > self._clock() else None

    def _set(self, name: str, value: object, seconds: float) -> None:
        self._values[name] = (value, self._clock() + seconds)
