"""Three OpenAI-compatible models with the manners of real ones, answering nonsense."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from gateway.simulator.form import in_form
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
WORDS = """
the gateway sends each request to the cheapest model that can answer it and keeps what
it learned so that the same question costs nothing a second time
"""


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
    count = max(3, round(dice.gauss(manner.tokens, manner.tokens / 5)))
    vocabulary = WORDS.split()
    words = [f"{vocabulary[i % len(vocabulary)]} " for i in range(count)]
    words = in_form(words, body.get("response_format") or {})
    choices = body.get("n") or 1
    usage = {
        "prompt_tokens": extract(body).prompt_tokens,
        "completion_tokens": count * choices,
    }
    usage["total_tokens"] = sum(usage.values())
    head = {
        "id": f"chatcmpl-sim{dice.getrandbits(48):012x}",
        "created": int(time.time()),
        "model": body.get("model"),
    }
    await asyncio.sleep(dice.uniform(0.7, 1.3) * manner.first_token)
    if body.get("stream"):
        return await stream(request, head, [words] * choices, usage, manner)
    await asyncio.sleep(count / manner.tokens_per_second)
    message = {"role": "assistant", "content": "".join(words).strip()}
    told = [
        {"index": index, "message": message, "finish_reason": "stop"}
        for index in range(choices)
    ]
    return web.json_response(
        {**head, "object": "chat.completion", "choices": told, "usage": usage}
    )


async def stream(
    request: web.Request,
    head: dict[str, Any],
    choices: list[list[str]],
    usage: dict[str, int],
    manner: Manner,
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    head["object"] = "chat.completion.chunk"
    for index, words in enumerate(choices):
        deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": word} for word in words]
        for delta in deltas:
            await send(response, {**head, "choices": [choice_of(index, delta, None)]})
            await asyncio.sleep(1 / manner.tokens_per_second)
        await send(response, {**head, "choices": [choice_of(index, {}, "stop")]})
    await send(response, {**head, "choices": [], "usage": usage})
    await response.write(b"data: [DONE]\n\n")
    return response


def choice_of(
    index: int, delta: dict[str, str], finish_reason: str | None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


async def send(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
