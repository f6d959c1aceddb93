"""Scripts that misreport usage; what is billed stays what it was."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.faultllm import openai_dialect
from tests.faultllm.call import Call
from tests.faultllm.dialect import Event
from tests.faultllm.wire import Json

Events = Iterator[Event]
ABSURD = 10**15


def holders(data: Json | str) -> list[Json]:
    """The objects that carry usage: an event, and the message or response in it."""
    if isinstance(data, str):
        return []
    return [
        holder
        for holder in (data, data.get("message"), data.get("response"))
        if isinstance(holder, dict) and holder.get("usage")
    ]


def edit_usage(events: Events, edit: Callable[[Json], None]) -> Events:
    for event in events:
        data = copy.deepcopy(event.data)
        for holder in holders(data):
            edit(holder)
        yield replace(event, data=data)


def usage_missing(events: Events, _: str, call: Call) -> Events:
    """Nowhere, as from servers that don't know include_usage."""
    return (replace(event, data=without_usage(event.data)) for event in events)


def without_usage(data: Json | str) -> Json | str:
    if isinstance(data, str):
        return data
    kept = {name: value for name, value in data.items() if name != "usage"}
    for name in kept.keys() & {"message", "response"}:
        kept[name] = without_usage(kept[name])
    return kept


def usage_null(events: Events, _: str, call: Call) -> Events:
    return edit_usage(events, lambda holder: holder.update(usage=None))


def usage_is(number: int) -> Callable[[Events, str, Call], Events]:
    def script(events: Events, _: str, call: Call) -> Events:
        return edit_usage(
            events, lambda holder: holder.update(usage=every(holder["usage"], number))
        )

    return script


def every(usage: Json, number: int) -> Json:
    """The same usage with every count replaced."""
    return {
        name: every(value, number)
        if isinstance(value, dict)
        else (number if isinstance(value, int) else value)
        for name, value in usage.items()
    }


def usage_twice(events: Events, _: str, call: Call) -> Events:
    """A smaller, cumulative usage comes before the real one: the last one counts."""
    for event in events:
        if call.request.stream and isinstance(event.data, dict):
            usage = event.data.get("usage")
            if usage:
                yield replace(event, data=event.data | {"usage": every(usage, 1)})
        yield event


def usage_on_content(events: Events, _: str, call: Call) -> Events:
    """OpenAI streams only: with the finish reason, asked for or not, and no chunk
    of its own."""
    for event in events:
        if isinstance(event.data, str) or "choices" not in event.data:
            yield event
        elif not event.data["choices"]:
            continue
        elif call.request.stream and event.data["choices"][0]["finish_reason"]:
            usage = openai_dialect.usage(call.answer)
            yield replace(event, data=event.data | {"usage": usage})
        else:
            yield event
