"""`POST /v1/completions`: OpenAI's legacy API, over backends of any kind."""

from gateway import pipeline
from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.chat_request import read_completions
from gateway.api.described import Operation
from gateway.api.reply import Reply
from gateway.api.schemas import COMPLETION, LEGACY
from gateway.api.streams import stream_events, streamed


class Completions(GatewayView):
    """`POST /v1/completions`, whole and streamed."""

    describes = {
        "post": Operation("A legacy completion", LEGACY, COMPLETION, streams=True)
    }

    async def post(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        chat = await read_completions(request.body, self.gateway)
        self.record = runtime.books.open_request(chat, self.gateway.caller)
        self.record.endpoint = "completions"
        answer = await pipeline.answer(self.record, runtime)
        if answer.chunks is None:
            return Reply(answer.body)
        self.gateway.at_end += [answer.close, self.record.abandon]
        events = stream_events(answer.chunks, chat)
        seconds = runtime.snapshot.catalog.policy.keepalive_seconds
        return streamed(events, seconds)
