"""What a client of Anthropic's may ask that has no counterpart."""

import pytest

from routing.chat import Json
from tests.gateway.dialects.messages_bodies import (
    PDF,
    WEATHER,
    asking,
    both,
    lost,
    result,
    text,
    translated,
    use,
    user,
)

WEB_SEARCH = {"type": "web_search_20260318", "name": "web_search"}
FILE = {"type": "file", "file_id": "file_1"}
CITED = {"type": "document", "source": PDF, "citations": {"enabled": True}}
SEARCH_RESULT = {
    "type": "search_result",
    "source": "https://x.test",
    "title": "x",
    "content": [text("x")],
}
SERVER_USE = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (asking(tools=[WEATHER, WEB_SEARCH]), ["tools.1.type"]),
        (
            asking(tools=[WEATHER | {"defer_loading": True}]),
            ["tools.0.defer_loading"],
        ),
        (asking(tools=[WEATHER], tool_choice={"type": "new"}), ["tool_choice"]),
        (asking(top_k=5), ["top_k"]),
        (asking(max_tokens=0), ["max_tokens"]),
        (asking(stop_sequences=list("abcde")), ["stop_sequences"]),
        (asking(container="c_1"), ["container"]),
        (asking(mcp_servers=[{"url": "x"}]), ["mcp_servers"]),
        (asking(speed="fast"), ["speed"]),
        (asking(service_tier="batch"), ["service_tier"]),
        (asking(output_config={"verbosity": 1}), ["output_config.verbosity"]),
        (
            asking(output_config={"format": {"type": "grammar"}}),
            ["output_config.format"],
        ),
        (
            asking(context_management={"edits": [{"type": "clear_tool_uses_1"}]}),
            ["context_management"],
        ),
        (
            asking(user({"type": "image", "source": FILE})),
            ["messages.0.content.0.source"],
        ),
        (
            asking(user({"type": "document", "source": FILE})),
            ["messages.0.content.0.source"],
        ),
        (
            asking(user({"type": "document", "source": {"type": "url", "url": "x"}})),
            ["messages.0.content.0.source"],
        ),
        (asking(user(CITED)), ["messages.0.content.0.citations"]),
        (asking(user(SEARCH_RESULT)), ["messages.0.content.0"]),
        (
            asking(user(result("t", [SEARCH_RESULT]))),
            ["messages.0.content.0.content.0"],
        ),
        (
            asking(
                user(text("Hi")),
                {"role": "assistant", "content": [SERVER_USE]},
                user(text("?")),
            ),
            ["messages.1.content.0"],
        ),
        (
            asking(user(text("Hi")), {"role": "assistant", "content": "The answer:"}),
            ["messages.1"],
        ),
        (
            asking(
                user(text("Hi")),
                {
                    "role": "assistant",
                    "content": [use("t") | {"caller": {"type": "code_execution_1"}}],
                },
                user(result("t", "x")),
            ),
            ["messages.1.content.0.caller"],
        ),
    ],
)
def test_what_has_no_counterpart_is_named_and_still_counts(
    body: Json, params: list[str]
):
    """So that another answer is never taken for its own."""
    plain, _ = both({**asking(), **({"tools": [WEATHER]} if "tools" in body else {})})

    assert lost(body) == params
    assert both(body)[0] != plain


def test_what_asks_for_nothing_is_no_loss():
    translated(
        asking(
            user(text("Hi")),
            {
                "role": "assistant",
                "content": [
                    use("t") | {"caller": {"type": "direct"}, "toolset_name": None},
                    text("x", citations=None),
                ],
            },
            user(result("t", "x", is_error=False)),
            speed="standard",
            mcp_servers=[],
            container=None,
            context_management={"edits": [{"type": "clear_thinking_20251015"}]},
            tools=[
                WEATHER
                | {
                    "eager_input_streaming": True,
                    "defer_loading": False,
                    "allowed_callers": ["direct"],
                }
            ],
        )
    )
