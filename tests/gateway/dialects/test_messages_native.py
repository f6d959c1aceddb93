import copy

import pytest

from gateway.dialects.messages_native import to_native_body
from routing.chat import Json, Native

OLD, NEW = "claude-haiku-4-5", "claude-sonnet-4-6"
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "ours"}
OTHER = {"type": "redacted_thinking", "data": "theirs"}
USE = {"type": "tool_use", "id": "t", "name": "now", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "noon"}
ENABLED = {"type": "enabled", "budget_tokens": 1024}


def loop(*said: Json) -> list[Json]:
    """A question, what the assistant said, and the result of a tool."""
    return [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": list(said)},
        {"role": "user", "content": [RESULT]},
    ]


def sent(to: str, **body: object) -> Json:
    """What is sent to the model `to` for a client that named a new one."""
    body = {"model": NEW, "max_tokens": 8000, **body}
    body.setdefault("messages", [{"role": "user", "content": "Hi"}])
    before = copy.deepcopy(body)
    native = Native(body, "2023-06-01")
    made = to_native_body(native, to, lambda thought: "ours" in thought.values())
    assert body == before
    return made


def test_a_body_goes_as_it_came_with_the_backends_model():
    body = {
        "messages": loop(THOUGHT, USE),
        "thinking": ENABLED,
        "from_next_year": {"a": 1},
    }

    assert sent(NEW, **body) == {"model": NEW, "max_tokens": 8000, **body}


def test_thoughts_of_others_stay_behind_and_with_them_what_held_nothing_else():
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [OTHER]},
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": [THOUGHT, OTHER, USE]},
        {"role": "user", "content": [RESULT]},
    ]
    body = sent(NEW, messages=messages, thinking=ENABLED)

    assert [message["content"] for message in body["messages"]] == [
        "Hi",
        "Well?",
        [THOUGHT, USE],
        [RESULT],
    ]
    assert body["thinking"] == ENABLED


def test_a_loop_whose_first_thought_stays_behind_goes_on_without_thinking():
    """Such a model refuses to think on in the middle."""
    assert "thinking" not in sent(NEW, messages=loop(OTHER, USE), thinking=ENABLED)
    adaptive = {"type": "adaptive"}
    assert sent(NEW, messages=loop(OTHER, USE), thinking=adaptive)["thinking"]


@pytest.mark.parametrize(
    ("body", "thinking"),
    [
        ({"thinking": {"type": "adaptive"}}, 4000),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, 1024),
        ({"thinking": {"type": "between_tools"}, "max_tokens": 1500}, 1024),
        ({"thinking": {"type": "adaptive"}, "max_tokens": 1000}, None),
        ({"thinking": {"type": "adaptive"}, "messages": loop(USE)}, None),
        ({"output_config": {"effort": "high"}}, None),
    ],
)
def test_a_model_that_thinks_within_a_budget_gets_one(body, thinking):
    made = sent(OLD, **body)

    expected = thinking and {"type": "enabled", "budget_tokens": thinking}
    assert made.get("thinking") == expected
    assert "output_config" not in made


def test_what_the_model_knows_is_left_alone():
    made = sent(OLD, thinking={"type": "disabled"}, output_config={"format": {"a": 1}})

    assert made["thinking"] == {"type": "disabled"}
    assert made["output_config"] == {"format": {"a": 1}}
    assert sent(OLD, thinking=ENABLED)["thinking"] == ENABLED
    named = sent(OLD, model=OLD, thinking={"type": "adaptive"})
    assert named["thinking"] == {"type": "adaptive"}
