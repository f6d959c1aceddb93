"""What clients of OpenAI's call, and feedback, and what became of a request."""

from typing import Any

from gateway import pipeline
from gateway.api import explain, feedback
from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.chat_request import read_chat
from gateway.api.described import AN_OBJECT, Operation
from gateway.api.reply import Reply, json_reply
from gateway.api.schemas import CHAT, COMPLETION, FEEDBACK, STORY
from gateway.api.streams import stream_events, streamed
from gateway.dialects import strict_json


class ChatCompletions(GatewayView):
    """`POST /v1/chat/completions`, whole and streamed."""

    describes = {"post": Operation("A chat completion", CHAT, COMPLETION, streams=True)}

    async def post(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        chat = await read_chat(request.body, self.gateway)
        self.record = runtime.books.open_request(chat, self.gateway.caller)
        answer = await pipeline.answer(self.record, runtime)
        if answer.chunks is None:
            return Reply(answer.body)
        self.gateway.at_end += [answer.close, self.record.abandon]
        events = stream_events(answer.chunks, chat)
        seconds = runtime.snapshot.catalog.policy.keepalive_seconds
        return streamed(events, seconds)


class FeedbackView(GatewayView):
    """`POST /v1/feedback`: how good an answer was."""

    describes = {"post": Operation("How good an answer was", FEEDBACK, AN_OBJECT)}

    async def post(self, request: GatewayRequest) -> Reply:
        body = strict_json.loads(request.body)
        scope = self.gateway.caller.scope
        stored, bad_answer = await feedback.store(body, scope)
        if bad_answer:
            await self.gateway.runtime.forget_answer(scope, bad_answer)
        return json_reply(stored)


class Explain(GatewayView):
    """`GET /v1/requests/{id}`: every decision of a request, in order."""

    describes = {"get": Operation("What happened to a request, and why", answer=STORY)}

    async def get(self, request: GatewayRequest, request_id: str) -> Reply:
        caller = self.gateway.caller
        with self.gateway.runtime.admission.admit(caller):  # it may wait for its row
            found: Any = await explain.explain(request_id, caller)
        return json_reply(found)
