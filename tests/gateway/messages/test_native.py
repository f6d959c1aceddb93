"""What Anthropic's client says reaches Anthropic as it was said, thoughts too."""

import httpx

from tests.faultllm.anthropic_dialect import signed
from tests.gateway.messages.asking import MARK, THINKING, TOOL, asking, one, raw_events

NATIVE = {
    "max_tokens": 3000,
    "system": [{"type": "text", "text": "Be brief.", **MARK}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Go", **MARK}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": signed("m")},
                {"type": "redacted_thinking", "data": "xx"},
                {
                    "type": "server_tool_use",
                    "id": "s",
                    "name": "web_search",
                    "input": {},
                },
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "document",
                    "source": {"type": "url", "url": "https://x.test/a.pdf"},
                    "citations": {"enabled": True},
                    "from_next_year": [1],
                },
            ],
        },
    ],
    "tools": [
        {"type": "web_search_20260318", "name": "web_search", "max_uses": 2},
        {**TOOL, "eager_input_streaming": True, **MARK},
    ],
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
    "output_config": {"effort": "high"},
    "metadata": {"user_id": "u-1"},
    "service_tier": "standard_only",
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
    "from_next_year": {"a": [None, 1.5, "é"]},
}


async def test_anthropics_body_goes_to_anthropic_as_it_came(upstream, gateway):
    headers = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "b-2, a-1,b-2",
        "authorization": "Bearer any",
    }
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{gateway.url}/v1/messages",
            json={"model": "auto", **NATIVE},
            headers=headers,
        )
    (sent,) = upstream.attempts

    assert answer.status_code == 200, answer.text
    assert sent.body == {"model": "m", **NATIVE}
    assert sent.headers["anthropic-version"] == "2026-10-21"
    assert sent.headers["anthropic-beta"] == "a-1,b-2"
    assert upstream.saw_key("upstream-key")


async def test_anthropics_answer_comes_back_as_it_is(upstream, gateway, client):
    gateway.serve_catalog(
        one(upstream.url, "anthropic", "fault/extra-fields+reasoning")
    )
    body = asking(thinking=THINKING)
    whole = await client.messages.create(**body)
    events = await raw_events(
        gateway, **asking("Other", thinking=THINKING, stream=True)
    )

    assert whole.x_vendor == {"kept": True, "text": "déjà vu"}
    assert whole.content[0].signature == signed("fault/extra-fields+reasoning")
    assert all(data["x_vendor"]["kept"] for _, data in events)
    deltas = [data for name, data in events if name == "content_block_delta"]
    kinds = {data["delta"]["type"] for data in deltas}
    assert kinds == {"thinking_delta", "signature_delta", "text_delta"}


async def test_betas_and_versions_are_anthropics_business_only(
    upstream, gateway, client
):
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    await client.messages.create(
        **asking(), extra_headers={"anthropic-beta": "context-management-2025-06-27"}
    )
    (sent,) = upstream.attempts

    assert not [name for name in sent.headers if name.startswith("anthropic")]


# --- Thoughts -------------------------------------------------------------------


async def test_thoughts_go_back_to_the_model_that_had_them_and_to_no_other(
    upstream, gateway, client
):
    thinker = one(upstream.url, "anthropic", "fault/reasoning")
    gateway.serve_catalog(thinker)
    body = asking(thinking=THINKING)
    first = await client.messages.create(**body)
    said = {"role": "assistant", "content": [b.to_dict() for b in first.content]}
    body["messages"] += [said, {"role": "user", "content": "And?"}]

    await client.messages.create(**body)
    gateway.serve_catalog(one(upstream.url, "anthropic", "another"))
    await client.messages.create(**body)
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    await client.messages.create(**body)
    _, same, other, openais = (attempt.body for attempt in upstream.attempts)

    assert same["messages"] == body["messages"]
    assert other["messages"][1]["content"] == said["content"][1:]
    assert openais["messages"][1] == {
        "role": "assistant",
        "content": first.content[1].text,
    }


async def test_a_signature_the_provider_refuses_costs_one_more_try_without_it(
    upstream, gateway, client
):
    """After a restart nobody knows whose it was."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": signed("older")}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes"}]}
    body = asking(thinking=THINKING)
    body["messages"] += [said, {"role": "user", "content": "And?"}]
    message = await client.messages.create(**body)
    refused, taken = upstream.attempts

    assert message.stop_reason == "end_turn"
    assert (refused.status, taken.status) == (400, 200)
    assert taken.body["messages"][1]["content"] == said["content"][1:]
    assert [a["state"] for a in gateway.records("attempt")] == ["free", "billed"]


async def test_openais_client_sends_signed_thoughts_back_as_it_got_them(
    upstream, gateway, openai_client
):
    gateway.serve_catalog(one(upstream.url, "anthropic", "fault/reasoning"))
    asked = [{"role": "user", "content": "Hi"}]
    answer = await openai_client.chat.completions.create(model="auto", messages=asked)
    message = answer.choices[0].message.model_dump(exclude_none=True)
    history = [*asked, message, {"role": "user", "content": "And?"}]

    await openai_client.chat.completions.create(model="auto", messages=history)
    gateway.serve_catalog(one(upstream.url, "openai-compatible"))
    await openai_client.chat.completions.create(model="auto", messages=history)
    _, same, other = (attempt.body for attempt in upstream.attempts)

    thought = same["messages"][1]["content"][0]
    assert thought["signature"] == signed("fault/reasoning")
    assert "thinking_blocks" not in other["messages"][1]
