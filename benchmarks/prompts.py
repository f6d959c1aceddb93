"""Prompts by number: written alike by wrk's script and by our own client.

A prompt is a frame with its number put in. The texts hold nothing that JSON or Lua
would have to escape.
"""

from dataclasses import dataclass
from itertools import count

BEFORE = '{"model":"auto","messages":[{"role":"user","content":"'
AFTER = '"}]}'
STREAM_AFTER = '"}],"stream":true}'
# Neighbours in a cycle should not be neighbours in the cache.
STRIDE = 7919
_numbers = count(1_000_000, 10_000_000)
Frames = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Prompts:
    """Numbers from `first` on; with `cycle`, over and over those below it."""

    frames: Frames
    first: int = 0
    cycle: int = 0

    def number(self, index: int) -> int:
        return index * STRIDE % self.cycle if self.cycle else index

    def text(self, index: int) -> str:
        number = self.number(index)
        before, after = self.frames[number % len(self.frames)]
        return f"{before}{number}{after}"

    def body(self, index: int, *, stream: bool = False) -> str:
        return f"{BEFORE}{self.text(index)}{STREAM_AFTER if stream else AFTER}"


def frames(*texts: str) -> Frames:
    """`#` is where the number goes."""
    return tuple((text.split("#")[0], text.split("#")[1]) for text in texts)


THINGS = (
    "the number of passengers that bus line # carries on an ordinary working day",
    "the name of the person who signed contract # for the company, and the date on "
    "which it was signed",
    "the distance in kilometres between lighthouse # and the nearest harbour that is "
    "open to ships of every size",
)
QUESTIONS = frames(*(f"What is {thing}?" for thing in THINGS))
# The same questions as people also put them: a canonical hit, not an exact one.
REWORDED = frames(*(f"Hi, what's {thing}? Thanks!" for thing in THINGS))
MIXED = QUESTIONS + frames(
    "Translate the following sentence into Portuguese: the meeting number # has been "
    "moved to Thursday morning, please bring the papers with you.",
    "Write a short and friendly reminder to the owner of invoice #, which has been "
    "open for three weeks. Mention that a part payment is possible and that the office "
    "answers questions by telephone in the morning.",
    "Summarise in two sentences what customer # wrote: the heating has been cold since "
    "Monday, nobody answered the telephone, and the landlord says that the caretaker "
    "is on holiday until the end of next week.",
)


def unique() -> Prompts:
    """Prompts that nobody has sent before in this run."""
    return Prompts(MIXED, first=next(_numbers))


def stored(entries: int, asked: Frames = QUESTIONS) -> Prompts:
    """The questions that fill a cache of `entries`, in these words."""
    return Prompts(asked, cycle=entries)
