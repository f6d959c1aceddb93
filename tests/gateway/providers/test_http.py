"""The client of completion calls against a server that answers in given bytes."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.errors import (
    BadUpstreamResponse,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamUnavailable,
)
from gateway.providers.http import Call, ConnectionLost, HttpClient, Limits
from tests.conversations import listening

LIMITS = Limits(connect=5, first_byte=5, gap=5, total=20, max_bytes=1 << 20)
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Server:
    """Answers the n-th request of a connection with the n-th of `answers`, the last one
    again and again; b"" hangs up instead. `closes`: after each answer."""

    def __init__(self, answers: Sequence[bytes], closes: bool) -> None:
        self.answers, self.closes = answers, closes
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        try:
            for number in range(100):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers[min(number, len(self.answers) - 1)]
                writer.write(answer)
                await writer.drain()
                if self.closes or not answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


@asynccontextmanager
async def answering(
    *answers: bytes, closes: bool = False
) -> AsyncIterator[tuple[Server, HttpClient, str]]:
    server = Server(answers, closes)
    http = HttpClient(allow_private=True)
    async with listening(server.serve) as url:
        try:
            yield server, http, f"{url}/v1/chat"
        finally:
            await http.close()


async def ask(http: HttpClient, url: str, limits: Limits = LIMITS, **options) -> bytes:
    call = Call(url, {"authorization": "Bearer x"}, b"{}")
    async with http.post(call, limits, **options) as response:
        return await response.read()


async def test_a_connection_is_kept_for_the_next_call():
    async with answering(WHOLE) as (server, http, url):
        assert [await ask(http, url), await ask(http, url)] == [b"hello", b"hello"]
    assert server.connections == 1
    first = server.requests[0]
    assert first.startswith(b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:")
    assert first.endswith(b"authorization: Bearer x\r\ncontent-length: 2\r\n\r\n{}")


async def test_a_fresh_call_uses_no_kept_connection():
    async with answering(WHOLE) as (server, http, url):
        await ask(http, url)
        await ask(http, url, fresh=True)
    assert server.connections == 2


async def test_calls_at_the_same_time_have_a_connection_each():
    async with answering(WHOLE) as (server, http, url):
        assert set(await asyncio.gather(*(ask(http, url) for _ in range(5)))) == {
            b"hello"
        }
    assert server.connections == 5


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ],
)
async def test_a_connection_that_the_server_gives_up_is_not_kept(answer: bytes):
    async with answering(answer) as (server, http, url):
        assert [await ask(http, url), await ask(http, url)] == [b"hello", b"hello"]
    assert server.connections == 2


async def test_an_answer_read_only_in_part_ends_its_connection():
    longer = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"
    async with answering(longer) as (server, http, url):
        for _ in range(2):
            async with http.post(Call(url, {}, b"{}"), LIMITS) as response:
                assert await response.piece() == b"hello"
    assert server.connections == 2


async def test_a_body_without_a_length_ends_with_its_connection():
    answer = b"HTTP/1.1 200 OK\r\n\r\nhello"
    async with answering(answer, closes=True) as (_, http, url):
        assert await ask(http, url) == b"hello"


async def test_interim_answers_are_passed_over():
    answer = b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE
    async with answering(answer) as (server, http, url):
        assert [await ask(http, url), await ask(http, url)] == [b"hello", b"hello"]
    assert server.connections == 1


async def test_chunks_are_put_together():
    answer = (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3;note=x\r\nhel\r\n2\r\nlo\r\n0\r\nserver-timing: a\r\n\r\n"
    )
    async with answering(answer) as (server, http, url):
        assert [await ask(http, url), await ask(http, url)] == [b"hello", b"hello"]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", BadUpstreamResponse),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000 + b"\r\n\r\n", BadUpstreamResponse),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", BadUpstreamResponse),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", UpstreamIncomplete),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n",
            UpstreamIncomplete,
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 5\r\n\r\nhello",
            BadUpstreamResponse,
        ),
        (b"", UpstreamIncomplete),
    ],
)
async def test_what_is_no_whole_answer_is_an_error(
    answer: bytes, error: type[UpstreamError]
):
    async with answering(answer, closes=True) as (_, http, url):
        with pytest.raises(error):
            await ask(http, url)


async def test_a_kept_connection_that_is_closed_under_us_is_told_apart():
    async with answering(WHOLE, b"") as (server, http, url):
        await ask(http, url)
        with pytest.raises(ConnectionLost):
            await ask(http, url)
    assert len(server.requests) == 2


async def test_bytes_that_nobody_asked_for_never_become_an_answer():
    stray = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
    async with answering(WHOLE + stray) as (_, http, url):
        for _ in range(2):
            try:
                assert await ask(http, url) == b"hello"
            except UpstreamError:
                continue


def answer_in(encoding: str, body: bytes) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


RAW = zlib.compressobj(wbits=-15)
RAW_HELLO = RAW.compress(b"hello") + RAW.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("GZIP", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", RAW_HELLO),
        ("identity", b"hello"),
    ],
)
async def test_compressed_answers_are_unpacked(encoding: str, body: bytes):
    async with answering(answer_in(encoding, body)) as (server, http, url):
        assert [await ask(http, url), await ask(http, url)] == [b"hello", b"hello"]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"no such thing"),
        ("gzip", gzip.compress(b"hello" * 99, mtime=0)[:-12]),
        ("br", b"hello"),
    ],
)
async def test_what_cannot_be_unpacked_is_an_error(encoding: str, body: bytes):
    async with answering(answer_in(encoding, body)) as (_, http, url):
        with pytest.raises(BadUpstreamResponse):
            await ask(http, url)


async def test_a_bomb_is_cut_at_the_bound():
    bomb = gzip.compress(b"\0" * (50 << 20))
    async with answering(answer_in("gzip", bomb)) as (_, http, url):
        with pytest.raises(UpstreamIncomplete) as raised:
            await ask(http, url)
    assert raised.value.code == "answer_too_large"


async def test_a_header_with_a_line_break_is_not_sent():
    async with answering(WHOLE) as (server, http, url):
        with pytest.raises(UpstreamUnavailable):
            async with http.post(Call(url, {"x": "a\r\nb: c"}, b"{}"), LIMITS):
                pass
    assert server.connections == 0


@pytest.mark.parametrize("url", ["", "ftp://host/", "http://", "/v1", "http://a:b/"])
async def test_an_address_that_is_none_is_an_error_of_ours(url: str):
    http = HttpClient(allow_private=True)
    with pytest.raises(UpstreamUnavailable):
        await ask(http, url)
    await http.close()


async def test_a_large_answer_waits_for_its_reader():
    size = 8 << 20
    body = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"a" * size
    limits = Limits(connect=5, first_byte=5, gap=5, total=20, max_bytes=size)
    async with (
        answering(body) as (_, http, url),
        http.post(Call(url, {}, b"{}"), limits) as response,
    ):
        for _ in range(50):
            await asyncio.sleep(0)
        assert response._connection._buffered < 1 << 20
        assert len(await response.read()) == size


async def test_a_name_is_looked_up_once_by_all_who_wait_for_it():
    asked = []

    async def look_up(host: str, port: int) -> list[tuple]:
        asked.append(host)
        await asyncio.sleep(0)
        return await asyncio.get_running_loop().getaddrinfo("127.0.0.1", port)

    async with answering(WHOLE) as (_, own, url):
        http = HttpClient(allow_private=True, look_up=look_up)
        url = url.replace("127.0.0.1", "provider.example")
        answers = await asyncio.gather(*(ask(http, url) for _ in range(5)))
        await http.close()
    assert (set(answers), asked) == ({b"hello"}, ["provider.example"])


async def test_a_name_that_could_not_be_resolved_is_asked_for_again():
    asked = []

    async def look_up(host: str, port: int) -> list[tuple]:
        asked.append(host)
        raise OSError("no such name")

    http = HttpClient(allow_private=True, look_up=look_up)
    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await ask(http, "http://provider.example/")
    await http.close()
    assert len(asked) == 2
