"""From bytes and headers to a ChatRequest."""

import asyncio
import re
from collections.abc import Callable
from functools import partial

from gateway.api import overrides
from gateway.api.authentication import may_override
from gateway.asgi.context import Context
from gateway.dialects import responses_request, strict_json, text_request
from gateway.dialects.embeddings import features_of as features_of_inputs
from gateway.dialects.embeddings import validate_embeddings
from gateway.dialects.messages_check import check_messages, check_version
from gateway.dialects.messages_request import to_chat_body
from gateway.dialects.openai import validate_chat
from routing.chat import ChatRequest, Json
from routing.features import features_of

MAX_TAGS = 8
MAX_TAG_CHARS = 64
MAX_BETAS = 64
NO_DIRECTIVES: frozenset[str] = frozenset()
BETA = re.compile(r"[\w.-]{1,100}", re.ASCII)
WISHES = frozenset(
    {
        b"cache-control",
        b"x-llm-router-cache-namespace",
        b"x-llm-router-cache-ttl",
        b"x-llm-router-dry-run",
        b"x-llm-router-max-tier",
        b"x-llm-router-pin",
        b"x-llm-router-session",
        b"x-llm-router-tags",
        b"x-llm-router-timeout",
    }
)
LARGE_BYTES = 256 << 10  # others would notice if the event loop read it


async def read_chat(body: bytes, context: Context) -> ChatRequest:
    """Parse and check the request. Raises 400 and 403, naming the parameter."""
    return await read(partial(parse, body, context), len(body))


async def read_messages(
    body: bytes, context: Context, *, counting: bool = False
) -> ChatRequest:
    """The same for a body of Anthropic's; `counting` when it is only to be counted."""
    return await read(partial(parse_messages, body, context, counting), len(body))


async def read_completions(body: bytes, context: Context) -> ChatRequest:
    """The same for a body of the legacy completions."""
    return await read(partial(parse_completions, body, context), len(body))


async def read_responses(body: bytes, context: Context) -> ChatRequest:
    """The same for a body of the Responses API."""
    return await read(partial(parse_responses, body, context), len(body))


async def read_embeddings(body: bytes, context: Context) -> ChatRequest:
    """The same for a request for embeddings."""
    return await read(partial(parse_embeddings, body, context), len(body))


async def read(parse: Callable[[], ChatRequest], size: int) -> ChatRequest:
    if size < LARGE_BYTES:
        return parse()
    return await asyncio.to_thread(parse_large, parse)


def parse_large(parse: Callable[[], ChatRequest]) -> ChatRequest:
    """Everything that takes longer the more text there is, for a thread."""
    chat = parse()
    features_of(chat)
    return chat


def parse(body: bytes, context: Context) -> ChatRequest:
    data = strict_json.loads(body)
    validate_chat(data)
    return request_of(data, context)


def parse_messages(body: bytes, context: Context, counting: bool) -> ChatRequest:
    version = check_version(context.header(b"anthropic-version"))
    data = strict_json.loads(body)
    check_messages(data, version, counting=counting)
    chat, native = to_chat_body(data, version, betas(context))
    request = request_of(chat, context)
    request.dialect, request.native = "anthropic", native
    return request


def parse_embeddings(body: bytes, context: Context) -> ChatRequest:
    data = strict_json.loads(body)
    validate_embeddings(data)
    request = request_of(data, context)
    request.dialect, request.ways = "vectors", ("embeddings",)
    request.stream, request.exact_only = False, True
    request.features = features_of_inputs(data)
    return request


def parse_completions(body: bytes, context: Context) -> ChatRequest:
    data = strict_json.loads(body)
    chat, beyond = text_request.to_chat_body(data)
    request = request_of(chat, context)
    request.dialect, request.original, request.beyond = "text", data, beyond
    request.ways = ("completions",) if beyond else ("chat", "completions")
    request.exact_only = beyond is not None
    return request


def parse_responses(body: bytes, context: Context) -> ChatRequest:
    data = strict_json.loads(body)
    chat, beyond = responses_request.to_chat_body(data)
    request = request_of(chat, context)
    request.dialect, request.original, request.beyond = "responses", data, beyond
    request.ways = ("responses",) if beyond else ("chat",)
    request.exact_only = beyond is not None
    return request


def request_of(data: Json, context: Context) -> ChatRequest:
    """A body in the common language, with what the headers say."""
    caller = context.caller
    request = ChatRequest(
        body=data,
        scope=caller.scope,
        request_id=context.request_id,
        model=data.get("model") or "auto",
        stream=bool(data.get("stream")),
        include_usage=bool((data.get("stream_options") or {}).get("include_usage")),
        min_tier=caller.min_tier,
        max_tier=caller.max_tier,
    )
    if not WISHES.isdisjoint(context.headers):  # most clients send none of them
        read_wishes(request, context)
    return request


def read_wishes(request: ChatRequest, context: Context) -> None:
    """What the client's headers ask of this one request; each is one of WISHES."""
    cache_control = directives(context.header(b"cache-control"))
    request.pin = override(context, b"x-llm-router-pin")
    request.max_tier = lower(request.max_tier, max_tier(context))
    request.no_cache = not cache_control.isdisjoint(("no-cache", "no-store"))
    request.no_store = "no-store" in cache_control
    request.allow_sampled_reuse = "x-llm-router-allow-sampled" in cache_control
    request.cache_ttl = overrides.cache_ttl(context)
    request.timeout = overrides.timeout(context)
    request.namespace = overrides.cache_namespace(context)
    request.session = overrides.session(context)
    request.dry_run = overrides.dry_run(context)
    request.tags = tags(context)


def betas(context: Context) -> tuple[str, ...]:
    """Anthropic's betas that the client asks for, each once, in one order."""
    value = context.header(b"anthropic-beta")
    found = sorted({beta.strip() for beta in value.split(",")} - {""})
    if len(found) > MAX_BETAS or not all(map(BETA.fullmatch, found)):
        raise overrides.wrong(
            b"anthropic-beta", f"takes {MAX_BETAS} names of letters, digits and . _ -"
        )
    return tuple(found)


def directives(cache_control: str) -> frozenset[str]:
    if not cache_control:
        return NO_DIRECTIVES
    return frozenset(part.strip().lower() for part in cache_control.split(","))


def override(context: Context, name: bytes) -> str:
    value = context.header(name)
    if value:
        may_override(context.caller, name.decode())
    return value


def max_tier(context: Context) -> int | None:
    value = override(context, b"x-llm-router-max-tier")
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:5]) <= 9999:
        raise overrides.wrong(
            b"x-llm-router-max-tier", "must be a tier's number, such as 2"
        )
    return int(value)


def lower(one: int | None, other: int | None) -> int | None:
    """The stricter of two ceilings, either of which may be absent."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def tags(context: Context) -> tuple[str, ...]:
    """Free labels a client puts on a request, comma-separated."""
    value = context.header(b"x-llm-router-tags")
    if not value:
        return ()
    found = tuple(tag.strip() for tag in value.split(",") if tag.strip())
    if len(found) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARS for tag in found):
        raise overrides.wrong(
            b"x-llm-router-tags",
            f"takes {MAX_TAGS} tags of {MAX_TAG_CHARS} characters",
        )
    return found
