"""One pass over a prompt: hashed words and pairs of words, and counted cues.

No text is kept. A row is the sorted, distinct buckets that the words fall into (16
bits each) and the cues as small floats: some 400 bytes for an ordinary prompt. The
work is bounded for any text, and the same text gives the same row everywhere.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log1p
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from routing.learned.cues import GROUP_OF, GROUPS, MARKS

VERSION = 1  # of everything that changes what a row means
BUCKETS = 1 << 16
HEAD_CHARS, TAIL_CHARS = 3000, 1000  # of a long text, its beginning and its end
SYSTEM_CHARS = 400  # of the instructions: enough to tell one application from another
MAX_TOKENS = 1000

SHAPES = (
    "characters",
    "words",
    "numbers",
    "long numbers",
    "length of words",
    "share of different words",
    "capitals",
    "beyond ASCII",
)
CONTEXT = ("earlier turns", "earlier characters", "instructions", "tools", "JSON")
CUES = (*GROUPS, *MARKS, *SHAPES, *CONTEXT)

TOKEN = re.compile(r"[a-z]+|\d+|[^\W\d_]+|[^\w\s]|_")
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0x9E3779B1), np.uint64(0x85EBCA77)
_SHIFT = np.uint64(64 - 16)
_LOW = np.uint64(0xFFFFFFFF)
# Where a token's facts lie above its 32 bits of hash.
GROUP_BIT, NUMBER_BIT, LENGTH_BIT = 32, 40, 48
KNOWN_TOKENS = 20_000
LETTER_A, LETTERS = np.uint8(65), 26  # smaller characters wrap around to large ones


class Facts(dict[str, int]):
    """Hash, group and length of each token, in one integer; remembers some."""

    def __missing__(self, token: str) -> int:
        hashed = crc32(token.encode("utf-8", "surrogatepass"))
        number = (1 + (len(token) > 2)) * token.isdigit()
        facts = (
            hashed
            | (GROUP_OF.get(token, -1) + 1) << GROUP_BIT
            | number << NUMBER_BIT
            | min(len(token), 255) << LENGTH_BIT
        )
        if len(self) >= KNOWN_TOKENS:
            self.clear()
        if len(token) <= 16:
            self[token] = facts
        return facts


_fact = Facts().__getitem__


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a prompt: its buckets and its cues."""

    buckets: NDArray[np.uint16]
    cues: NDArray[np.float32]

    def pack(self) -> bytes:
        """As stored with a request: the cues, then the buckets."""
        return self.cues.astype("<f2").tobytes() + self.buckets.astype("<u2").tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> "Row":
        """Raises ValueError for bytes that are no row of this version."""
        size = 2 * len(CUES)
        cues = np.frombuffer(packed[:size], "<f2").astype(np.float32)
        buckets = np.frombuffer(packed[size:], "<u2").astype(np.uint16)
        if len(cues) != len(CUES) or not np.isfinite(cues).all():
            raise ValueError("These bytes are not a feature row.")
        return cls(buckets, cues)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts of a request that are looked at, and what is counted around them."""

    text: str
    characters: int
    context: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)


def prompt_of(body: Mapping[str, Any]) -> Prompt:
    """The last user message of a chat-completion body, behind its instructions."""
    system = user = ""
    turns = earlier = instructions = 0
    for message in body["messages"]:
        text = text_of(message.get("content"))
        role = message.get("role")
        if role in ("system", "developer"):
            system = system or text[:SYSTEM_CHARS]
            instructions += len(text)
        elif role == "user":
            turns += bool(user)
            earlier += len(user)
            user = text
        else:
            earlier += len(text)
    tools = len(body.get("tools") or ()) + len(body.get("functions") or ())
    kind = (body.get("response_format") or {}).get("type")
    context = (
        log1p(turns),
        log1p(earlier),
        log1p(instructions),
        log1p(tools),
        float(kind in ("json_object", "json_schema")),
    )
    text = user if len(user) <= HEAD_CHARS + TAIL_CHARS else ends_of(user)
    return Prompt(f"{system}\n{text}" if system else text, len(user), context)


def text_of(content: Any) -> str:
    """The words of a message's content; pictures and sound have none."""
    if isinstance(content, str):
        return content
    parts: Iterable[Any] = content or ()
    return "\n".join(p.get("text") or "" for p in parts if p.get("type") == "text")


def ends_of(text: str) -> str:
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def row_of(prompt: Prompt) -> Row:
    """The features of a prompt."""
    tokens = TOKEN.findall(prompt.text.lower())[:MAX_TOKENS]
    facts = np.fromiter(map(_fact, tokens), np.int64, len(tokens))
    buckets = buckets_of(facts.view(np.uint64) & _LOW)
    return Row(buckets, cues_of(prompt, facts, len(buckets)))


def buckets_of(words: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """The distinct buckets of words and of pairs of neighbours, in order."""
    pairs = (words[:-1] * _FIRST + words[1:] * _SECOND) & _LOW
    both = (np.concatenate((words, pairs)) * _SPREAD >> _SHIFT).astype(np.uint16)
    both.sort()
    return both[np.concatenate(([True], both[1:] != both[:-1]))] if len(both) else both


def cues_of(
    prompt: Prompt, facts: NDArray[np.int64], different: int
) -> NDArray[np.float32]:
    text = prompt.text
    cues = np.empty(len(CUES), np.float32)
    groups = np.bincount(facts >> GROUP_BIT & 255, minlength=len(GROUPS) + 1)
    numbers = np.bincount(facts >> NUMBER_BIT & 3, minlength=3)
    end = len(GROUPS)
    cues[:end] = groups[1:]
    if "\n" in text:
        for place, marks in enumerate(MARKS.values(), end):
            cues[place] = sum(map(text.count, marks))
    else:  # all of them begin with it
        cues[end : end + len(MARKS)] = 0
    end += len(MARKS)
    count = len(facts) or 1
    letters = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    size = len(letters) or 1
    cues[end] = prompt.characters
    cues[end + 1] = len(facts)
    cues[end + 2] = numbers[1] + numbers[2]
    cues[end + 3] = numbers[2]
    np.log1p(cues[: end + 4], out=cues[: end + 4])
    cues[end + 4 :] = (
        float((facts >> LENGTH_BIT).sum()) / count,
        different / (2 * count),
        np.count_nonzero(letters - LETTER_A < LETTERS) / size,
        1 - len(text) / size if text else 0.0,
        *prompt.context,
    )
    return cues
