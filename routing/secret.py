"""Keys of providers and clients, kept out of logs and tracebacks."""


class Secret:
    """A value that never shows itself: `reveal()` is the one way to read it."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(*****)" if self._value else "Secret(empty)"

    __str__ = __repr__
