"""`POST /v1/embeddings`: vectors of texts, from a backend with the model named."""

from gateway import pipeline
from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.chat_request import read_embeddings
from gateway.api.described import Operation
from gateway.api.reply import Reply
from gateway.api.schemas import EMBEDDINGS, VECTORS


class Embeddings(GatewayView):
    """`POST /v1/embeddings`, always whole."""

    describes = {"post": Operation("Vectors of texts", EMBEDDINGS, VECTORS)}

    async def post(self, request: GatewayRequest) -> Reply:
        runtime = self.gateway.runtime
        chat = await read_embeddings(request.body, self.gateway)
        self.record = runtime.books.open_request(chat, self.gateway.caller)
        self.record.endpoint = "embeddings"
        answer = await pipeline.answer(self.record, runtime)
        return Reply(answer.body)
