"""Try a prompt: what would happen, what it would cost, and what comes back.

Requests go the way of every client's: through cache, router, books. They have a scope
of their own for each person, so nothing is shared with a tenant, and they cost money:
only who may run the gateway sends any.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from gateway import pipeline
from gateway.admin.playground_form import PlaygroundForm, curl, python
from gateway.api.chat_request import read_chat
from gateway.api.streams import stream_events
from gateway.asgi.context import RUNTIME, Context
from gateway.errors import GatewayError
from gateway.ledger.books import Caller, RequestRecord
from gateway.runtime.runtime import Runtime
from routing.chat import Json
from routing.models import Backend, Tier
from routing.money_format import dollars

MAY_SEND = "gateway.add_requestlog"


@dataclass(slots=True)
class Result:
    """What became of the prompt with one model."""

    model: str
    dry: Json | None = None
    text: str = ""
    error: str = ""
    request_id: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    curl: str = ""
    python: str = ""


async def playground(request: HttpRequest) -> HttpResponseBase:
    """The form; a POST shows the dry run or, without JavaScript, the answers."""
    if (refused := await refusal(request)) is not None:
        return refused
    results: list[Result] = []
    form = PlaygroundForm(request.POST or None)
    runtime = runtime_of(request)
    if runtime and request.method == "POST" and form.is_valid():
        dry = "send" not in request.POST
        url = request.build_absolute_uri("/v1")
        asked = [ask(form, model, request, runtime, dry) for model in form.models]
        results = list(await asyncio.gather(*asked))
        for result in results:
            body = form.body(result.model)
            result.curl, result.python = curl(url, body), python(url, body)
    show = sync_to_async(page)  # in the thread of all admin pages
    return await show(request, form, results, runtime is not None)


async def playground_stream(request: HttpRequest) -> HttpResponseBase:
    """A POST of the same form with `which` (0 or 1): that model's answer as it comes,
    in the events of `/v1/chat/completions`."""
    if (refused := await refusal(request)) is not None:
        return refused
    form, runtime = PlaygroundForm(request.POST or None), runtime_of(request)
    which = request.POST.get("which", "")
    if runtime is None or request.method != "POST" or not form.is_valid():
        return JsonResponse({"error": "Fill in the form first."}, status=400)
    if which not in ("0", "1") or int(which) >= len(form.models):
        return JsonResponse({"error": "There is no such model."}, status=400)
    body = form.body(form.models[int(which)]) | {"stream": True}
    events = stream(orjson.dumps(body), request, runtime)
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response["cache-control"], response["x-accel-buffering"] = "no-cache", "no"
    return response


async def refusal(request: HttpRequest) -> HttpResponse | None:
    """For who is not logged in, or may not spend the gateway's money."""
    user = await request.auser()
    if not (user.is_active and getattr(user, "is_staff", False)):
        return redirect_to_login(request.get_full_path(), "admin:login")
    if not await sync_to_async(user.has_perm)(MAY_SEND):
        return HttpResponse("You may not send requests.", status=403)
    return None


def runtime_of(request: HttpRequest) -> Runtime | None:
    found: Runtime | None = getattr(request, "scope", {}).get(RUNTIME)
    return found


async def context_of(request: HttpRequest, runtime: Runtime, dry: bool) -> Context:
    user = await request.auser()
    caller = Caller(scope=f"user:{user.pk}", key_name=f"playground {user}"[:100])
    headers = {b"x-llm-router-tags": b"playground"}
    if dry:
        headers[b"x-llm-router-dry-run"] = b"1"
    request_id = f"req_{secrets.token_hex(12)}"
    return Context(runtime, request_id, "openai", headers, caller)


async def ask(
    form: PlaygroundForm, model: str, request: HttpRequest, runtime: Runtime, dry: bool
) -> Result:
    """A dry run, or a whole answer. Errors become a part of the result."""
    body, result = orjson.dumps(form.body(model)), Result(model)
    context = await context_of(request, runtime, dry)
    try:
        with runtime.admission.admit(context.caller, len(body)):
            chat = await read_chat(body, context)
            record = runtime.books.open_request(chat, context.caller)
            answer = orjson.loads((await pipeline.answer(record, runtime)).body)
    except GatewayError as error:
        result.error = error.message
        return result
    if dry:
        result.dry = answer
        return result
    result.request_id = context.request_id
    result.text = text_of(answer)
    result.facts = facts_of(record)
    return result


async def stream(
    body: bytes, request: HttpRequest, runtime: Runtime
) -> AsyncIterator[bytes]:
    context = await context_of(request, runtime, dry=False)
    try:
        with runtime.admission.admit(context.caller, len(body)):
            chat = await read_chat(body, context)
            record = runtime.books.open_request(chat, context.caller)
            answer = await pipeline.answer(record, runtime)
            assert answer.chunks is not None  # noqa: S101 - it was asked to stream
            try:
                async for event in stream_events(answer.chunks, include_usage=True):
                    yield event
            finally:
                answer.close()
                record.abandon()
            facts = {"request_id": context.request_id, "facts": facts_of(record)}
            yield b"data: " + orjson.dumps({"llm_router": facts}) + b"\n\n"
    except GatewayError as error:
        yield b"data: " + orjson.dumps({"error": {"message": error.message}}) + b"\n\n"


def text_of(answer: Json) -> str:
    message = answer["choices"][0]["message"]
    calls = message.get("tool_calls")
    called = orjson.dumps(calls, option=orjson.OPT_INDENT_2).decode() if calls else ""
    return "\n".join(part for part in (message.get("content"), called) if part)


def facts_of(record: RequestRecord) -> list[tuple[str, str]]:
    usage = record.usage
    return [
        ("Backend", record.backend or "-"),
        ("Tier", str(record.tier or "-")),
        ("Score", "-" if record.score is None else str(record.score)),
        ("Cache", f"{record.cache} {record.cache_level}".strip()),
        ("Tokens", f"{usage.prompt:,} in, {usage.completion:,} out"),
        ("Cost", dollars(record.cost_nano)),
        ("Saved", dollars(record.saved_nano)),
        ("Took", f"{(record.books.clock() - record.started) * 1000:,.0f} ms"),
    ]


def page(
    request: HttpRequest, form: PlaygroundForm, results: list[Result], serves: bool
) -> HttpResponse:
    names = ["auto", *(f"tier-{tier.rank}" for tier in Tier.objects.all())]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Playground",
        "form": form,
        "results": results,
        "serves": serves,
        "models": [*names, *Backend.objects.values_list("name", flat=True)],
    }
    return TemplateResponse(request, "admin/playground.html", context).render()
