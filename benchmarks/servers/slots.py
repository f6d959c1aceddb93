"""A simulated provider: few slots, first come first served, with a prompt cache.

A call takes a slot for as long as its uncached prompt and its answer need. A prefix is
in the cache from the moment a call that brought it has its first token.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import web

PREFIX_CHARS = 4096
OVERHEAD_SECONDS = 0.03
PREFILL_PER_SECOND = 40_000.0  # prompt tokens
DECODE_PER_SECOND = 800.0  # answer tokens
ANSWER_TOKENS = 40


@dataclass
class Counts:
    calls: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0

    @property
    def dollars(self) -> float:
        """At 1 dollar per million in, 5 out, a tenth for what was cached."""
        fresh = self.prompt - self.cached
        return (fresh + self.cached / 10 + self.completion * 5) / 1e6


class Slots:
    """`url` is the base_url of a backend; `counts` start anew with `forget`."""

    def __init__(self, slots: int) -> None:
        self.url = ""
        self._slots = asyncio.Semaphore(slots)
        self.forget()

    def forget(self) -> None:
        self.counts = Counts()
        self._prefixes: set[str] = set()

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        text = "\n".join(message["content"] for message in body["messages"])
        async with self._slots:
            prompt, cached = len(text) // 4, 0
            if text[:PREFIX_CHARS] in self._prefixes:
                cached = min(PREFIX_CHARS // 4, prompt)
            fresh = prompt - cached
            await asyncio.sleep(OVERHEAD_SECONDS + fresh / PREFILL_PER_SECOND)
            if len(text) >= PREFIX_CHARS:
                self._prefixes.add(text[:PREFIX_CHARS])
            answer = f"It is {hashlib.sha256(text.encode()).hexdigest()[:12]}."
            reply = await self.begin(request, body, answer)
            await asyncio.sleep(ANSWER_TOKENS / DECODE_PER_SECOND)
        self.counts.calls += 1
        self.counts.prompt += prompt
        self.counts.cached += cached
        self.counts.completion += ANSWER_TOKENS
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": ANSWER_TOKENS,
            "total_tokens": prompt + ANSWER_TOKENS,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        message = {"role": "assistant", "content": answer}
        if reply is None:
            return web.json_response(
                completion(body, usage, message=message, finish_reason="stop")
            )
        last = completion(body, usage, delta={}, finish_reason="stop")
        await reply.write(b"data: " + orjson.dumps(last) + b"\n\ndata: [DONE]\n\n")
        return reply

    async def begin(
        self, request: web.Request, body: dict, answer: str
    ) -> web.StreamResponse | None:
        """The first token of a stream, as soon as the prompt has been read."""
        if not body.get("stream"):
            return None
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        delta = {"role": "assistant", "content": answer}
        chunk = completion(body, None, delta=delta, finish_reason=None)
        await reply.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
        return reply


def completion(body: dict, usage: dict | None, **choice: object) -> dict:
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, **choice}],
        "usage": usage,
    }


@asynccontextmanager
async def simulated(slots: int) -> AsyncIterator[Slots]:
    provider = Slots(slots)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/chat/completions", provider.complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield provider
    finally:
        await runner.cleanup()
