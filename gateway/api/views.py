"""What clients call: completions, models, feedback, and what became of a request."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from gateway import pipeline
from gateway.api import explain, feedback, render
from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.chat_request import read_chat
from gateway.api.reply import Reply, json_reply
from gateway.dialects import strict_json
from gateway.dialects.openai import strip_usage
from gateway.errors import GatewayError, ModelNotFound
from routing.catalog import Catalog
from routing.chat import Json


class ChatCompletions(GatewayView):
    """`POST /v1/chat/completions`, whole and streamed."""

    async def post(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        chat = await read_chat(request.body, self.gateway)
        self.record = runtime.books.open_request(chat, self.gateway.caller)
        answer = await pipeline.answer(self.record, runtime)
        if answer.chunks is None:
            return Reply(answer.body)
        self.gateway.at_end += [answer.close, self.record.abandon]
        policy = runtime.snapshot.catalog.policy
        events = stream_events(answer.chunks, include_usage=chat.include_usage)
        return Reply(
            headers=[
                render.EVENT_STREAM,
                ("cache-control", "no-cache"),
                ("x-accel-buffering", "no"),  # nginx would collect the chunks
            ],
            pieces=kept_alive(events, policy.keepalive_seconds),
        )


async def stream_events(
    chunks: AsyncIterator[Json], *, include_usage: bool
) -> AsyncIterator[bytes]:
    """Server-sent events; a failure is an error event, and then no `[DONE]`."""
    try:
        async for chunk in chunks:
            shown = chunk if include_usage else strip_usage(chunk)
            if shown is not None:
                yield render.event(shown)
    except GatewayError as error:
        yield render.error_event(error)
        return
    yield render.DONE


async def kept_alive(
    events: AsyncIterator[bytes], seconds: float
) -> AsyncIterator[bytes]:
    """The events, with a comment whenever none came for `seconds`."""
    following: asyncio.Future[bytes] | None = None
    try:
        while True:
            if following is None:
                following = asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait((following,), timeout=seconds)
            if not done:
                yield render.KEEP_ALIVE
                continue
            try:
                piece = following.result()
            except StopAsyncIteration:
                return
            following = None
            yield piece
    finally:
        if following is not None:
            following.cancel()
            await asyncio.wait((following,))
        await events.aclose()  # type: ignore[attr-defined]


class Models(GatewayView):
    """`GET /v1/models`: what a client may name."""

    async def get(self, request: GatewayRequest) -> Reply:
        catalog = self.gateway.runtime.snapshot.catalog
        return json_reply({"object": "list", "data": model_list(catalog)})


class OneModel(GatewayView):
    """`GET /v1/models/{id}`."""

    async def get(self, request: GatewayRequest, model: str) -> Reply:
        for entry in model_list(self.gateway.runtime.snapshot.catalog):
            if entry["id"] == model:
                return json_reply(entry)
        raise ModelNotFound(f"The model {model[:200]!r} does not exist.", param="model")


def model_list(catalog: Catalog) -> list[Json]:
    """`auto`, each tier, each backend and each upstream model name, once."""
    owners: dict[str, str] = {"auto": "llm-router"}
    owners |= {f"tier-{tier.rank}": "llm-router" for tier in catalog.tiers}
    for backend in catalog.backends:
        if backend.state == "enabled":
            owners.setdefault(backend.name, backend.provider)
            owners.setdefault(backend.model, backend.provider)
    return [
        {"id": id_, "object": "model", "created": 0, "owned_by": owner}
        for id_, owner in owners.items()
    ]


class FeedbackView(GatewayView):
    """`POST /v1/feedback`: how good an answer was."""

    async def post(self, request: GatewayRequest) -> Reply:
        body = strict_json.loads(request.body)
        stored = await feedback.store(body, self.gateway.caller.scope)
        return json_reply(stored)


class Explain(GatewayView):
    """`GET /v1/requests/{id}`: every decision of a request, in order."""

    async def get(self, request: GatewayRequest, request_id: str) -> Reply:
        caller = self.gateway.caller
        with self.gateway.runtime.admission.admit(caller):  # it may wait for its row
            found: Any = await explain.explain(request_id, caller.scope)
        return json_reply(found)
