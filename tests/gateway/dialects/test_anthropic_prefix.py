import pytest

from gateway.dialects.anthropic_prefix import mark_prefix

MARKED = {"cache_control": {"type": "ephemeral"}}


def request(system: object, text: str) -> dict:
    content = [{"type": "text", "text": text}]
    found = {"messages": [{"role": "user", "content": content}]}
    return {**found, "system": system} if system else found


@pytest.mark.parametrize(
    ("system", "text", "chars", "parts"),
    [
        ("", "Judge this: tea", 12, ["Judge this: ", "tea"]),
        ("Be brief. ", "Judge this: tea", 22, ["Judge this: ", "tea"]),
        ("", "Judge", 5, ["Judge"]),
        ("", "Judge   ", 5, ["Judge   "]),
        ("", "  Judge", 2, ["  Judge"]),
    ],
)
def test_the_message_is_marked_where_the_common_text_ends(system, text, chars, parts):
    body = request(system, text)

    mark_prefix(body, chars)

    first, *rest = body["messages"][0]["content"]
    assert first == {"type": "text", "text": parts[0], **MARKED}
    assert rest == [{"type": "text", "text": part} for part in parts[1:]]
    assert body.get("system", "") == system


def test_a_common_text_that_ends_in_the_system_prompt_is_marked_there():
    body = request("Rules. Today it rains.", "Hi")

    mark_prefix(body, 7)

    assert body["system"] == [
        {"type": "text", "text": "Rules. ", **MARKED},
        {"type": "text", "text": "Today it rains."},
    ]
    assert "cache_control" not in str(body["messages"])


def test_marks_of_the_client_and_requests_without_a_common_text_stay():
    blocks = [{"type": "text", "text": "Rules.", **MARKED}]
    for body, chars in ((request(blocks, "Hi"), 3), (request("Rules.", "Hi"), 0)):
        before = repr(body)
        mark_prefix(body, chars)
        assert repr(body) == before
