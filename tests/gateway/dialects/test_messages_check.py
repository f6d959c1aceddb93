import pytest

from gateway.dialects.messages_check import check_messages, check_version
from gateway.errors import BadRequest
from routing.chat import Json

OLD, NEW = "2023-06-01", "2026-10-21"


def asking(**fields: object) -> Json:
    return {
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "Hi"}],
        **fields,
    }


def said(role: str, *blocks: Json) -> Json:
    return asking(messages=[{"role": role, "content": list(blocks)}])


def refusal(body: Json, version: str = OLD) -> str:
    with pytest.raises(BadRequest) as error:
        check_messages(body, version)
    assert error.value.param
    assert error.value.param in error.value.message
    return error.value.param


def test_what_an_agent_sends_passes():
    use = {"type": "tool_use", "id": "toolu_1", "name": "ls", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a b"}
    check_messages(
        asking(
            model="claude-sonnet-4-6",
            system=[{"type": "text", "text": "Be brief."}],
            messages=[
                {"role": "user", "content": "Look around."},
                {"role": "assistant", "content": [use]},
                {"role": "user", "content": [result, {"type": "text", "text": "?"}]},
            ],
            tools=[{"name": "ls", "input_schema": {"type": "object"}}],
            thinking={"type": "adaptive"},
            from_next_year={"a": 1},
            stream=True,
        ),
        NEW,
    )


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}]}, "max_tokens"),
        ({"max_tokens": 1}, "messages"),
        (asking(messages=[]), "messages"),
        (asking(messages="Hi"), "messages"),
        (asking(messages=["Hi"]), "messages.0"),
        (asking(messages=[{"role": "tool", "content": "x"}]), "messages.0.role"),
        (asking(messages=[{"role": "user"}]), "messages.0.content"),
        (said("user"), "messages.0"),
        (said("user", {"text": "x"}), "messages.0.content.0.type"),
        (said("user", {"type": "text"}), "messages.0.content.0.text"),
        (said("user", {"type": "image"}), "messages.0.content.0.source"),
        (
            said("assistant", {"type": "tool_use", "id": "1", "name": "x"}),
            "messages.0.content.0.input",
        ),
        (
            said("user", {"type": "tool_result", "content": "x"}),
            "messages.0.content.0.tool_use_id",
        ),
        (
            said("user", {"type": "tool_result", "tool_use_id": "1", "content": 7}),
            "messages.0.content.0.content",
        ),
        (asking(max_tokens=True), "max_tokens"),
        (asking(max_tokens=-1), "max_tokens"),
        (asking(temperature=1.5), "temperature"),
        (asking(stream="yes"), "stream"),
        (asking(stop_sequences="END"), "stop_sequences"),
        (asking(system=7), "system"),
        (asking(system=[{"type": "image", "source": {"type": "x"}}]), "system.0.type"),
        (asking(tools={}), "tools"),
        (asking(tool_choice="auto"), "tool_choice"),
        (asking(thinking=True), "thinking"),
        (asking(output_config=[]), "output_config"),
    ],
)
def test_what_the_gateway_relies_on_is_a_400_that_names_the_field(body, param):
    assert refusal(body) == param


@pytest.mark.parametrize("field", ["temperature", "top_p", "top_k"])
def test_the_new_version_has_no_sampling_parameters_even_at_their_defaults(field):
    body = asking(**{field: 1})
    check_messages(body, OLD)

    assert refusal(body, NEW) == field


def test_the_new_version_takes_no_documents_of_assistants_nor_citations_of_users():
    document = {"type": "document", "source": {"type": "text", "data": "x"}}
    cited = {"type": "text", "text": "x", "citations": [{"type": "char_location"}]}
    empty = {"type": "text", "text": "x", "citations": []}
    check_messages(said("assistant", document), OLD)
    check_messages(said("user", cited), OLD)
    check_messages(said("user", document, empty), NEW)

    assert refusal(said("assistant", document), NEW) == "messages.0.content.0"
    assert refusal(said("user", cited), NEW) == "messages.0.content.0.citations"


def test_a_request_that_is_only_counted_needs_no_limit():
    body = asking()
    del body["max_tokens"]

    check_messages(body, NEW, counting=True)


def test_two_versions_are_known_and_none_means_the_first():
    assert check_version("") == OLD
    assert check_version(NEW) == NEW
    with pytest.raises(BadRequest, match="anthropic-version"):
        check_version("2024-01-01")
