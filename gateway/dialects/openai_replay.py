"""A whole completion as the stream it could have been."""

from collections.abc import Iterator

from routing.chat import Json

PIECE_CHARS = 64
MOST_PIECES = 100


def completion_to_chunks(completion: Json, include_usage: bool) -> Iterator[Json]:
    """Chunks of a completion: role, pieces of the answer, finish, usage if asked."""
    head = {k: v for k, v in completion.items() if k not in ("choices", "usage")}
    head["object"] = "chat.completion.chunk"
    no_usage = {"usage": None} if include_usage else {}
    for index, choice in enumerate(completion["choices"]):
        piece = {"index": index, "delta": {}, "logprobs": None, "finish_reason": None}
        for delta in deltas_of(choice["message"]):
            yield head | {"choices": [piece | {"delta": delta}]} | no_usage
        piece["logprobs"] = choice.get("logprobs")
        piece["finish_reason"] = choice["finish_reason"]
        yield head | {"choices": [piece]} | no_usage
    if include_usage and completion.get("usage"):
        yield head | {"choices": [], "usage": completion["usage"]}


def deltas_of(message: Json) -> Iterator[Json]:
    """The role with whatever isn't text, then text by text, then calls of tools."""
    texts, others = {}, {}
    for field, value in message.items():
        if isinstance(value, str):
            texts[field] = value
        elif value is not None and field != "tool_calls":
            others[field] = value
    texts.pop("role", None)
    content = texts.pop("content", None)
    start = {"role": "assistant", "content": None if content is None else ""}
    yield start | others
    for field, text in texts.items():  # reasoning, before the answer it led to
        yield from ({field: piece} for piece in pieces(text))
    yield from ({"content": piece} for piece in pieces(content or ""))
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield from deltas_of_call(index, call)


def deltas_of_call(index: int, call: Json) -> Iterator[Json]:
    """The first piece opens the call; the others hold parts of its arguments only."""
    function = call.get("function")
    if not function:  # a custom tool: its input has no pieces in the protocol
        yield {"tool_calls": [{"index": index, **call}]}
        return
    opening = {"index": index, **call, "function": {**function, "arguments": ""}}
    yield {"tool_calls": [opening]}
    for piece in pieces(function.get("arguments") or ""):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def pieces(text: str) -> Iterator[str]:
    """Parts of about a line; of long texts larger ones, so that replays stay quick."""
    size = max(PIECE_CHARS, -(-len(text) // MOST_PIECES))
    return (text[at : at + size] for at in range(0, len(text), size))
