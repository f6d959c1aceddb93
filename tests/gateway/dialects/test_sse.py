import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.sse import Event, EventParser
from gateway.errors import BadUpstreamResponse

MIXED = (
    b"\xef\xbb\xbf: welcome\r\n"
    b"data: one\n\n"
    b"event: greeting\rdata:two\r\r"
    b"id: 7\r\nretry: 100\r\nevent: long\r\ndata: three\r\ndata:  four\r\n\r\n"
    b"event: nobody\n\n"
    b"data\n\n"
    b"datax: ignored\ndata: gr\xc3\xbc\xc3\x9fe\n\n"
    b"data: [DONE]\n\n"
)
MIXED_EVENTS = [
    Event("", b"one"),
    Event("greeting", b"two"),
    Event("long", b"three\n four"),
    Event("", b""),
    Event("", "grüße".encode()),
    Event("", b"[DONE]"),
]


def events_of(*pieces: bytes) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_every_way_to_write_an_event_is_understood():
    assert events_of(MIXED) == MIXED_EVENTS


def test_one_byte_at_a_time_gives_the_same_events():
    assert events_of(*(bytes([byte]) for byte in MIXED)) == MIXED_EVENTS


@settings(max_examples=100, deadline=None)
@given(cuts=st.lists(st.integers(0, len(MIXED)), max_size=12))
def test_any_cutting_gives_the_same_events(cuts: list[int]):
    edges = [0, *sorted(cuts), len(MIXED)]
    pieces = [MIXED[a:b] for a, b in zip(edges, edges[1:], strict=False)]

    assert events_of(*pieces) == MIXED_EVENTS


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            [b"data: a", b"data:b", b"event: n", b":", b"data", b"\r", b"\n", b"\r\n"]
        ),
        max_size=40,
    ),
    size=st.integers(1, 5),
)
def test_any_stream_reads_the_same_in_small_pieces(parts: list[bytes], size: int):
    stream = b"".join(parts)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]

    assert events_of(*pieces) == events_of(stream)


def test_an_event_leaves_at_its_blank_line_and_waits_for_nothing_more():
    parser = EventParser()

    assert parser.feed(b"data: a\r\n\r") == [Event("", b"a")]
    assert parser.feed(b"\ndata: b\n\n") == [Event("", b"b")]


def test_what_the_end_of_the_stream_cuts_off_is_no_event():
    assert events_of(b"data: whole\n\ndata: half\n") == [Event("", b"whole")]


def test_a_name_lasts_for_one_event():
    assert events_of(b"event: a\n\ndata: b\n\n") == [Event("", b"b")]


def test_a_byte_order_mark_is_skipped_only_at_the_start():
    stream = b"data: a\n\n\xef\xbb\xbfdata: b\n\n"

    assert events_of(stream) == [Event("", b"a")]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: " + b"x" * 200 + b"\n\n"],
        [b"data: "] + [b"x"] * 200,
        [b"data: x\n"] * 200,
        [b"event: " + b"x" * 200 + b"\n"],
        [b": " + b"x" * 99, b"x" * 99 + b"\n"],
    ],
)
def test_an_endless_line_or_event_is_refused(pieces: list[bytes]):
    parser = EventParser(max_line=100)

    with pytest.raises(BadUpstreamResponse):
        for piece in pieces:
            parser.feed(piece)


def test_many_short_events_in_one_piece_are_no_endless_one():
    assert len(EventParser(max_line=100).feed(b"data: x\n\n" * 500)) == 500
