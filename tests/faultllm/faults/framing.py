"""Scripts that write server-sent events in another form.

All but `no_blank_line` are what the specification allows, so a client has to read
the same events. Whole answers stay as they are.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator

from tests.faultllm.call import Call
from tests.faultllm.wire import Chunk, Response

# The ends of an event's lines and of its empty line. CR then CRLF are two ends.
MIXED = ((b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\r", b"\r\n"), (b"\r\n", b"\r"))


def each(response: Response, call: Call, rewrite: Callable[[bytes], bytes]) -> None:
    if call.request.stream:
        response.chunks = rewritten(response.chunks, rewrite)


def rewritten(
    chunks: Iterable[Chunk], rewrite: Callable[[bytes], bytes]
) -> Iterator[Chunk]:
    return (Chunk(rewrite(chunk.data), chunk.tokens) for chunk in chunks)


def lines_of(event: bytes) -> list[bytes]:
    return event.removesuffix(b"\n\n").split(b"\n")


def crlf(response: Response, _: str, call: Call) -> None:
    each(response, call, lambda event: event.replace(b"\n", b"\r\n"))


def cr(response: Response, _: str, call: Call) -> None:
    each(response, call, lambda event: event.replace(b"\n", b"\r"))


def mixed(response: Response, _: str, call: Call) -> None:
    """Every combination of line ends in turn."""
    ends = itertools.cycle(MIXED)

    def rewrite(event: bytes) -> bytes:
        line_end, blank_end = next(ends)
        return b"".join(line + line_end for line in lines_of(event)) + blank_end

    each(response, call, rewrite)


def no_space(response: Response, _: str, call: Call) -> None:
    """`data:{...}`: the space after the colon is optional."""

    def rewrite(event: bytes) -> bytes:
        lines = [line.replace(b": ", b":", 1) for line in lines_of(event)]
        return b"\n".join(lines) + b"\n\n"

    each(response, call, rewrite)


def comments(response: Response, _: str, call: Call) -> None:
    each(response, call, lambda event: b": keep-alive\n\n: note\n" + event)


def ids(response: Response, _: str, call: Call) -> None:
    numbers = itertools.count(1)
    each(response, call, lambda event: b"id: %d\nretry: 1000\n" % next(numbers) + event)


def bom(response: Response, _: str, call: Call) -> None:
    """Before everything else, so it is the last of several joined scripts."""
    marks = itertools.chain([b"\xef\xbb\xbf"], itertools.repeat(b""))
    each(response, call, lambda event: next(marks) + event)


def multi_line(response: Response, _: str, call: Call) -> None:
    """JSON over several `data:` lines, which a reader joins with newlines."""

    def rewrite(event: bytes) -> bytes:
        *names, data = lines_of(event)
        text = data.removeprefix(b"data: ")
        if text == b"[DONE]":
            return event
        pretty = json.dumps(json.loads(text), indent=1).encode()
        lines = [*names, *(b"data: " + line for line in pretty.split(b"\n"))]
        return b"\n".join(lines) + b"\n\n"

    each(response, call, rewrite)


def no_blank_line(response: Response, _: str, call: Call) -> None:
    """Malformed: nothing separates the events, so they are one."""
    each(response, call, lambda event: event.removesuffix(b"\n"))
