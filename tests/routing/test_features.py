"""What one pass over a conversation counts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.features import extract, weigh


def ask(text, **parameters):
    return extract({"messages": [{"role": "user", "content": text}], **parameters})


def test_four_characters_are_a_token_rounded_up():
    assert ask("What is 2+2?").prompt_tokens == 3
    assert ask("What is 2+2??").prompt_tokens == 4
    assert ask("").prompt_tokens == 0


def test_a_chinese_character_is_about_a_token_and_a_cyrillic_one_about_half():
    assert ask("法国的首都是哪里").prompt_tokens == 8
    assert ask("Столица Франции?").prompt_tokens == 10


def test_a_lone_surrogate_is_counted_and_does_not_raise():
    assert ask("\ud800").prompt_tokens == 1


@given(st.text(max_size=50), st.text(max_size=50))
@settings(max_examples=60)
def test_longer_text_never_weighs_less(text, more):
    assert weigh(text + more) == weigh(text) + weigh(more)


def test_the_whole_conversation_counts_not_only_its_end():
    features = extract(
        {
            "messages": [
                {"role": "system", "content": "s" * 400},
                {"role": "user", "content": "u" * 400},
                {"role": "assistant", "content": "a" * 400},
                {"role": "user", "content": "go on"},
            ]
        }
    )

    assert 300 < features.prompt_tokens < 305
    assert features.system_chars == 400


def test_depth_is_what_was_said_before_the_last_user_message():
    roles = ["system", "user", "assistant", "user", "assistant", "tool", "user"]
    messages = [{"role": role, "content": "x"} for role in roles]

    assert extract({"messages": messages}).turns == 4
    assert extract({"messages": messages[:2]}).turns == 0
    assert extract({"messages": messages[:5]}).turns == 2


def test_developer_messages_are_system_messages():
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": "Hi"},
    ]

    assert extract({"messages": messages}).system_chars == 9


def test_parts_are_read_and_an_image_has_a_flat_estimate():
    parts = [
        {"type": "text", "text": "Analyze this"},
        {
            "type": "image_url",
            "image_url": {"url": "data:image/png;base64," + "A" * 9999},
        },
    ]

    features = ask(parts)

    assert features.prompt_tokens == 1003
    assert features.needs == {"images"}
    assert features.reasoning_cues == ("analyze",)


def test_tools_their_calls_and_their_results_count():
    tool = {"type": "function", "function": {"name": "weather", "parameters": {}}}
    call = {"type": "function", "function": {"name": "weather", "arguments": "x" * 400}}
    messages = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "y" * 400},
    ]

    features = extract({"messages": messages, "tools": [tool]})

    assert features.tools == 1
    assert features.needs == {"tools"}
    assert 215 < features.prompt_tokens < 240


@pytest.mark.parametrize(
    ("response_format", "expected"),
    [
        ({"type": "json_object"}, True),
        ({"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}, True),
        ({"type": "text"}, False),
        (None, False),
    ],
)
def test_json_mode(response_format, expected):
    assert ask("Hi", response_format=response_format).json_mode is expected


@pytest.mark.parametrize(
    "text",
    [
        "Why?\n```\nx = 1\n```",
        "What does def double(x): return 2*x do?",
        "Explain func main() to me",
        "Fix: for (i = 0; i < 3; i++) {\n sum += i;\n}",
        "Speed up SELECT * FROM users",
        "Traceback (most recent call last): boom",
    ],
)
def test_code_is_seen(text):
    assert ask(text).code


@pytest.mark.parametrize(
    "text",
    [
        "How do I write Go code?",
        "Which class should I take (maths or art)?",
        "Import taxes from China; select the best from this list.",
        "Define function and purpose of the heart (briefly).",
    ],
)
def test_words_about_code_are_not_code(text):
    assert not ask(text).code


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("Think STEP BY\nSTEP.", ("step by step",)),
        ("What are the trade-offs?", ("trade-offs",)),
        ("Tradeoffs, please; analyze them", ("analyze", "tradeoffs")),
        ("We improved; they approve. Improve it!", ()),
        ("A psychoanalyzed patient", ()),
    ],
)
def test_reasoning_cues_are_whole_words_in_any_case(text, cues):
    assert ask(text).reasoning_cues == cues


def test_cues_in_an_answer_are_not_the_askers():
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Let us analyze this step by step."},
        {"role": "user", "content": "Thanks"},
    ]

    assert extract({"messages": messages}).reasoning_cues == ()


@pytest.mark.parametrize(
    ("parameters", "needs"),
    [
        ({"response_format": {"type": "json_schema"}}, {"json_schema"}),
        ({"response_format": {"type": "json_object"}}, set()),
        ({"reasoning_effort": "low"}, {"thinking"}),
        ({"reasoning_effort": "none"}, set()),
        ({"thinking": {"type": "adaptive"}}, {"thinking"}),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}, set()),
        ({"n": 2}, {"n"}),
        ({"n": 1, "logprobs": False, "frequency_penalty": 0}, set()),
        ({"logprobs": True}, {"logprobs"}),
        ({"presence_penalty": 0.5}, {"penalties"}),
        ({"logit_bias": {"50256": -100}}, {"logit_bias"}),
        ({"modalities": ["text", "audio"]}, {"audio"}),
        ({"functions": [{"name": "f"}]}, {"tools"}),
    ],
)
def test_parameters_say_what_a_backend_must_be_able_to_do(parameters, needs):
    assert ask("Hi", **parameters).needs == needs


def test_the_clients_limit_of_the_answer_is_kept():
    assert ask("Hi", max_tokens=7).max_output == 7
    assert ask("Hi", max_completion_tokens=9, max_tokens=7).max_output == 9
    assert ask("Hi").max_output == 0
