"""One prompt with one model, by the saved rules or by others: as a request of the
person who tries it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from asgiref.sync import sync_to_async
from django.http import HttpRequest

from gateway.admin.playground_form import PlaygroundForm, Side
from gateway.admin.playground_rules import MAY_TRY, WrongRules, read_rules
from gateway.api.chat_request import read_chat
from gateway.asgi.context import Context
from gateway.ledger.books import TRIAL, Caller, RequestRecord
from gateway.request_ids import new_request_id
from gateway.runtime.runtime import Runtime
from routing.chat import Json


@dataclass(frozen=True, slots=True)
class Trial:
    """`difference` is that of its rules to the saved ones; None: it has no others."""

    side: Side
    body: Json
    url: str
    caller: Caller
    runtime: Runtime
    dry: bool
    difference: list[str] | None = field(default=None)

    @asynccontextmanager
    async def request(self, stream: bool = False) -> AsyncIterator[RequestRecord]:
        """Its record, while it counts among the requests under way. Raises
        GatewayError."""
        body = orjson.dumps(self.body | {"stream": True} if stream else self.body)
        headers = {b"x-llm-router-tags": b"playground"}
        if self.dry:
            headers[b"x-llm-router-dry-run"] = b"1"
        request_id = new_request_id()
        context = Context(self.runtime, request_id, "openai", headers, self.caller)
        with self.runtime.admission.admit(self.caller, len(body)):
            chat = await read_chat(body, context)
            record = self.runtime.books.open_request(chat, self.caller)
            if self.difference is not None:
                # Neither savings nor learning nor a preview are to go by it.
                record.endpoint = f"{TRIAL}rules"
                changed = "; ".join(self.difference) or "the same as the saved ones"
                record.decide("rules", f"Tried by other rules: {changed}.")
            yield record


async def trials_of(
    form: PlaygroundForm, request: HttpRequest, runtime: Runtime, dry: bool
) -> list[Trial]:
    """What the form asks for; none, with the reasons in the form, when it can't be."""
    if not form.is_valid():
        return []
    user = await request.auser()
    caller = Caller(scope=f"user:{user.pk}", key_name=f"playground {user}"[:100])
    url = request.build_absolute_uri("/v1")
    found = []
    for side in form.sides:
        there, difference = runtime, None
        if side.rules:
            try:
                if not await sync_to_async(user.has_perms)(MAY_TRY):
                    raise WrongRules("You may not change rules, nor try others.")
                other = await sync_to_async(read_rules)(side.rules)
            except WrongRules as wrong:
                form.add_error("rules", list(wrong.args))
                return []
            # A dry run also tells what the cache would say by them.
            there = runtime.under(other.snapshot if dry else other.apart())
            difference = other.difference
        body = form.body(side.model)
        found.append(Trial(side, body, url, caller, there, dry, difference))
    return found
