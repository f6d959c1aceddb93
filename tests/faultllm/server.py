"""The fault upstream: a raw socket server that misbehaves on request, and counts."""

import asyncio
import logging
import os
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Self

from tests.conversations import Conversations
from tests.faultllm import (
    anthropic_dialect,
    embeddings_dialect,
    openai_dialect,
    responses_dialect,
    text_dialect,
)
from tests.faultllm.answer import Answer, answer_to
from tests.faultllm.books import Books
from tests.faultllm.call import Call
from tests.faultllm.connection import Connection
from tests.faultllm.dialect import Dialect
from tests.faultllm.journal import Attempt, Outcome, credential_digests
from tests.faultllm.player import Player
from tests.faultllm.respond import respond, spoil
from tests.faultllm.scripts import PREFIX, UnknownScript, parse
from tests.faultllm.steps import Steps
from tests.faultllm.wire import (
    BadRequest,
    Request,
    json_response,
    read_request,
    render_whole,
    send_response,
)

BACKLOG = 1024
logger = logging.getLogger("faultllm")

DIALECTS: dict[str, Dialect] = {
    "/v1/chat/completions": openai_dialect,
    "/v1/completions": text_dialect,
    "/v1/responses": responses_dialect,
    "/v1/embeddings": embeddings_dialect,
    "/v1/messages": anthropic_dialect,
}


class FaultLLM(Books):
    """`async with FaultLLM() as upstream:` serves at `upstream.url`.

    What a request gets is decided by the first of: the next entry of `script`;
    `always`, which applies to probes as well; the model's name, when it begins with
    `fault/`. Other models are answered normally.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        journal: Path | str | None = None,
        seed: int = 0,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
        keep: int = 10_000,
    ) -> None:
        super().__init__(journal, clock, keep)
        self.host, self.port, self._tls = host, port, tls
        self.always = ""
        self.counts: list[Request] = []  # requests that were only to be counted
        self._script: deque[str] = deque()
        self._random = Random(seed)
        self._name = os.urandom(4).hex()
        self._conversations = Conversations()

    @property
    def url(self) -> str:
        """Without /v1, as Anthropic's SDK wants it; OpenAI's wants it added."""
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    @property
    def script(self) -> deque[str]:
        return self._script

    @script.setter
    def script(self, scripts: Iterable[str]) -> None:
        self._script = deque(scripts)

    async def __aenter__(self) -> Self:
        """Serve; entered again after its end, it is back at its old address."""
        loop = asyncio.get_running_loop()
        self._journal.open()
        self._release: asyncio.Future[None] = loop.create_future()
        self._listener = await loop.create_server(
            self._connection, self.host, self.port, ssl=self._tls, backlog=BACKLOG
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._conversations.end(self._listener)
        self._journal.close()

    def release(self) -> None:
        """Let every attempt that is `holding` go on."""
        self._release.set_result(None)
        self._release = asyncio.get_running_loop().create_future()

    def _connection(self) -> Connection:
        self.connections += 1
        return Connection(self.connections, self._accept)

    def _accept(self, connection: Connection) -> None:
        self._conversations.begin(self._serve(connection), connection.writer)

    async def _serve(self, connection: Connection) -> None:
        outcome: Outcome = "server-closed"
        try:
            outcome = await self._converse(connection)
        except ConnectionError:
            outcome = "peer-closed"
        except BadRequest as error:
            self.strays += 1
            refusal = json_response(404, openai_dialect.error(404, str(error)))
            connection.writer.write(render_whole(refusal))
            outcome = "closed"
        except Exception:
            logger.exception("A script failed, so its connection is closed.")
        finally:
            await connection.end(outcome)

    async def _converse(self, connection: Connection) -> Outcome:
        """Answer one request after the other until either side has enough."""
        reused = False
        while request := await read_request(connection.reader, reused):
            outcome = await self._answer(request, connection)
            if outcome != "completed" or not request.keep_alive:
                return outcome
            reused = True
        return "peer-closed"

    async def _answer(self, request: Request, connection: Connection) -> Outcome:
        dialect = DIALECTS.get(request.path)
        if request.method == "POST" and dialect:
            return await self._attempt(request, dialect, connection)
        if request.method == "POST" and request.path == "/v1/messages/count_tokens":
            return await self._count(request, connection)
        if request.method == "GET" and request.path == "/v1/models":
            self.probes += 1
            return await self._probe(request, connection)
        raise BadRequest(f"Nobody answers {request.method} {request.path} here.")

    async def _attempt(
        self, request: Request, dialect: Dialect, connection: Connection
    ) -> Outcome:
        answer = answer_to(request.body, self.total + 1)
        self.total += 1
        call = self._call(request, dialect, answer)
        script = self._script_for(call.answer.model)
        attempt = self._attempt_of(call, script, connection)
        self._received(attempt, call.digests)
        outcome: Outcome = "server-closed"
        try:
            attempt.status, steps = self._steps(call, script)
            outcome = await self._play(steps, attempt, call, connection)
        finally:
            self._finished(attempt, outcome)
        return outcome

    async def _probe(self, request: Request, connection: Connection) -> Outcome:
        version = request.headers.get("anthropic-version")
        dialect: Dialect = anthropic_dialect if version else openai_dialect
        call = self._call(request, dialect, answer_to({}, 0))
        response = json_response(200, dialect.models())
        steps = spoil(response, parse(self.always or "ok"), call)
        return await self._play(steps, Attempt("probe"), call, connection)

    async def _count(self, request: Request, connection: Connection) -> Outcome:
        """Counting is free, so it is no attempt."""
        self.counts.append(request)
        call = self._call(request, anthropic_dialect, answer_to(request.body, 0))
        response = json_response(200, {"input_tokens": call.answer.prompt_tokens})
        steps = spoil(response, parse(self.always or "ok"), call)
        return await self._play(steps, Attempt("count"), call, connection)

    def _script_for(self, model: str) -> str:
        if self._script:
            return self._script.popleft()
        if self.always:
            return self.always
        return model.removeprefix(PREFIX) if model.startswith(PREFIX) else "ok"

    def _call(self, request: Request, dialect: Dialect, answer: Answer) -> Call:
        digests = credential_digests(request)
        return Call(request, dialect, answer, self._random, digests)

    def _attempt_of(self, call: Call, script: str, connection: Connection) -> Attempt:
        request = call.request
        return Attempt(
            id=f"{self._name}-{call.answer.serial}",
            attempt_id=request.headers.get("x-client-request-id", ""),
            connection=connection.number,
            path=request.path,
            model=call.answer.model,
            script=script,
            stream=request.stream,
            key=next(iter(call.digests.values()), ""),
            bytes_in=len(request.content),
            headers=request.headers | call.digests,
            body=request.body,
        )

    def _steps(self, call: Call, script: str) -> tuple[int, Steps]:
        """The status of the response, and the steps it takes."""
        complaint = call.dialect.complaint(call.request)
        try:
            plan = parse(script)
        except UnknownScript as error:
            complaint = str(error)
        if complaint:
            refusal = json_response(400, call.dialect.error(400, complaint))
            return 400, send_response(refusal)
        return respond(call, plan)

    async def _play(
        self, steps: Steps, attempt: Attempt, call: Call, connection: Connection
    ) -> Outcome:
        prompt_tokens = call.answer.prompt_tokens
        player = Player(attempt, prompt_tokens, connection, self._hold, self._changed)
        return await player.play(steps)

    async def _hold(self, connection: Connection) -> None:
        self.holding += 1
        self._changed()
        both = [self._release, connection.gone]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        self.holding -= 1
