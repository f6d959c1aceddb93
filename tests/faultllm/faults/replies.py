"""Scripts that spoil the response: its status, its headers, its body."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

from tests.faultllm.answer import Answer
from tests.faultllm.call import Call
from tests.faultllm.wire import PHRASES, Chunk, Json, Response

MEGABYTE = 1024 * 1024
PIECE = b"x" * 65536
MARKER = "@@filler@@"


def status(response: Response, code: int, call: Call) -> None:
    """The provider's own error body; errors are not billed."""
    refuse(response, code, call.dialect.error(code, PHRASES.get(code, "Overloaded")))


def refuse(response: Response, code: int, body: Json) -> None:
    response.status = code
    response.chunks = []
    response.replace_body(json.dumps(body).encode(), "application/json")


def context_length(response: Response, _: str, call: Call) -> None:
    refuse(response, 400, call.dialect.context_length_error())


def model_missing(response: Response, _: str, call: Call) -> None:
    message = f"model '{call.answer.model}' not found, try pulling it first"
    refuse(response, 404, call.dialect.error(404, message))


def no_sampling(response: Response, _: str, call: Call) -> None:
    """As models do that draw their tokens in their own way."""
    for name in ("temperature", "top_p", "top_k"):
        if name in call.request.body:
            message = f"Unsupported parameter: '{name}' is not supported here."
            return refuse(response, 400, call.dialect.error(400, message))


def overloaded(response: Response, _: str, call: Call) -> None:
    status(response, 529, call)


def flaky(response: Response, percent: int, call: Call) -> None:
    if call.random.random() * 100 < percent:
        status(response, 500, call)


def retry_after(response: Response, value: str, call: Call) -> None:
    header(response, f"retry-after:{value}", call)
    if response.status == 200:
        status(response, 429, call)


def retry_after_ms(response: Response, value: str, call: Call) -> None:
    header(response, f"retry-after-ms:{value}", call)
    if response.status == 200:
        status(response, 429, call)


def header(response: Response, line: str, call: Call) -> None:
    name, _, value = line.partition(":")
    response.headers[name] = value


def redirect(response: Response, target: str, call: Call) -> None:
    code, _, location = target.partition("=")
    response.status = int(code)
    response.chunks = []
    response.replace_body(b"", "text/plain")
    response.headers["location"] = location


def html(response: Response, _: str, call: Call) -> None:
    page = b"<!doctype html><title>Welcome</title><h1>It works</h1>"
    response.replace_body(page, "text/html; charset=utf-8")


def empty(response: Response, _: str, call: Call) -> None:
    response.replace_body(b"", response.headers["content-type"])


def half_json(response: Response, _: str, call: Call) -> None:
    """Half of the JSON, in good HTTP and good SSE: a stream's third event."""
    response.chunks = halve(response.chunks, 2 if call.request.stream else 0)


def halve(chunks: Iterable[Chunk], position: int) -> Iterator[Chunk]:
    for at, chunk in enumerate(chunks):
        if at == position:
            end = b"\n\n" if chunk.data.endswith(b"\n\n") else b""
            yield Chunk(chunk.data[: len(chunk.data) // 2] + end, chunk.tokens)
        else:
            yield chunk


def content_type(response: Response, value: str, call: Call) -> None:
    response.headers["content-type"] = value or "text/plain"


def bad_gzip(response: Response, _: str, call: Call) -> None:
    response.replace_body(b"this was never gzip", response.headers["content-type"])
    response.headers["content-encoding"] = "gzip"


def close_delimited(response: Response, _: str, call: Call) -> None:
    """As HTTP/1.0: the end of the body is the end of the connection."""
    response.framing = "close"


def fin(response: Response, _: str, call: Call) -> None:
    """A whole answer that ends in its middle, with nothing but a FIN to tell."""
    if not call.request.stream:
        half_json(response, _, call)
    response.framing = "close"


def filler(answer: Answer, _: object, call: Call) -> None:
    """One word, which the scripts below blow up without holding it in memory."""
    answer.words = [MARKER]


def huge(response: Response, megabytes: int, call: Call) -> None:
    blow_up(response, lambda: repeat(PIECE, megabytes * MEGABYTE // len(PIECE)), call)


def endless(response: Response, _: str, call: Call) -> None:
    blow_up(response, lambda: repeat(PIECE if not call.request.stream else b"x "), call)


def long_line(response: Response, megabytes: int, call: Call) -> None:
    """One event of that size."""
    blow_up(response, lambda: iter([b"x" * (megabytes * MEGABYTE)]), call)


def blow_up(
    response: Response, pieces: Callable[[], Iterator[bytes]], call: Call
) -> None:
    """Each piece becomes an event of a stream, or a part of one long JSON text."""
    fill = fill_events if call.request.stream else fill_text
    response.chunks = fill(response.chunks, pieces)
    response.framing = "chunked"


def fill_events(
    chunks: Iterable[Chunk], pieces: Callable[[], Iterator[bytes]]
) -> Iterator[Chunk]:
    for chunk in chunks:
        before, marker, after = chunk.data.partition(MARKER.encode())
        if not marker:
            yield chunk
            continue
        for piece in pieces():
            yield Chunk(before + piece + after, chunk.tokens)


def fill_text(
    chunks: Iterable[Chunk], pieces: Callable[[], Iterator[bytes]]
) -> Iterator[Chunk]:
    for chunk in chunks:
        before, _, after = chunk.data.partition(MARKER.encode())
        yield Chunk(before, chunk.tokens)
        yield from (Chunk(piece) for piece in pieces())
        yield Chunk(after)
