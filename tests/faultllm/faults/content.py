"""Scripts that change what is said: `(answer, argument, call)` in place, or events."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from tests.faultllm.answer import Answer, last_user_text, weather_in
from tests.faultllm.call import Call
from tests.faultllm.dialect import Event
from tests.faultllm.wire import Json

Events = Iterator[Event]


def words(answer: Answer, count: int, call: Call) -> None:
    answer.words = [f"word{number}" for number in range(1, count + 1)]
    answer.pieces = count


def say(answer: Answer, text: str, call: Call) -> None:
    answer.words = text.split(" ")


def gullible(answer: Answer, _: str, call: Call) -> None:
    """A judge that does what the material says."""
    orders = r"\b(reply|say|answer|output)\b.{0,40}\byes\b"
    told = re.search(orders, last_user_text(call.request.body), re.I | re.S)
    answer.words = ["YES" if told else "NO"]


def logprobs(events: Events, value: float, call: Call) -> Events:
    """OpenAI only: each piece is one token of this log probability, when asked for."""
    for event in events:
        asked = call.request.body.get("logprobs")
        if asked and not isinstance(event.data, str):
            for choice in event.data.get("choices") or ():
                token = {"token": "x", "logprob": value}
                choice["logprobs"] = {"content": [token]}
        yield event


def unicode_text(answer: Answer, _: str, call: Call) -> None:
    answer.words += ["é", "漢字", "🙂"]


def echo(answer: Answer, _: str, call: Call) -> None:
    """Headers as received (credentials as digests) and the body, as JSON text.

    All of it is one word, so that no max_tokens truncates it."""
    headers = call.request.headers | call.digests
    received = {"headers": headers, "body": call.request.body}
    answer.words = [json.dumps(received)]


def model(answer: Answer, name: str, call: Call) -> None:
    answer.model = name or "some-other-model"


def finish(answer: Answer, reason: str, call: Call) -> None:
    answer.finish = reason


def length(answer: Answer, _: str, call: Call) -> None:
    answer.limit(answer.completion_tokens // 2)


def refusal(answer: Answer, _: str, call: Call) -> None:
    answer.words = ["I", "can't", "help", "with", "that."]
    answer.refused = True


def content_filter(answer: Answer, _: str, call: Call) -> None:
    length(answer, _, call)
    answer.finish = "content_filter"


def reasoning(answer: Answer, _: str, call: Call) -> None:
    answer.reasoning = ["Let", "me", "think."]


def tool_call(answer: Answer, _: str, call: Call) -> None:
    answer.words = []
    answer.tool_calls = [weather_in("Paris", call.request.body)]
    answer.finish = "tool_calls"


def two_tool_calls(answer: Answer, _: str, call: Call) -> None:
    tool_call(answer, _, call)
    answer.tool_calls.append(weather_in("Oslo", call.request.body))


def interleave_tool_calls(events: Events, _: str, call: Call) -> Events:
    """OpenAI streams only: the second call opens first, then fragments alternate."""
    waiting: dict[int, list[Event]] = {}
    for event in events:
        at = tool_call_index(event.data)
        if at is not None:
            waiting.setdefault(at, []).append(event)
            continue
        rows = [waiting[at] for at in sorted(waiting, reverse=True)]
        for pieces in zip(*rows, strict=True):
            yield from pieces
        waiting.clear()
        yield event


def tool_call_index(data: Json | str) -> int | None:
    if isinstance(data, str) or not data.get("choices"):
        return None
    calls = data["choices"][0].get("delta", {}).get("tool_calls")
    return calls[0]["index"] if calls else None


def extra_fields(events: Events, _: str, call: Call) -> Events:
    """A vendor's own fields, in places where no schema has any."""
    for event in events:
        if isinstance(event.data, str):
            yield event
            continue
        extra = {"x_vendor": {"kept": True, "text": "déjà vu"}}
        choices = [
            {**choice, "x_logits": [0.5]} for choice in event.data.get("choices", [])
        ]
        more = {"choices": choices} if choices else {}
        yield replace(event, data={**event.data, **more, **extra})


def error_event_at(events: Events, position: int, call: Call) -> Events:
    """Break off after so many events. A whole answer is the bare error, with 200."""
    if call.request.stream:
        for _, event in zip(range(position), events, strict=False):
            yield event
    yield call.dialect.error_event()


def end_after(events: Events, count: int, call: Call) -> Events:
    for _, event in zip(range(count), events, strict=False):
        yield event


def without_last(events: Events, _: str, call: Call) -> Events:
    return (event for event in events if not event.is_last)
