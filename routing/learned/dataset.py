"""Reads labelled prompts: JSON lines, errors told by their line."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_LINE_BYTES = 16 << 20
GZIP = b"\x1f\x8b"


class BadLine(ValueError):
    """A line that can't be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt as a chat-completion body, and the quality each tier was judged at."""

    id: str
    body: Mapping[str, Any]
    quality: Mapping[str, float]


def read(path: Path, *, labelled: bool) -> Iterator[Example]:
    """The examples of a file, plain or gzipped. Raises BadLine and OSError."""
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            try:
                yield example(line, labelled)
            except ValueError as error:
                raise BadLine(f"Line {number}: {error}") from None


def lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP
        file.seek(0)
        lines = gzip.GzipFile(fileobj=file) if zipped else file
        number = 0
        try:
            while line := lines.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise BadLine(f"Line {number}: it is longer than {MAX_LINE_BYTES}.")
                yield line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadLine(
                f"After line {number}: the compressed file is damaged ({error})."
            ) from None


def example(line: bytes, labelled: bool) -> Example:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is not JSON ({error}).") from None
    if not isinstance(record, dict):
        raise ValueError('it must be an object such as {"id": ..., "prompt": ...}.')
    identity = record.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise ValueError('"id" must be a text or a whole number.')
    quality = qualities(record.get("quality")) if labelled else {}
    return Example(str(identity), {"messages": messages(record)}, quality)


def messages(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The conversation: `messages`, or `prompt` as its one user message."""
    if "messages" in record:
        found = record["messages"]
        if not isinstance(found, list) or not found:
            raise ValueError('"messages" must be a list of at least one message.')
        for message in found:
            check_message(message)
        return found
    prompt = record.get("prompt")
    if not isinstance(prompt, str):
        raise ValueError('there is neither "prompt", a text, nor "messages", a list.')
    return [{"role": "user", "content": prompt}]


def check_message(message: Any) -> None:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise ValueError('each message must be an object with a "role".')
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    fits = content is None or isinstance(content, str | list)
    if not fits or not all(isinstance(part, dict) for part in parts):
        raise ValueError('"content" must be a text or a list of parts.')
    for part in parts:
        for name in ("type", "text", "refusal"):
            if not is_text(part.get(name)):
                raise ValueError(f'the "{name}" of a part must be a text.')
    check_calls(message)


def check_calls(message: Mapping[str, Any]) -> None:
    """What the assistant asked its tools, the deprecated form included."""
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(isinstance(c, dict) for c in calls):
        raise ValueError('"tool_calls" must be a list of objects.')
    functions = [call.get("function") for call in calls]
    for function in (*functions, message.get("function_call")):
        known = function or {}
        if not isinstance(known, dict) or not (
            is_text(known.get("name")) and is_text(known.get("arguments"))
        ):
            raise ValueError('a called function has a "name" and "arguments", texts.')


def is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def qualities(given: Any) -> dict[str, float]:
    if not isinstance(given, dict) or not given:
        raise ValueError('"quality" must name at least one tier.')
    for tier, value in given.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and 0.0 <= value <= 1.0):
            raise ValueError(f'the quality of "{tier}" must lie between 0 and 1.')
    return {tier: float(v) for tier, v in given.items() if v is not None}
