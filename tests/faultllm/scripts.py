"""Every way this upstream can behave, by name.

A model named `fault/NAME`, `fault/NAME-ARGUMENT` or `fault/NAME=ARGUMENT` chooses one;
`+` joins several (`fault/crlf+stall-after-3`). Durations are `200ms` or `1.5s`.

To add one: write a small function in `faults/` and give it a row below. A row may have
any of four functions, called in this order, each `(thing, argument, call)`:

    answer    changes what is said, in place
    events    events in, events out (one event is one whole answer, or one of a stream)
    response  changes status, headers and body chunks, in place
    steps     steps in, steps out: when and how the bytes travel

Joined scripts apply from left to right within each of the four.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.faultllm.answer import Answer
from tests.faultllm.call import Call
from tests.faultllm.dialect import Event
from tests.faultllm.faults import content, delivery, framing, replies, usage
from tests.faultllm.steps import Steps
from tests.faultllm.wire import Response

PREFIX = "fault/"


class UnknownScript(Exception):
    pass


def nothing(argument: str) -> str:
    if argument:
        raise ValueError("It takes no argument.")
    return argument


def seconds(argument: str) -> float:
    if argument.endswith("ms"):
        return float(argument[:-2]) / 1000
    if argument.endswith("s"):
        return float(argument[:-1])
    raise ValueError("A duration is written 200ms or 1.5s.")


# Any: the second parameter is whatever the row's own `argument` returns.
@dataclass(frozen=True, slots=True)
class Script:
    about: str
    argument: Callable[[str], Any] = nothing
    answer: Callable[[Answer, Any, Call], None] | None = None
    events: Callable[[Iterator[Event], Any, Call], Iterator[Event]] | None = None
    response: Callable[[Response, Any, Call], None] | None = None
    steps: Callable[[Steps, Any, Call], Steps] | None = None


# fmt: off
SCRIPTS: dict[str, Script] = {
    "ok": Script("answers as it should"),

    # What is said
    "words": Script("N words, each its own chunk", int, answer=content.words),
    "say": Script("says that text", str, answer=content.say),
    "gullible": Script("says YES if the prompt tells it to", answer=content.gullible),
    "logprobs": Script(
        "gives tokens that log probability", float, events=content.logprobs),
    "echo": Script("says what it received, as JSON", answer=content.echo),
    "unicode": Script("says é, 漢字 and 🙂 too", answer=content.unicode_text),
    "reasoning": Script("thinks before it speaks", answer=content.reasoning),
    "tool-call": Script("calls the first tool offered", answer=content.tool_call),
    "two-tool-calls": Script("calls it twice", answer=content.two_tool_calls),
    "tool-calls-out-of-order": Script(
        "two calls, the second first, fragments interleaved",
        answer=content.two_tool_calls, events=content.interleave_tool_calls),
    "length": Script("is truncated by the length limit", answer=content.length),
    "refusal": Script("refuses", answer=content.refusal),
    "content-filter": Script("is cut by a filter", answer=content.content_filter),
    "finish": Script("ends with that finish reason", str, answer=content.finish),
    "wrong-model": Script("says that model answered", str, answer=content.model),
    "extra-fields": Script("has fields of its own", events=content.extra_fields),

    # What it claims to have used
    "usage-missing": Script("never mentions usage", events=usage.usage_missing),
    "usage-null": Script("says usage: null", events=usage.usage_null),
    "usage-zero": Script("says that all was 0", events=usage.usage_is(0)),
    "usage-negative": Script("says that all was -5", events=usage.usage_is(-5)),
    "usage-absurd": Script("says 10**15", events=usage.usage_is(usage.ABSURD)),
    "usage-twice": Script("says a 1 first, then the truth", events=usage.usage_twice),
    "usage-on-content": Script(
        "puts it on a chunk with choices", events=usage.usage_on_content),

    # Refusals and errors
    "status": Script("the dialect's error, status N", int, response=replies.status),
    "overloaded-529": Script("Anthropic's 529", response=replies.overloaded),
    "context-length-400": Script("prompt too long", response=replies.context_length),
    "model-missing": Script(
        "does not have the model", response=replies.model_missing),
    "no-sampling": Script(
        "refuses temperature, top_p and top_k", response=replies.no_sampling),
    "flaky": Script("500 for N % of requests", int, response=replies.flaky),
    "retry-after": Script(
        "that header; a 429 if nothing else", str, response=replies.retry_after),
    "retry-after-ms": Script(
        "that header; a 429 if nothing else", str, response=replies.retry_after_ms),
    "header": Script("a header, NAME:VALUE", str, response=replies.header),
    "redirect": Script("302=URL: sends you there", str, response=replies.redirect),
    "error-event-at": Script(
        "breaks off with an error event after N", int, events=content.error_event_at),

    # Bodies that are none
    "html-200": Script("a web page", response=replies.html),
    "empty-200": Script("nothing", response=replies.empty),
    "half-json": Script("half of the JSON", response=replies.half_json),
    "wrong-content-type": Script(
        "right body, that type", str, response=replies.content_type),
    "bad-gzip": Script("says gzip, is not", response=replies.bad_gzip),
    "huge": Script(
        "N MB of text", int, answer=replies.filler, response=replies.huge),
    "endless": Script(
        "never stops talking", answer=replies.filler, response=replies.endless),
    "long-line": Script(
        "one event of N MB", int, answer=replies.filler, response=replies.long_line),

    # Server-sent events in other clothes
    "crlf": Script("lines end with CRLF", response=framing.crlf),
    "cr": Script("lines end with CR", response=framing.cr),
    "mixed": Script("each of them in turn", response=framing.mixed),
    "nospace": Script("no space after the colon", response=framing.no_space),
    "comments": Script("comments between events", response=framing.comments),
    "ids": Script("id: and retry: lines", response=framing.ids),
    "bom": Script("a byte order mark first", response=framing.bom),
    "multi-line": Script("data over several lines", response=framing.multi_line),
    "no-blank-line": Script("events not separated", response=framing.no_blank_line),
    "one-byte": Script("one byte per write", steps=delivery.one_byte),
    "split-utf8": Script(
        "writes end inside characters",
        answer=content.unicode_text, steps=delivery.split_utf8),

    # When it answers, and whether it finishes
    "delay": Script("waits first", seconds, steps=delivery.delay),
    "trickle": Script("waits before each chunk", seconds, steps=delivery.trickle),
    "hold": Script("waits for release() first", steps=delivery.hold),
    "hold-after": Script(
        "N chunks, waits for release(), goes on", int, steps=delivery.hold_after),
    "stall-before-headers": Script(
        "works, is paid, says nothing", steps=delivery.stall_before_headers),
    "stall-after": Script("N chunks, then silence", int, steps=delivery.stall_after),
    "rst-after": Script("N chunks, then a RST", int, steps=delivery.rst_after),
    "cut-at-byte": Script(
        "closes after byte N of the response", int, steps=delivery.cut_at_byte),
    "end-after": Script(
        "N events, then a well-formed end of the body", int, events=content.end_after),
    "fin-without-done": Script(
        "all but [DONE] or message_stop, then a FIN",
        events=content.without_last, response=replies.fin),
    "close-delimited": Script(
        "complete, and a FIN ends the body", response=replies.close_delimited),
    "close-on-reuse": Script(
        "closes when a connection is used again", steps=delivery.close_on_reuse),
}
# fmt: on

Plan = tuple[tuple[Script, Any], ...]

LONGEST_FIRST = sorted(SCRIPTS, key=len, reverse=True)


@lru_cache(maxsize=1024)
def parse(text: str) -> Plan:
    return tuple(parse_one(part) for part in text.split("+"))


def parse_one(text: str) -> tuple[Script, Any]:
    for name in LONGEST_FIRST:
        if text == name or text.startswith((f"{name}-", f"{name}=")):
            script = SCRIPTS[name]
            try:
                return script, script.argument(text[len(name) + 1 :])
            except ValueError as error:
                raise UnknownScript(f"faultllm can't do {text!r}: {error}") from error
    raise UnknownScript(f"faultllm knows no script {text!r}.")
