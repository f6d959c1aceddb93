"""From a call and its scripts to the steps that answer it."""

from collections.abc import Iterator

from tests.faultllm.call import Call
from tests.faultllm.dialect import Event
from tests.faultllm.scripts import Plan
from tests.faultllm.steps import Steps
from tests.faultllm.wire import Chunk, Response, send_response


def respond(call: Call, plan: Plan) -> tuple[int, Steps]:
    """An answer, as events, as a response, as steps; scripts act on each in turn."""
    response = response_of(events_of(call, plan), call)
    steps = spoil(response, plan, call)
    return response.status, steps


def events_of(call: Call, plan: Plan) -> Iterator[Event]:
    for script, argument in plan:
        if script.answer:
            script.answer(call.answer, argument, call)
    if max_tokens := max_tokens_of(call):
        call.answer.limit(max_tokens)
    events = spoken(call)
    for script, argument in plan:
        if script.events:
            events = script.events(events, argument, call)
    return events


def max_tokens_of(call: Call) -> int:
    body = call.request.body
    return body.get("max_completion_tokens") or body.get("max_tokens") or 0


def spoken(call: Call) -> Iterator[Event]:
    if call.request.stream:
        return call.dialect.stream(call.answer)
    return iter([call.dialect.whole(call.answer)])


def response_of(events: Iterator[Event], call: Call) -> Response:
    headers = call.dialect.headers(call.answer.serial)
    if call.request.stream:
        headers["content-type"] = "text/event-stream; charset=utf-8"
        chunks = (Chunk(event.sse(), event.tokens) for event in events)
        return Response(200, headers, chunks, "chunked")
    headers["content-type"] = "application/json"
    return Response(
        200, headers, (Chunk(event.body(), event.tokens) for event in events)
    )


def spoil(response: Response, plan: Plan, call: Call) -> Steps:
    """Let scripts act on a response, and turn it into steps."""
    for script, argument in plan:
        if script.response:
            script.response(response, argument, call)
    steps = send_response(response)
    for script, argument in plan:
        if script.steps:
            steps = script.steps(steps, argument, call)
    return steps
