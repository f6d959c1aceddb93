"""Try a prompt: what would happen, what it would cost, and what comes back.

Requests go the way of every client's: through cache, router, books. They have a scope
of their own for each person, so nothing is shared with a tenant, and they cost money:
only who may run the gateway sends any.
"""

import asyncio
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
from gateway.admin.cache_facts import Near, neighbours
from gateway.admin.playground_form import PlaygroundForm
from gateway.admin.playground_snippets import snippets
from gateway.admin.playground_trial import Trial, trials_of
from gateway.api.streams import stream_events
from gateway.asgi.context import runtime_of
from gateway.errors import GatewayError
from gateway.ledger.books import RequestRecord
from routing.chat import Json
from routing.models import Backend, Tier
from routing.money_format import dollars

MAY_SEND = "gateway.add_requestlog"


@dataclass(slots=True)
class Result:
    """What became of the prompt in one trial."""

    trial: Trial
    dry: Json | None = None
    near: list[Near] = field(default_factory=list)
    indexed: bool = False  # else nothing is known of what is near
    text: str = ""
    error: str = ""
    request_id: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    snippets: list[tuple[str, str]] = field(default_factory=list)


async def playground(request: HttpRequest) -> HttpResponseBase:
    """The form; a POST shows the dry run or, without JavaScript, the answers."""
    if (refused := await refusal(request)) is not None:
        return refused
    form = PlaygroundForm(request.POST or None)
    runtime, results = runtime_of(request), list[Result]()
    if runtime and request.method == "POST":
        dry = "send" not in request.POST
        trials = await trials_of(form, request, runtime, dry)
        results = list(await asyncio.gather(*map(ask, trials)))
    show = sync_to_async(page)  # in the thread of all admin pages
    return await show(request, form, results, runtime is not None)


async def playground_stream(request: HttpRequest) -> HttpResponseBase:
    """A POST of the same form with `which` (0 or 1): that trial's answer as it comes,
    in the events of `/v1/chat/completions`."""
    if (refused := await refusal(request)) is not None:
        return refused
    form, runtime = PlaygroundForm(request.POST or None), runtime_of(request)
    if runtime is None or request.method != "POST":
        return JsonResponse({"error": "Nothing can be tried here."}, status=400)
    trials = await trials_of(form, request, runtime, dry=False)
    if not trials:
        return JsonResponse({"error": problems(form)}, status=400)
    which = request.POST.get("which", "")
    if which not in ("0", "1") or int(which) >= len(trials):
        return JsonResponse({"error": "There is no such model."}, status=400)
    events = stream(trials[int(which)])
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


def problems(form: PlaygroundForm) -> str:
    """What is wrong with the form, for who sees no marks at its fields."""
    told = (
        f"{form.fields[name].label or name.capitalize()}: {' '.join(map(str, texts))}"
        for name, texts in form.errors.items()
    )
    return " ".join(told) or "Fill in the form first."


async def ask(trial: Trial) -> Result:
    """A dry run, or a whole answer. Errors become a part of the result."""
    result = Result(trial, snippets=snippets(trial.url, trial.body))
    try:
        async with trial.request() as record:
            answer = await pipeline.answer(record, trial.runtime)
    except GatewayError as error:
        result.error = error.message
        return result
    told = orjson.loads(answer.body)
    if record.chat.dry_run:
        result.dry = told
        result.near = list(neighbours(trial.runtime, record.chat))
        policy = trial.runtime.snapshot.catalog.policy
        result.indexed = policy.cache_learn_aliases
        return result
    result.request_id = record.chat.request_id
    result.text, result.facts = text_of(told), facts_of(record)
    return result


async def stream(trial: Trial) -> AsyncIterator[bytes]:
    try:
        async with trial.request(stream=True) as record:
            answer = await pipeline.answer(record, trial.runtime)
            assert answer.chunks is not None  # noqa: S101 - it was asked to stream
            try:
                async for event in stream_events(answer.chunks, record.chat):
                    yield event
            finally:
                answer.close()
                record.abandon()
            facts = {"request_id": record.chat.request_id, "facts": facts_of(record)}
            facts["snippets"] = snippets(trial.url, trial.body)
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
