"""Three OpenAI-compatible models with the manners of real ones, answering nonsense."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from gateway.simulator.answer import Said, say
from routing.features import extract


@dataclass(frozen=True, slots=True)
class Manner:
    """Seconds to the first token, tokens a second, and a typical answer's tokens."""

    first_token: float
    tokens_per_second: float
    tokens: int


MANNERS = {
    "sim-small": Manner(0.08, 220, 40),
    "sim-medium": Manner(0.18, 110, 90),
    "sim-large": Manner(0.35, 60, 160),
}


def application() -> web.Application:
    app = web.Application(client_max_size=64 << 20)
    app.router.add_get("/v1/models", list_models)
    app.router.add_post("/v1/chat/completions", complete)
    return app


async def list_models(request: web.Request) -> web.Response:
    data = [{"id": name, "object": "model"} for name in MANNERS]
    return web.json_response({"object": "list", "data": data})


async def complete(request: web.Request) -> web.StreamResponse:
    """A whole or a streamed answer, at the speed of its model."""
    body = orjson.loads(await request.read())
    manner = MANNERS.get(body.get("model"), MANNERS["sim-small"])
    # Not for secrets: variety of a pretended answer.
    dice = random.Random()  # noqa: S311
    choices = [
        say(body, max(3, round(dice.gauss(manner.tokens, manner.tokens / 5))), index)
        for index in range(body.get("n") or 1)
    ]
    usage = {
        "prompt_tokens": extract(body).prompt_tokens,
        "completion_tokens": sum(len(said.pieces) for said in choices),
    }
    usage["total_tokens"] = sum(usage.values())
    head = {
        "id": f"chatcmpl-sim{dice.getrandbits(48):012x}",
        "created": int(time.time()),
        "model": body.get("model"),
    }
    await asyncio.sleep(dice.uniform(0.7, 1.3) * manner.first_token)
    if body.get("stream"):
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        with suppress(ConnectionResetError):  # who has left reads no further
            await stream(request, response, head, choices, usage, manner)
        return response
    longest = max(len(said.pieces) for said in choices)
    await asyncio.sleep(longest / manner.tokens_per_second)
    told = [
        {
            "index": index,
            "message": message_of(said, head["id"], index),
            "finish_reason": said.finish_reason,
        }
        for index, said in enumerate(choices)
    ]
    return web.json_response(
        {**head, "object": "chat.completion", "choices": told, "usage": usage}
    )


def message_of(said: Said, answer: str, index: int) -> dict[str, Any]:
    text = "".join(said.pieces)
    if not said.tool:
        return {"role": "assistant", "content": text}
    call = call_of(said, answer, index, text)
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def call_of(said: Said, answer: str, index: int, arguments: str) -> dict[str, Any]:
    number = f"call_{answer.removeprefix('chatcmpl-')}_{index}"
    function = {"name": said.tool, "arguments": arguments}
    return {"id": number, "type": "function", "function": function}


async def stream(
    request: web.Request,
    response: web.StreamResponse,
    head: dict[str, Any],
    choices: list[Said],
    usage: dict[str, int],
    manner: Manner,
) -> None:
    await response.prepare(request)
    head["object"] = "chat.completion.chunk"
    for index, said in enumerate(choices):
        for delta in deltas_of(said, head["id"], index):
            await send(response, {**head, "choices": [choice_of(index, delta, None)]})
            await asyncio.sleep(1 / manner.tokens_per_second)
        end = choice_of(index, {}, said.finish_reason)
        await send(response, {**head, "choices": [end]})
    await send(response, {**head, "choices": [], "usage": usage})
    await response.write(b"data: [DONE]\n\n")


def deltas_of(said: Said, answer: str, index: int) -> Iterator[dict[str, Any]]:
    if not said.tool:
        yield {"role": "assistant", "content": ""}
        yield from ({"content": piece} for piece in said.pieces)
        return
    call = {"index": 0, **call_of(said, answer, index, "")}
    yield {"role": "assistant", "content": None, "tool_calls": [call]}
    for piece in said.pieces:
        yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def choice_of(
    index: int, delta: dict[str, Any], finish_reason: str | None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


async def send(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
