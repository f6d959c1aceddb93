"""What clients of Anthropic's call: messages, and the count of a request's tokens."""

from gateway import pipeline
from gateway.api import render
from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.chat_request import read_messages
from gateway.api.described import Operation
from gateway.api.reply import Reply, json_reply
from gateway.api.schemas import ANSWER, COUNT, MESSAGES
from gateway.api.streams import message_events, streamed
from gateway.counting import count_tokens


class Messages(GatewayView):
    """`POST /v1/messages`, whole and streamed."""

    describes = {
        "post": Operation("A message of Anthropic's", MESSAGES, ANSWER, streams=True)
    }

    async def post(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        chat = await read_messages(request.body, self.gateway)
        self.record = runtime.books.open_request(chat, self.gateway.caller)
        self.record.endpoint = "messages"
        answer = await pipeline.answer(self.record, runtime)
        if answer.chunks is None:
            return Reply(answer.body)
        self.gateway.at_end += [answer.close, self.record.abandon]
        seconds = runtime.snapshot.catalog.policy.keepalive_seconds
        events = message_events(answer.chunks, chat)
        return streamed(events, seconds, render.PING)


class CountTokens(GatewayView):
    """`POST /v1/messages/count_tokens`: by the provider, else an estimate."""

    describes = {"post": Operation("The tokens of such a request", MESSAGES, COUNT)}

    async def post(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        chat = await read_messages(request.body, self.gateway, counting=True)
        record = runtime.books.open_request(chat, self.gateway.caller)
        count = await count_tokens(record, runtime)
        if count.by:
            reply = json_reply({"input_tokens": count.tokens})
            reply.headers.append(("x-llm-router-model", count.by))
            return reply
        reply = json_reply({"input_tokens": count.tokens, "estimated": True})
        reply.headers.append(("x-llm-router-estimated", "true"))
        return reply
