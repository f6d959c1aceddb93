"""Requests of the gateway's own, beside the traffic: each with a row of its own."""

import asyncio
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from gateway import pipeline
from gateway.dialects.embeddings import features_of
from gateway.errors import GatewayError
from gateway.ledger.books import RequestRecord
from gateway.limits.hold import Hold
from gateway.request_ids import new_request_id
from gateway.runtime.runtime import Runtime
from routing.chat import ChatRequest, Json

STREAM_FIELDS = ("stream", "stream_options")
JUDGE_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Fresh:
    """An answer to a request of our own."""

    chat: ChatRequest
    body: bytes
    cost_nano: int

    @property
    def text(self) -> str:
        return text_of(self.body)


async def ask(
    chat: ChatRequest,
    record: RequestRecord,
    endpoint: str,
    runtime: Runtime,
    hold: Hold | None = None,
) -> Fresh | None:
    """Ask on behalf of the request that `record` is about; None when it failed. `hold`
    was set aside for it, pays for one answer, and is settled."""
    if hold is not None:
        chat = replace(chat, one_bill=True)
    mine = runtime.books.open_request(chat, record.caller)
    mine.endpoint = endpoint
    mine.set_aside_nano = hold.nano if hold else 0
    unseen = 0
    try:
        answer = await pipeline.answer(mine, runtime)
    except GatewayError:
        return None
    except asyncio.CancelledError:
        # Its call ends after us: nobody knows yet what it came to.
        unseen = mine.set_aside_nano
        raise
    finally:
        if hold is not None:
            hold.settle(max(mine.cost_nano, unseen), 0)
    return Fresh(chat, answer.body, mine.cost_nano)


def again(chat: ChatRequest, tag: str, **changes: object) -> ChatRequest:
    """The same request once more, whole, in the common language unless told."""
    asked: dict[str, object] = {
        "body": unstreamed(chat.body),
        "stream": False,
        "dialect": "openai",
        "native": None,
        "request_id": new_request_id(),
        "tags": (tag, chat.request_id),
        **changes,
    }
    return replace(chat, **asked)  # type: ignore[arg-type]


def judge_request(
    chat: ChatRequest, judge: str, rule: str, parts: Iterable[str]
) -> ChatRequest:
    """A question to the judge: what it has to decide, and the material for it."""
    line = f"\n--- {secrets.token_hex(8)} ---\n"  # which no material can imitate
    body = {
        "messages": [
            {"role": "system", "content": rule},
            {"role": "user", "content": line.join(parts)},
        ],
        "temperature": 0,
        "max_tokens": JUDGE_TOKENS,
    }
    return again(
        chat,
        "cache-judge",
        body=body,
        ways=("chat",),
        pin=judge,
        min_tier=None,
        max_tier=None,
        features=None,
        no_cache=True,
        no_store=True,
    )


def embeddings_request(chat: ChatRequest, backend: str, text: str) -> ChatRequest:
    """A text whose embedding this backend is to make."""
    body = {"model": backend, "input": text}
    return again(
        chat,
        "cache-embeddings",
        body=body,
        dialect="vectors",
        ways=("embeddings",),
        exact_only=True,
        pin=backend,
        min_tier=None,
        max_tier=None,
        features=features_of(body),
        no_cache=True,
        no_store=True,
    )


def yes_or_no(text: str) -> bool | None:
    """What a judge said in one word; None when it said anything else."""
    return {"yes": True, "no": False}.get(normal(text))


def unstreamed(body: Json) -> Json:
    return {name: body[name] for name in body if name not in STREAM_FIELDS}


def text_of(body: bytes) -> str:
    """All the text of a completion's or a message's JSON."""
    answer = orjson.loads(body)
    if "choices" not in answer:
        return "".join(part.get("text", "") for part in answer.get("content", ()))
    messages = (choice.get("message") or {} for choice in answer["choices"])
    return "\n".join(str(message.get("content") or "") for message in messages)


def normal(text: str) -> str:
    """What is left of a text that could make a difference to its meaning."""
    return re.sub(r"[\s.!]+$", "", re.sub(r"\s+", " ", text.strip().casefold()))
