"""What the upstream does to a socket, as data: a response is an iterator of steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

# "whole" is a response in one piece, head and body; "more" continues what came before.
Part = Literal["head", "chunk", "whole", "more"]


@dataclass(frozen=True, slots=True)
class Send:
    """Write bytes. `tokens` are what had to be generated, and is billed, for them.

    None bills nothing; a number, even 0, also bills the prompt (once per attempt).
    """

    data: bytes
    part: Part = "more"
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until the test calls `release()`."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Say nothing more, for ever, with the connection open."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with a FIN."""


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a RST."""


Step = Send | Pause | Hold | Stall | Close | Reset
Steps = Iterator[Step]


def is_chunk(step: Step) -> bool:
    return isinstance(step, Send) and step.part in ("chunk", "whole")
