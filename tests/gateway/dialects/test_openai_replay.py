import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from gateway.dialects.openai import CompletionBuilder, completion_to_chunks
from routing.chat import Json

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def completion(message: Json, **fields: object) -> Json:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-x",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "refusal": None, **message},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
        **fields,
    }


def test_a_short_answer_is_replayed_as_openai_would_have_streamed_it():
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-x",
        "system_fingerprint": "fp_1",
    }
    piece = {"index": 0, "logprobs": None, "finish_reason": None}
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    chunks = list(completion_to_chunks(completion({"content": "Hi."}), False))

    assert chunks == [
        head | {"choices": [piece | {"delta": {"role": "assistant", "content": ""}}]},
        head | {"choices": [piece | {"delta": {"content": "Hi."}}]},
        head | {"choices": [last]},
    ]


def test_usage_comes_in_a_chunk_of_its_own_when_asked():
    chunks = list(completion_to_chunks(completion({"content": "Hi."}), True))

    assert [chunk["usage"] for chunk in chunks] == [None, None, None, USAGE]
    assert chunks[-1]["choices"] == []


def test_without_known_usage_there_is_no_usage_chunk():
    unknown = completion({"content": "Hi."}) | {"usage": None}

    assert all(chunk["choices"] for chunk in completion_to_chunks(unknown, True))


def test_a_tool_call_opens_once_and_goes_on_by_its_index():
    arguments = '{"city":"' + "x" * 80 + '"}'
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": arguments},
    }
    message = {"content": None, "tool_calls": [call, call | {"id": "call_2"}]}
    deltas = [
        chunk["choices"][0]["delta"]
        for chunk in completion_to_chunks(completion(message), False)
    ]

    assert deltas[0] == {"role": "assistant", "content": None}
    assert deltas[1]["tool_calls"] == [
        {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": ""},
        }
    ]
    assert deltas[2] == {
        "tool_calls": [{"index": 0, "function": {"arguments": arguments[:64]}}]
    }
    assert deltas[4]["tool_calls"][0]["id"] == "call_2"
    assert deltas[4]["tool_calls"][0]["index"] == 1


def test_a_long_answer_is_cut_into_a_bounded_number_of_pieces():
    chunks = list(completion_to_chunks(completion({"content": "é" * 50_000}), False))

    assert len(chunks) == 102


@pytest.mark.parametrize(
    "message",
    [
        {"content": ""},
        {"content": "Hi there, " * 30},
        {"content": None, "refusal": "I can't."},
        {"content": "42", "reasoning_content": "Six times seven."},
        {
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "f", "arguments": "{}"},
                }
            ],
        },
        {"content": "See [1].", "annotations": [{"type": "url_citation", "n": 1}]},
        {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
    ],
)
def test_a_replay_adds_up_to_what_was_stored(message: Json):
    stored = completion(message)
    builder = CompletionBuilder(1 << 20)
    for chunk in completion_to_chunks(stored, True):
        builder.add(chunk)

    assert builder.completion() == stored


def test_several_choices_and_their_logprobs_are_replayed_one_after_the_other():
    token = {"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}
    stored = completion({"content": "Hi"})
    stored["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    stored["choices"].append(stored["choices"][0] | {"index": 1})
    builder = CompletionBuilder(1 << 20)
    for chunk in completion_to_chunks(stored, True):
        builder.add(chunk)

    assert builder.completion() == stored


def test_openais_own_reader_understands_the_replay():
    state = ChatCompletionStreamState()
    for chunk in completion_to_chunks(completion({"content": "word " * 50}), True):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    read = state.get_final_completion()

    assert read.choices[0].message.content == "word " * 50
    assert read.choices[0].finish_reason == "stop"
    assert read.usage.total_tokens == 5
