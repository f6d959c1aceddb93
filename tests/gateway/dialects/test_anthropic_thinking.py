import pytest
from anthropic.types import OutputConfigParam, ThinkingConfigParam
from pydantic import TypeAdapter

from gateway.dialects.anthropic_request import to_messages_request
from gateway.errors import NotExpressible
from routing.chat import Json

BUDGETED = [
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
    "claude-sonnet-4-20250514",
    "claude-sonnet-4-5@20250929",
    "claude-opus-4-1-20250805",
    "anthropic.claude-opus-4-5-20251101-v1:0",
    "claude-3-7-sonnet-latest",
]
ADAPTIVE = [
    "claude-sonnet-4-6",
    "claude-opus-4-6",
    "claude-opus-4-10",
    "claude-sonnet-5",
    "claude-haiku-5-5",
    "our-alias",
]


def asking(effort: str, model: str, **fields: object) -> Json:
    messages = fields.pop("messages", [{"role": "user", "content": "Hi"}])
    body = {"messages": messages, "reasoning_effort": effort, **fields}
    request = to_messages_request(body, model, 4096)
    if "thinking" in request:
        TypeAdapter(ThinkingConfigParam).validate_python(request["thinking"])
    return request


@pytest.mark.parametrize("model", BUDGETED)
def test_older_models_think_within_a_budget(model: str):
    request = asking("medium", model)

    assert request["thinking"] == {"type": "enabled", "budget_tokens": 4096}
    assert request["max_tokens"] == 8192
    assert "output_config" not in request


@pytest.mark.parametrize("model", ADAPTIVE)
def test_later_models_think_by_effort(model: str):
    request = asking("high", model)

    assert request["thinking"] == {"type": "adaptive"}
    assert request["output_config"] == {"effort": "high"}
    assert request["max_tokens"] == 4096


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh", "max"])
def test_every_effort_is_understood_by_both(effort: str):
    adaptive = asking(effort, "claude-opus-5")
    budgeted = asking(effort, "claude-haiku-4-5")

    TypeAdapter(OutputConfigParam).validate_python(adaptive["output_config"])
    assert 1024 <= budgeted["thinking"]["budget_tokens"] < budgeted["max_tokens"]


def test_effort_and_a_schema_share_the_output_config():
    wanted = {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}
    request = asking("low", "claude-opus-5", response_format=wanted)

    assert set(request["output_config"]) == {"effort", "format"}


@pytest.mark.parametrize(
    ("limit", "budget"), [(1025, 1024), (4000, 2000), (20_000, 10_000), (90_000, 16384)]
)
def test_a_clients_limit_holds_thinking_and_answer(limit: int, budget: int):
    request = asking("high", "claude-haiku-4-5", max_completion_tokens=limit)

    assert request["max_tokens"] == limit
    assert request["thinking"]["budget_tokens"] == budget


def test_none_switches_thinking_off():
    assert asking("none", "claude-haiku-4-5")["thinking"] == {"type": "disabled"}


def test_anthropics_own_parameter_goes_first():
    own = {"type": "enabled", "budget_tokens": 2000}

    assert asking("high", "claude-haiku-4-5", thinking=own)["thinking"] == own


def test_between_tool_calls_a_budgeted_model_goes_without():
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "x"},
    ]

    assert "thinking" not in asking("low", "claude-haiku-4-5", messages=messages)
    assert "thinking" in asking("low", "claude-opus-5", messages=messages)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 1024}, "reasoning_effort"),
        ({"temperature": 0}, "temperature"),
        ({"tool_choice": "required"}, "tool_choice"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            "tool_choice",
        ),
    ],
)
def test_what_goes_not_with_thinking_is_refused(fields: Json, param: str):
    tools = [{"type": "function", "function": {"name": "f"}}]

    with pytest.raises(NotExpressible) as refusal:
        asking("low", "claude-haiku-4-5", tools=tools, **fields)

    assert refusal.value.param == param


def test_an_unknown_effort_is_refused():
    with pytest.raises(NotExpressible) as refusal:
        asking("extreme", "claude-opus-5")

    assert refusal.value.param == "reasoning_effort"
