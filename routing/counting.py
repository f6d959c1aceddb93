"""Numbers in sentences."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 run ends`, `2 runs end`; the plural is `one` and an s unless it is given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
