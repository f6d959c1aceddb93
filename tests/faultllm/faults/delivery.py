"""Scripts that change when and how the bytes travel: `(steps, argument, call)`.

A whole answer is one chunk; what stops after a number of chunks stops it halfway.
"""

from dataclasses import replace

from tests.faultllm.call import Call
from tests.faultllm.steps import (
    Close,
    Hold,
    Pause,
    Reset,
    Send,
    Stall,
    Step,
    Steps,
    is_chunk,
)
from tests.faultllm.wire import tokens_of


def delay(steps: Steps, seconds: float, call: Call) -> Steps:
    yield Pause(seconds)
    yield from steps


def trickle(steps: Steps, seconds: float, call: Call) -> Steps:
    for step in steps:
        if is_chunk(step):
            yield Pause(seconds)
        yield step


def hold(steps: Steps, _: str, call: Call) -> Steps:
    yield Hold()
    yield from steps


def hold_after(steps: Steps, count: int, call: Call) -> Steps:
    sent = 0
    for step in steps:
        if isinstance(step, Send) and step.part == "whole":
            half = len(half_of_body(step.data))
            first, rest = split(step, [half])
            yield from (first, Hold(), rest)
            continue
        if is_chunk(step):
            if sent == count:
                yield Hold()
            sent += 1
        yield step


def stall_before_headers(steps: Steps, _: str, call: Call) -> Steps:
    """The worst case for the books: all the work is done, and billed, in silence."""
    done = [step for step in steps if isinstance(step, Send)]
    yield Send(b"", tokens=tokens_of(done))
    yield Stall()


def stall_after(steps: Steps, count: int, call: Call) -> Steps:
    yield from first_chunks(steps, count)
    yield Stall()


def rst_after(steps: Steps, count: int, call: Call) -> Steps:
    yield from first_chunks(steps, count)
    yield Reset()


def first_chunks(steps: Steps, count: int) -> Steps:
    sent = 0
    for step in steps:
        if isinstance(step, Send) and step.part == "whole":
            yield replace(step, data=half_of_body(step.data))
            return
        if is_chunk(step):
            if sent == count:
                return
            sent += 1
        yield step


def half_of_body(response: bytes) -> bytes:
    body_at = response.index(b"\r\n\r\n") + 4
    return response[: (body_at + len(response)) // 2]


def cut_at_byte(steps: Steps, count: int, call: Call) -> Steps:
    """Counted from the first byte of the status line."""
    left = count
    for step in steps:
        if isinstance(step, Send):
            if len(step.data) >= left:
                yield replace(step, data=step.data[:left])
                break
            left -= len(step.data)
        yield step
    yield Close()


def close_on_reuse(steps: Steps, _: str, call: Call) -> Steps:
    """The keep-alive race: the second request meets a connection being closed."""
    if call.request.reused:
        yield Close()
        return
    yield from steps


def one_byte(steps: Steps, _: str, call: Call) -> Steps:
    for step in steps:
        yield from (
            split(step, range(1, len(step.data))) if isinstance(step, Send) else [step]
        )


def split_utf8(steps: Steps, _: str, call: Call) -> Steps:
    """Split every character that takes more than one byte after its first byte."""
    for step in steps:
        if not isinstance(step, Send):
            yield step
            continue
        starts = (at for at, byte in enumerate(step.data) if byte >= 0xC0)
        yield from split(step, [at + 1 for at in starts])


def split(send: Send, positions: range | list[int]) -> list[Step]:
    """The same bytes in several writes; the first one carries what it bills."""
    cuts = [0, *positions, len(send.data)]
    pieces = [send.data[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
    first = replace(send, data=pieces[0])
    return [first, *(Send(piece) for piece in pieces[1:])]
