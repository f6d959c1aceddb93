import copy

import pytest

from gateway.dialects.messages_crossing import to_openai_body, without_thoughts
from gateway.dialects.messages_request import to_chat_body
from gateway.dialects.tool_names import original_names, short_name
from gateway.errors import NotExpressible
from routing.chat import Json


def crossed(limit_field: str = "max_tokens", **body: object) -> Json:
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9, **body}
    chat, native = to_chat_body(body, "2023-06-01", ())
    before = copy.deepcopy(chat)
    made = to_openai_body(chat, native, limit_field)
    assert chat == before
    return made


def test_the_limit_goes_by_the_name_the_provider_has_for_it():
    assert crossed()["max_tokens"] == 9
    made = crossed("max_completion_tokens")
    assert made["max_completion_tokens"] == 9
    assert "max_tokens" not in made


@pytest.mark.parametrize(
    ("thinking", "effort", "expected"),
    [
        (None, None, None),
        (None, "high", "high"),
        ({"type": "disabled"}, None, "none"),
        ({"type": "disabled"}, "high", "none"),
        ({"type": "adaptive"}, None, "medium"),
        ({"type": "adaptive"}, "max", "max"),
        ({"type": "between_tools"}, None, "medium"),
        ({"type": "enabled", "budget_tokens": 1024}, None, "low"),
        ({"type": "enabled", "budget_tokens": 4096}, None, "medium"),
        ({"type": "enabled", "budget_tokens": 16384}, None, "high"),
        ({"type": "enabled", "budget_tokens": 16384}, "low", "low"),
    ],
)
def test_thinking_and_effort_become_one_effort(thinking, effort, expected):
    body = {"output_config": {"effort": effort}} if effort else {}
    if thinking:
        body["thinking"] = thinking
    made = crossed(**body)

    assert made.get("reasoning_effort") == expected
    assert "thinking" not in made


def test_a_kind_of_thinking_that_is_new_to_us_is_refused():
    with pytest.raises(NotExpressible) as error:
        crossed(thinking={"type": "from_next_year"})
    assert error.value.param == "thinking"


def test_thoughts_belong_to_the_model_that_had_them():
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes"}]}
    asked = {"role": "user", "content": "Hi"}
    made = crossed(messages=[asked, said, asked])

    assert made["messages"][1] == {"role": "assistant", "content": "Yes"}


def test_only_thoughts_that_may_go_there_go():
    one, two = {"signature": "1"}, {"signature": "2"}
    body = {"messages": [{"role": "assistant", "thinking_blocks": [one, two, "x"]}]}
    made = without_thoughts(body, lambda thought: thought == one)

    assert made["messages"][0]["thinking_blocks"] == [one]


def test_a_user_longer_than_openai_allows_becomes_a_digest():
    assert crossed(metadata={"user_id": "u" * 64})["user"] == "u" * 64
    long = crossed(metadata={"user_id": "u" * 65})["user"]
    assert len(long) == 64
    assert crossed(metadata={"user_id": "u" * 65})["user"] == long
    assert crossed(metadata={"user_id": "v" * 65})["user"] != long


def test_the_first_thing_that_cannot_be_said_is_named():
    with pytest.raises(NotExpressible, match="top_k") as error:
        crossed(top_k=3)
    assert error.value.param == "top_k"


def test_names_of_tools_stay_apart_when_they_are_shortened():
    names = ["a" * 64, "a" * 65, "a" * 66, "b"]
    short = [short_name(name) for name in names]
    tools = [{"type": "function", "function": {"name": name}} for name in names]

    assert len(set(short)) == 4
    assert all(len(name) <= 64 for name in short)
    assert short[0] == names[0] and short[3] == "b"
    assert original_names({"tools": [*tools, {"type": "x"}]}) == {
        short[1]: names[1],
        short[2]: names[2],
    }
