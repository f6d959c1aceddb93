"""A provider whose answer is a function of the prompt alone, for oracles."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from routing.chat import Json


def says(messages: list[Json]) -> str:
    text = "\x00".join(message["content"] for message in messages)
    return f"It is {hashlib.sha256(text.encode()).hexdigest()[:12]}."


class PureModel:
    """`url`; `prompts` are those it was sent. `seconds` says how long each takes."""

    def __init__(self, seconds: Callable[[Json], float] = lambda body: 0.0) -> None:
        self.url = ""
        self.prompts: list[str] = []
        self.seconds = seconds

    async def complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.prompts.append(body["messages"][-1]["content"])
        if seconds := self.seconds(body):
            await asyncio.sleep(seconds)
        message = {"role": "assistant", "content": says(body["messages"])}
        return web.json_response(
            {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "total_tokens": 15,
                },
            }
        )


@asynccontextmanager
async def pure_model(
    seconds: Callable[[Json], float] = lambda body: 0.0,
) -> AsyncIterator[PureModel]:
    model = PureModel(seconds)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    model.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield model
    finally:
        await runner.cleanup()
