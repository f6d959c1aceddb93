"""Answers of the Responses API itself: what says the same in a chat, for the books."""

from typing import Any

from gateway.dialects.openai_builder import size_of
from gateway.dialects.usage import count, usage_of
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

NOTHING_YET = frozenset({"response.created", "response.in_progress", "response.queued"})
ENDS = frozenset({"response.completed", "response.incomplete"})


def to_completion(response: Json) -> Json:
    """Texts, calls and usage of a response; other items count as calls of tools."""
    try:
        texts, calls = [], []
        for item in response["output"]:
            if item["type"] == "message":
                texts += [part.get("text") or "" for part in item["content"]]
            elif item["type"] != "reasoning":
                arguments = str(item.get("arguments") or "")
                function = {"name": item["type"], "arguments": arguments}
                calls.append({"type": "function", "function": function})
    except (AttributeError, KeyError, TypeError) as error:
        raise BadUpstreamResponse("The provider's response is malformed.") from error
    message: Json = {"role": "assistant", "content": "".join(texts)}
    if calls:
        message["tool_calls"] = calls
    finish = "stop" if response.get("status") == "completed" else "length"
    choice = {"index": 0, "message": message, "finish_reason": finish}
    completion: Json = {"choices": [choice]}
    if usage := to_usage(response.get("usage")):
        completion["usage"] = usage
    return completion


def to_usage(usage: Any) -> Json | None:
    """A response's usage in the words of chats."""
    prompt, completion = count(usage, "input_tokens"), count(usage, "output_tokens")
    if prompt is None or completion is None:
        return None
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": usage.get("input_tokens_details"),
        "completion_tokens_details": usage.get("output_tokens_details"),
    }


class ResponseBuilder:
    """The last event of a stream holds the whole response; until then, its texts."""

    def __init__(self, max_bytes: int) -> None:
        self.overflowed = False
        self._room = max_bytes
        self._response: Json = {}
        self._texts: list[str] = []

    @property
    def usage(self) -> Usage | None:
        return usage_of({"usage": to_usage(self._response.get("usage"))})

    @property
    def complete(self) -> bool:
        return bool(self._response)

    def add(self, event: Json) -> None:
        """Raises BadUpstreamResponse when this is no event of a response."""
        kind = event.get("type")
        if not isinstance(kind, str):
            raise BadUpstreamResponse("The provider's stream is malformed.")
        if kind in ENDS:
            response = event.get("response")
            if not isinstance(response, dict):
                raise BadUpstreamResponse("The provider's stream is malformed.")
            self._response = response
        elif kind.endswith(".delta") and isinstance(event.get("delta"), str):
            self._room -= size_of(event["delta"])
            self.overflowed = self._room < 0
            if not self.overflowed:
                self._texts.append(event["delta"])

    def answer(self) -> Json:
        return self._response

    def completion(self) -> Json:
        if self._response:
            return to_completion(self._response)
        message = {"role": "assistant", "content": "".join(self._texts)}
        return {"choices": [{"index": 0, "message": message, "finish_reason": None}]}


def says_nothing(event: Json) -> bool:
    """Is this only the announcement of an answer, with nothing of it yet?"""
    return event.get("type") in NOTHING_YET
