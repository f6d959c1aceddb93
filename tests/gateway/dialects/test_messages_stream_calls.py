"""Tool calls in a stream: vendors number and repeat them, clients get whole blocks."""

from gateway.dialects.messages_stream import EventTranslator
from tests.gateway.dialects.messages_events import (
    ROLE,
    chunk,
    events_of,
    message_of,
    piece,
)


def test_calls_after_a_whole_one_are_passed_on_as_they_come():
    translator = EventTranslator(10, thoughts=False, names={})
    translator.feed(chunk(ROLE))
    translator.feed(piece(0, '{"a":1}', id="c0", name="one"))
    second = translator.feed(piece(1, '{"b"', id="c1", name="two"))

    assert [event["type"] for event in second] == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]


def test_calls_that_come_in_turns_are_taken_apart():
    """A delta for a block that isn't open would be litellm's bugs 13373 and 33224."""
    events = events_of(
        chunk(ROLE),
        piece(1, id="c1", name="two"),
        piece(0, id="c0", name="one"),
        piece(1, '{"b":'),
        piece(0, '{"a":'),
        piece(1, "2}"),
        piece(0, "1}"),
        chunk({}, "tool_calls"),
    )

    assert [
        (block["id"], block["name"], block["input"])
        for block in message_of(events)["content"]
    ] == [("c1", "two", {"b": 2}), ("c0", "one", {"a": 1})]


def test_vendors_that_give_every_call_the_index_0_or_none():
    for index in (0, None):
        events = events_of(
            chunk(ROLE),
            piece(index, '{"a":1}', id="c0", name="one"),
            piece(index, '{"b":2}', id="c1", name="two"),
            chunk({}, "stop"),
        )

        content = message_of(events)["content"]
        assert [block["input"] for block in content] == [{"a": 1}, {"b": 2}]
        assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_vendors_that_repeat_the_id_and_name_go_on_with_the_same_call():
    events = events_of(
        chunk(ROLE),
        piece(0, '{"a"', id="c0", name="one"),
        piece(0, ":1}", id="c0", name="one"),
        chunk({}, "tool_calls"),
    )

    (block,) = message_of(events)["content"]
    assert block["input"] == {"a": 1}


def test_a_call_without_arguments_has_an_empty_input():
    events = events_of(
        chunk(ROLE), piece(0, id="c0", name="now"), chunk({}, "tool_calls")
    )

    (block,) = message_of(events)["content"]
    assert block["input"] == {}


def test_names_that_were_shortened_are_given_back():
    events = events_of(
        chunk(ROLE),
        piece(0, "{}", id="c0", name="short"),
        chunk({}, "stop"),
        short="a_long_name",
    )

    assert message_of(events)["content"][0]["name"] == "a_long_name"
