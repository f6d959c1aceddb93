"""Anthropic's stream of events as OpenAI's chunks."""

from gateway.dialects.anthropic_response import THOUGHTS, finish_reason
from gateway.dialects.anthropic_usage import to_usage, update_usage
from gateway.dialects.messages_builder import Block
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage


class StreamTranslator:
    """Translates one stream, event by event, as if usage had been asked for.

    `created` is a time in seconds, which Anthropic's messages don't tell.
    """

    def __init__(self, created: int = 0) -> None:
        self._created = created
        self._head: Json = {}
        self._usage: Json = {}
        self._calls: dict[int, int] = {}  # a block's index: its place among the calls
        self._silent: set[int] = set()  # tool blocks whose input has not begun
        self._thoughts: dict[int, Block] = {}  # as they add up, by their index

    def feed(self, event: Json) -> list[Json]:
        """The chunks that say the same. Raises BadUpstreamResponse."""
        try:
            return self._translate(event)
        except (AttributeError, KeyError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error

    def finish(self, usage: Usage) -> list[Json]:
        """Nothing: a message's own end tells its usage."""
        return []

    def _translate(self, event: Json) -> list[Json]:
        match event.get("type"):
            case "message_start":
                return self._start(event["message"])
            case "content_block_start":
                return self._open_block(event["index"], event["content_block"])
            case "content_block_delta":
                return self._continue_block(event["index"], event["delta"])
            case "content_block_stop":
                return self._close_block(event["index"])
            case "message_delta":
                return self._finish(event)
            case "message_stop":
                return self._stop()
            case _:  # pings, and kinds of events that are new to us
                return []

    def _start(self, message: Json) -> list[Json]:
        self._head = {
            "id": message["id"],
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": message["model"],
        }
        update_usage(self._usage, message.get("usage"))
        return [self._delta({"role": "assistant", "content": ""})]

    def _open_block(self, index: int, block: Json) -> list[Json]:
        if block["type"] in THOUGHTS:
            self._thoughts[index] = Block(block)
        if block["type"] != "tool_use":
            return []
        place = self._calls[index] = len(self._calls)
        self._silent.add(index)
        function = {"name": block["name"], "arguments": ""}
        opening = {"id": block["id"], "type": "function", "function": function}
        return [self._delta({"tool_calls": [{"index": place, **opening}]})]

    def _continue_block(self, index: int, delta: Json) -> list[Json]:
        if index in self._thoughts:
            self._thoughts[index].add(delta)
        match delta["type"]:
            case "text_delta":
                return [self._delta({"content": delta["text"]})]
            case "thinking_delta":
                return [self._delta({"reasoning_content": delta["thinking"]})]
            case "input_json_delta" if index in self._calls and delta["partial_json"]:
                self._silent.discard(index)
                return [self._arguments(index, delta["partial_json"])]
            case _:  # signatures, citations, input of Anthropic's own tools
                return []

    def _close_block(self, index: int) -> list[Json]:
        if thought := self._thoughts.pop(index, None):
            # Whole, with its signature, and with the index that pieces of lists have.
            block = {"index": index, **thought.whole()}
            return [self._delta({"thinking_blocks": [block]})]
        if index not in self._silent:
            return []
        self._silent.discard(index)
        return [self._arguments(index, "{}")]  # arguments are JSON, even when none

    def _finish(self, event: Json) -> list[Json]:
        update_usage(self._usage, event.get("usage"))
        stop_reason = event["delta"].get("stop_reason")
        if stop_reason is None:
            return []
        reason = finish_reason(stop_reason, calls_tools=bool(self._calls))
        explanation = (event["delta"].get("stop_details") or {}).get("explanation")
        delta = {"refusal": explanation} if explanation else {}
        return [self._delta(delta, reason)]

    def _stop(self) -> list[Json]:
        usage = to_usage(self._usage)
        return [self._chunk([], usage)] if usage else []

    def _arguments(self, index: int, piece: str) -> Json:
        call = {"index": self._calls[index], "function": {"arguments": piece}}
        return self._delta({"tool_calls": [call]})

    def _delta(self, delta: Json, reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._chunk([choice])

    def _chunk(self, choices: list[Json], usage: Json | None = None) -> Json:
        if not self._head:
            raise KeyError("message_start comes first")
        return {**self._head, "choices": choices, "usage": usage}
