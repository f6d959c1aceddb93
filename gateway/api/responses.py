"""`POST /v1/responses`: OpenAI's Responses API, stateless, over any backend."""

from gateway import pipeline
from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.chat_request import read_responses
from gateway.api.described import Operation
from gateway.api.reply import Reply
from gateway.api.schemas import RESPONSE, RESPONSES
from gateway.api.streams import response_events, streamed


class Responses(GatewayView):
    """`POST /v1/responses`, whole and streamed."""

    describes = {"post": Operation("A response", RESPONSES, RESPONSE, streams=True)}

    async def post(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        chat = await read_responses(request.body, self.gateway)
        self.record = runtime.books.open_request(chat, self.gateway.caller)
        self.record.endpoint = "responses"
        answer = await pipeline.answer(self.record, runtime)
        if answer.chunks is None:
            return Reply(answer.body)
        self.gateway.at_end += [answer.close, self.record.abandon]
        seconds = runtime.snapshot.catalog.policy.keepalive_seconds
        return streamed(response_events(answer.chunks, chat), seconds)
