"""Reading the streams of OpenAI's API and of those that speak the same."""

import pytest

from gateway.errors import BadUpstreamResponse
from gateway.providers.openai import StreamReader

DONE = b"data: [DONE]\n\n"
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'


def read(*pieces: bytes) -> StreamReader:
    reader = StreamReader()
    for piece in pieces:
        list(reader.feed(piece))
    return reader


@pytest.mark.parametrize("before", [b"", USAGE, b"data: {}\n\n"])
def test_an_end_without_any_answer_before_it_is_an_error(before):
    error = read(before, DONE).error

    assert isinstance(error, BadUpstreamResponse)
    assert error.failover


@pytest.mark.parametrize("before", [WORD, WORD + USAGE, USAGE + WORD])
def test_an_end_after_an_answer_is_none(before):
    reader = read(before, DONE)

    assert (reader.ended, reader.error) == (True, None)
