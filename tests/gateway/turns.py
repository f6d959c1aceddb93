"""Turns of a conversation, and what was decided about it."""

from tests.harness import Gateway, Reply, ask

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {}}}]
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "1", "content": "4"}


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def said(text: str = "Yes.") -> dict:
    return {"role": "assistant", "content": text}


async def turn(gateway: Gateway, *messages: dict, **more: object) -> Reply:
    return await ask(gateway, messages=list(messages), **more)


def tier(reply: Reply) -> str:
    return reply.headers["x-llm-router-tier"]


def steps(gateway: Gateway) -> list[dict]:
    """What the last request decided about its conversation."""
    decisions = gateway.records("request")[-1]["decisions"]
    return [each for each in decisions if each["step"] == "session"]
