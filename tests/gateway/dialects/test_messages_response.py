import pytest
from anthropic.types import Message

from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.messages_response import to_message
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

USAGE = Usage(3, 2)


def completion(finish: str = "stop", **message: object) -> Json:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, **message},
                "finish_reason": finish,
            }
        ],
    }


def call(id_: str, name: str, arguments: str) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"id": id_, "type": "function", "function": function}


def translated(
    body: Json, usage: Usage = USAGE, thoughts: bool = False, **names: str
) -> Json:
    message = to_message(body, usage, thoughts=thoughts, names=names)
    Message.model_validate(message)
    return message


def test_a_plain_answer():
    assert translated(completion(content="Hello")) == {
        "id": "msg_chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": "gpt-x",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 3,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 2,
            "output_tokens_details": {"thinking_tokens": 0},
        },
    }


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("function_call", "tool_use"),
        ("content_filter", "refusal"),
        ("from_next_year", "from_next_year"),
    ],
)
def test_every_finish_reason(finish: str, stop: str):
    message = to_message(
        completion(finish, content="x"), Usage(), thoughts=False, names={}
    )

    assert message["stop_reason"] == stop


def test_vendors_that_say_stop_beside_calls_mean_the_calls():
    message = translated(completion(tool_calls=[call("c1", "now", "{}")]))

    assert message["stop_reason"] == "tool_use"
    assert message["content"] == [
        {"type": "tool_use", "id": "c1", "name": "now", "input": {}}
    ]


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "NaN", '"text"'])
def test_arguments_that_are_no_object_are_kept_as_what_they_are(arguments: str):
    """Not replaced by {} in silence."""
    calls = [call("c1", "now", arguments)]
    (block,) = translated(completion("length", tool_calls=calls))["content"]

    assert block["input"] == {"INVALID_JSON": arguments}


def test_names_that_were_shortened_are_given_back():
    calls = [call("c1", "short", "{}"), call("", "other", "")]
    first, second = translated(
        completion("tool_calls", tool_calls=calls), short="a_long_name"
    )["content"]

    assert first["name"] == "a_long_name"
    assert (second["name"], second["input"]) == ("other", {})
    assert second["id"]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_shown_to_who_asked_for_thinking(field: str):
    body = completion(content="Yes", **{field: "Hm."})

    assert translated(body, thoughts=True)["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Yes"},
    ]
    assert translated(body)["content"] == [{"type": "text", "text": "Yes"}]


def test_a_refusal_says_so_and_keeps_its_words():
    message = translated(completion(refusal="I can't."))

    assert message["content"] == [{"type": "text", "text": "I can't."}]
    assert message["stop_reason"] == "refusal"


def test_tokens_of_the_cache_are_told_apart_from_fresh_ones_and_back_again():
    usage = Usage(prompt=100, completion=9, cached=60, cache_write=30, reasoning=4)
    message = translated(completion(content="Yes"), usage)

    assert message["usage"]["input_tokens"] == 10
    back = to_completion(message)["usage"]
    assert (back["prompt_tokens"], back["completion_tokens"]) == (100, 9)
    assert back["prompt_tokens_details"] == {
        "cached_tokens": 60,
        "cache_write_tokens": 30,
    }
    assert back["completion_tokens_details"]["reasoning_tokens"] == 4


def test_input_is_never_negative():
    usage = Usage(prompt=1, cached=5)

    assert translated(completion(content="x"), usage)["usage"]["input_tokens"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"choices": [{"message": None, "finish_reason": "stop"}]},
        completion(None, content="x"),
        completion(tool_calls=[{"id": "c"}]),
        completion(tool_calls=["x"]),
        completion(content=["parts"], refusal="x"),
    ],
)
def test_what_is_no_finished_completion_is_the_providers_fault(body: Json):
    with pytest.raises(BadUpstreamResponse):
        to_message(body, Usage(), thoughts=True, names={})


@pytest.mark.parametrize(
    ("finish", "told", "ends"),
    [
        ("stop", {"stop_reason": "END"}, ("stop_sequence", "END")),
        ("stop", {"matched_stop": "END"}, ("stop_sequence", "END")),
        ("stop", {"stop_reason": None}, ("end_turn", None)),
        ("stop", {"stop_reason": 128_009}, ("end_turn", None)),  # a token of the model
        ("length", {"stop_reason": "END"}, ("max_tokens", None)),
    ],
)
def test_a_vendor_may_tell_which_stop_sequence_was_hit(finish, told, ends):
    body = completion(finish, content="Hello")
    body["choices"][0] |= told
    message = translated(body)

    assert (message["stop_reason"], message["stop_sequence"]) == ends
