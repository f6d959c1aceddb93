"""One call of an op: a request that goes through the gateway's pipeline like any."""

from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from gateway import pipeline
from gateway.errors import BadUpstreamResponse
from gateway.ledger.books import Caller, RequestRecord
from gateway.limits.rules import Left
from gateway.request_ids import new_request_id
from gateway.runtime.runtime import Runtime
from routing.chat import ChatRequest, Json, Usage
from workflows_app.definition import Op

OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of the calls of an op: of which item of a map, or which sample; `attempt`
    is above 1 after a failure; `unfit` answers came that would not do."""

    item: str | None = None
    number: int = 0
    attempt: int = 1
    unfit: int = 0


@dataclass(slots=True)
class Wishes:
    """What the executor wants of a call, beyond the op itself."""

    tags: tuple[str, ...] = ()
    prefer: str = ""
    min_tier: int | None = None
    max_tier: int | None = None
    max_tokens: int | None = None
    fresh: bool = False  # no stored answer: the one before wouldn't do
    alone: bool = False  # an answer of its own, neither stored nor shared
    one_bill: bool = False
    shared_prefix: int = 0
    on_text: OnText | None = None  # hears the text as it comes


@dataclass(slots=True)
class Said:
    """What a call gave and what it took."""

    text: str = ""
    request_id: str = ""
    backend: str = ""
    tier: int | None = None
    cache: str = ""
    cost_nano: int = 0
    usage: Usage = field(default_factory=Usage)
    reason: str = ""
    left: dict[str, Left] = field(default_factory=dict)  # of the key's limits

    def read(self, record: RequestRecord) -> None:
        self.request_id = record.chat.request_id
        self.backend, self.tier = record.backend, record.tier
        self.cache, self.cost_nano = record.cache, record.cost_nano
        self.usage, self.left = record.usage, record.left or {}
        steps = ("tier", "model", "cache")
        texts = {each["step"]: each["text"] for each in record.decisions}
        self.reason = next((texts[step] for step in steps if step in texts), "")


def request_of(op: Op, body: Json, caller: Caller, wishes: Wishes) -> ChatRequest:
    floors = [tier for tier in (caller.min_tier, wishes.min_tier) if tier is not None]
    ceilings = [t for t in (caller.max_tier, wishes.max_tier) if t is not None]
    return ChatRequest(
        body=body,
        scope=caller.scope,
        request_id=new_request_id(),
        model=op.target,
        stream=bool(body.get("stream")),
        min_tier=max(floors, default=None),
        max_tier=min(ceilings, default=None),
        no_cache=wishes.fresh or wishes.alone or op.cache == "off",
        no_store=wishes.alone or op.cache == "off",
        allow_sampled_reuse=op.dedupe is True,
        tags=wishes.tags,
        prefer=wishes.prefer,
        exact_only=True,
        one_bill=wishes.one_bill,
        shared_prefix=wishes.shared_prefix,
    )


async def ask(
    op: Op, body: Json, caller: Caller, wishes: Wishes, runtime: Runtime, said: Said
) -> None:
    """Fill `said`, also when the call fails: what it cost is known all the same."""
    if wishes.max_tokens is not None:
        body = {**body, "max_tokens": wishes.max_tokens}
    if wishes.on_text:
        body = {**body, "stream": True}
    chat = request_of(op, body, caller, wishes)
    record = runtime.books.open_request(chat, caller)
    record.endpoint = "workflows"
    try:
        if wishes.on_text:
            said.text = await _follow(record, runtime, wishes.on_text)
        else:
            answer = await pipeline.answer(record, runtime)
            said.text = text_of(parsed(answer.body))
    finally:
        said.read(record)


async def _follow(record: RequestRecord, runtime: Runtime, on_text: OnText) -> str:
    answer = await pipeline.answer(record, runtime)
    pieces: list[str] = []
    try:
        assert answer.chunks is not None  # noqa: S101 - it was asked for as a stream
        async for chunk in answer.chunks:
            for choice in chunk.get("choices") or ():
                if piece := (choice.get("delta") or {}).get("content"):
                    pieces.append(piece)
                    on_text(piece)
    finally:
        answer.close()
        record.abandon()
    return with_text("".join(pieces))


def parsed(body: bytes) -> Json:
    found: Json = orjson.loads(body)
    return found


def text_of(completion: Json) -> str:
    choices = completion.get("choices") or [{}]
    content = (choices[0].get("message") or {}).get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content)
    return with_text(content)


def with_text(content: object) -> str:
    if not isinstance(content, str) or not content.strip():
        raise BadUpstreamResponse("The model answered without any text.")
    return content
