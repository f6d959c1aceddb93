import pytest
from openai.types.chat import ChatCompletion

from gateway.dialects.openai import CompletionBuilder
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

HEAD = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "gpt-x",
}


def chunk(delta: Json, finish: str | None = None, **choice: object) -> Json:
    piece = {"index": 0, "delta": delta, "finish_reason": finish, **choice}
    return HEAD | {"choices": [piece], "usage": None}


def usage_chunk(prompt: int, completion: int) -> Json:
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return HEAD | {"choices": [], "usage": usage}


def built(*chunks: Json) -> CompletionBuilder:
    builder = CompletionBuilder(1 << 20)
    for each in chunks:
        builder.add(each)
    return builder


def test_chunks_become_the_completion_they_stand_for():
    builder = built(
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"content": "Hel"}) | {"obfuscation": "xyz"},
        chunk({"content": "lo"}) | {"service_tier": "default"},
        chunk({}, "stop"),
        usage_chunk(9, 2),
    )

    assert builder.completion() == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-x",
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    }
    assert ChatCompletion.model_validate(builder.completion())
    assert builder.usage == Usage(prompt=9, completion=2)


def test_tool_calls_that_arrive_out_of_order_are_put_in_order():
    def call(index: int, **fields: object) -> Json:
        return {"tool_calls": [{"index": index, **fields}]}

    builder = built(
        chunk({"role": "assistant", "content": None}),
        chunk(
            call(1, id="b", type="function", function={"name": "g", "arguments": ""})
        ),
        chunk(
            call(0, id="a", type="function", function={"name": "f", "arguments": ""})
        ),
        chunk(call(1, function={"arguments": '{"x"'})),
        chunk(call(0, function={"arguments": "{}"})),
        chunk(call(1, function={"arguments": ":1}"})),
        chunk({}, "tool_calls"),
    )

    message = builder.completion()["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {
            "id": "b",
            "type": "function",
            "function": {"name": "g", "arguments": '{"x":1}'},
        },
    ]


def test_vendors_that_repeat_names_and_leave_out_the_index_are_understood():
    piece = {"id": "a", "type": "function", "function": {"name": "f"}}
    opening = piece | {"function": {"name": "f", "arguments": "{"}}
    closing = piece | {"function": {"name": "f", "arguments": "}"}}
    builder = built(
        chunk({"role": "assistant", "tool_calls": [opening]}),
        chunk({"role": "assistant", "tool_calls": [closing]}),
    )

    assert builder.completion()["choices"][0]["message"]["tool_calls"] == [
        piece | {"function": {"name": "f", "arguments": "{}"}}
    ]


def test_texts_and_lists_of_any_name_are_collected():
    builder = built(
        chunk({"role": "assistant", "reasoning_content": "Six "}),
        chunk({"reasoning_content": "times.", "annotations": [{"n": 1}]}),
        chunk({"refusal": "No", "annotations": [{"n": 2}], "x_score": 0.5}),
        chunk({"refusal": "!", "audio": {"id": "au", "transcript": "a"}}),
        chunk({"audio": {"transcript": "b", "expires_at": 7}}, "stop"),
    )

    assert builder.completion()["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": "No!",
        "reasoning_content": "Six times.",
        "annotations": [{"n": 1}, {"n": 2}],
        "x_score": 0.5,
        "audio": {"id": "au", "transcript": "ab", "expires_at": 7},
    }


def test_choices_and_their_logprobs_are_kept_apart():
    def tokens(*texts: str) -> Json:
        return {"content": [{"token": text} for text in texts], "refusal": None}

    builder = built(
        chunk({"content": "B"}, index=1, logprobs=tokens("B")),
        chunk({"content": "a"}, index=0, logprobs=tokens("a")),
        chunk({"content": "!"}, index=1, logprobs=tokens("!")),
    )

    first, second = builder.completion()["choices"]
    assert (first["index"], first["message"]["content"]) == (0, "a")
    assert (second["index"], second["message"]["content"]) == (1, "B!")
    assert second["logprobs"] == tokens("B", "!")


def test_it_is_complete_when_every_choice_has_finished():
    builder = built(chunk({"content": "a"}), chunk({"content": "b"}, index=1))
    assert not builder.complete

    builder.add(chunk({}, "stop"))
    assert not builder.complete

    builder.add(chunk({}, "something_new", index=1))
    assert builder.complete
    assert not built().complete


def test_the_last_usage_counts_and_none_are_summed():
    builder = built(
        usage_chunk(9, 1),
        chunk({"content": "a"}) | {"usage": usage_chunk(9, 5)["usage"]},
        chunk({}, "stop"),
        usage_chunk(9, -5),
    )

    assert builder.usage == Usage(prompt=9, completion=5)
    assert builder.completion()["usage"]["completion_tokens"] == 5


def test_nothing_received_is_a_completion_without_choices():
    assert built().completion() == {"object": "chat.completion", "choices": []}


@pytest.mark.parametrize(
    "endless",
    [
        lambda n: chunk({"content": "x" * 100}),
        lambda n: chunk({"content": "é" * 60}),
        lambda n: chunk({f"field{n}": ""}),
        lambda n: chunk({"tool_calls": [{"index": n, "id": "x"}]}),
        lambda n: chunk({}, index=n),
        lambda n: chunk({"annotations": [{"text": "x" * 50}]}),
        lambda n: chunk({}, logprobs={"content": [{"token": "x" * 50}]}),
        lambda n: HEAD | {f"x{n}": "y", "choices": []},
    ],
)
def test_it_stops_collecting_at_its_bound(endless):
    builder = CompletionBuilder(10_000)
    for n in range(200):
        builder.add(endless(n))
    size = len(str(builder.completion()))
    for n in range(200, 400):
        builder.add(endless(n))
    builder.add(usage_chunk(1, 2))

    assert builder.overflowed
    assert len(str(builder.completion())) == pytest.approx(size, abs=100)
    assert size < 40_000
    assert builder.usage == Usage(prompt=1, completion=2)


@pytest.mark.parametrize(
    "garbage",
    [
        {"choices": 7},
        {"choices": ["x"]},
        {"choices": [{"delta": "x"}]},
        {"choices": [{"index": "0", "delta": {}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": ["x"]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": []}]}}]},
        {"choices": [{"index": 0, "delta": {}, "logprobs": "x"}]},
    ],
)
def test_what_is_no_chunk_is_the_providers_fault(garbage: Json):
    with pytest.raises(BadUpstreamResponse):
        built(garbage)


def test_deep_nesting_is_no_danger():
    nested: Json = {"content": "x"}
    for _ in range(900):
        nested = {"more": nested}

    with pytest.raises(BadUpstreamResponse):
        built(chunk(nested))
