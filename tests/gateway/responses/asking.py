"""A gateway that is asked at `POST /v1/responses`."""

import httpx
import orjson

from routing.catalog import Catalog, Policy
from tests.harness import TIERS, Gateway, Reply, backend

ORIGINS = {
    "openai": {},
    "anthropic": {"provider": "anthropic"},
}
NATIVE = {"capabilities": "+responses"}
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
SEARCH = [{"type": "web_search"}]
SAID = "Answer to: Hi there (call 1)"


def catalog(url: str, origin: str = "openai", **fields: object) -> Catalog:
    of_policy = ("keepalive_seconds", "max_attempts")
    policy = {k: fields.pop(k) for k in of_policy if k in fields}
    only = backend("small", 1, url, **{**ORIGINS.get(origin, NATIVE), **fields})
    return Catalog(TIERS[:1], (only,), policy=Policy(**policy))


async def respond(
    gateway: Gateway, given: object = "Hi there", **body: object
) -> Reply:
    headers = body.pop("headers", None)
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        response = await client.post(
            f"{gateway.url}/v1/responses",
            json={"input": given, **body},
            headers=headers,
        )
    return Reply(response.status_code, response.headers, response.text)


def events(reply: Reply) -> list[dict]:
    """The events of a stream, each with its name on a line of its own."""
    found = []
    for block in reply.text.split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n")
            event = orjson.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            found.append(event)
    return found


def rebuilt(told: list[dict]) -> dict:
    """The response as its items alone add up."""
    final = told[-1]["response"]
    done = [e for e in told if e["type"] == "response.output_item.done"]
    items = {event["output_index"]: event["item"] for event in done}
    return {**final, "output": [items[at] for at in sorted(items)]}


def plain(response: dict) -> list[tuple]:
    """What an answer says, without what differs between any two."""
    said = [("status", response["status"])]
    for item in response["output"]:
        match item["type"]:
            case "message":
                said += [
                    (
                        p["type"],
                        p.get("text", p.get("refusal")).replace("(call 2)", "(call 1)"),
                    )
                    for p in item["content"]
                ]
            case "function_call":
                said.append((item["name"], orjson.loads(item["arguments"])))
            case "reasoning":
                text = "".join(each["text"] for each in item["summary"])
                said.append(("reasoning", text.strip(), "encrypted_content" in item))
    return sorted(said, key=repr)  # interleaved calls come in the order they began
