import pytest

from gateway.dialects.redaction import redact


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("see https://api.example.com/v1/x?key=abc, please", "see [url] please"),
        ("redis://:secret@10.0.0.1:6379/0", "[url]"),
        (
            "Incorrect API key provided: sk-abc123XYZ.",
            "Incorrect API key provided: [key]",
        ),
        ("sk-ant-api03-AbC_dEf-123", "[key]"),
        ("Authorization: Bearer eyJhbGciOi.J9.abc", "Authorization: [key]"),
        ("organization org-AbCd1234efGH", "organization [key]"),
        ("token 0123456789abcdef0123456789abcdef", "token [key]"),
        ("write to ann.lee+x@mail.example.com", "write to [email]"),
        ("host 10.1.2.3 or 10.1.2.3:8000", "host [address] or [address]"),
        ("at [fe80::1:2:3]:443", "at [address]"),
        ("at 2001:db8:0:0:1:2:3:4 now", "at [address] now"),
        ("at ::1", "at [address]"),
        ("connect to localhost:11434 failed", "connect to [host] failed"),
        ("gpu-7.cluster.local said no", "[host] said no"),
        ("ollama:11434 is down", "[host] is down"),
        ("vllm.corp.internal:8000", "[host]"),
    ],
)
def test_what_belongs_to_the_operator_is_hidden(said: str, shown: str):
    assert redact(said) == shown


@pytest.mark.parametrize(
    "text",
    [
        "messages.0.content.1.text: Field required",
        "tools.0.custom.input_schema: JSON schema is invalid",
        "`temperature` must be at most 2.0, got 3.5",
        "The model `claude-haiku-4-5-20251001` does not exist",
        "tool_use ids without results: toolu_01D7FLrfh4GYq7yT1ULFeyMV",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Only basic authentication and bearer authentication are known",
        "Invalid schema for function 'key_points_of_text'",
        "at 12:30:45 the ratio was 3:2",
    ],
)
def test_what_helps_the_client_stays(text: str):
    assert redact(text) == text


@pytest.mark.parametrize(
    "piece", ["a", "a.", "1.", "a:", "1:", "a@", "sk-", "-", "a_1"]
)
def test_no_text_takes_long(piece: str):
    assert isinstance(redact(piece * 2000), str)
