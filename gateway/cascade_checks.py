"""What can be told of an answer without knowing the right one.

Each check returns the doubt as a sentence, or "". Answers are completions in the
common language.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import exp

import orjson

from routing.cascade import Cascade
from routing.catalog import Backend
from routing.chat import ChatRequest, Json

REFUSAL = re.compile(
    r"""\s*(
        (i['\u2019]m|i\ am)\ sorry,?\ but
        | sorry,?\ but\ i
        | i\ (cannot|can['\u2019]t)\ (help|assist|answer|do\ that|provide|comply)
        | (i['\u2019]m|i\ am)\ (unable|not\ able)\ to
        | as\ an\ ai\b
        | unfortunately,?\ i\ (can|am)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
JSON_FORMATS = ("json_object", "json_schema")
MAX_DEPTH = 32  # of a schema
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")


def doubt(completion: Json, body: Json) -> str:
    """What is wrong with an answer's form, for this request's body."""
    for choice in completion.get("choices", ()):
        message = choice.get("message") or {}
        reason = (
            stopped(choice, body)
            or refused(message)
            or empty(message)
            or misformed(message, body)
            or miscalled(message, body)
        )
        if reason:
            return reason
    return "" if completion.get("choices") else "There is no answer in it."


def stopped(choice: Json, body: Json) -> str:
    reason = choice.get("finish_reason")
    limited = body.get("max_tokens") or body.get("max_completion_tokens")
    if reason == "length" and not limited:
        return "It was cut off at its length limit."
    return "A filter cut it off." if reason == "content_filter" else ""


def refused(message: Json) -> str:
    text = text_of(message)
    return "It refuses." if message.get("refusal") or REFUSAL.match(text) else ""


def empty(message: Json) -> str:
    if message.get("tool_calls") or message.get("function_call"):
        return ""
    return "" if text_of(message).strip() or message.get("audio") else "It is empty."


def misformed(message: Json, body: Json) -> str:
    wanted = body.get("response_format") or {}
    if wanted.get("type") not in JSON_FORMATS or message.get("tool_calls"):
        return ""
    try:
        value = orjson.loads(text_of(message))
    except ValueError:
        return "It is not the JSON that was asked for."
    schema = (wanted.get("json_schema") or {}).get("schema")
    try:
        problem = mismatch(value, schema) if isinstance(schema, dict) else ""
    except (AttributeError, TypeError):  # of a schema that is none
        return ""
    return f"It does not follow the schema: {problem}." if problem else ""


def miscalled(message: Json, body: Json) -> str:
    """Calls of tools that were not offered, or with arguments that are no JSON."""
    offered = {
        (tool.get("function") or {}).get("name") for tool in body.get("tools") or ()
    }
    calls = message.get("tool_calls") or ()
    for call in calls:
        function = call.get("function") or {}
        if offered and function.get("name") not in offered:
            return f"It calls {function.get('name')!r}, which was not offered."
        try:
            orjson.loads(function.get("arguments") or "{}")
        except ValueError:
            return f"Its call of {function.get('name')!r} has broken arguments."
    if body.get("tool_choice") == "required" and not calls:
        return "It calls no tool, and one was required."
    return ""


def mismatch(value: object, schema: Json, where: str = "it", depth: int = 0) -> str:
    """The first way in which a value is not what the plain words of a JSON schema say:
    type, enum, required, properties, additionalProperties, items."""
    if depth > MAX_DEPTH:
        return ""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, kind) for kind in kinds):
        return f"{where} is no {' or '.join(map(str, kinds))}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is none of the values allowed"
    if isinstance(value, dict):
        return in_object(value, schema, where, depth)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for place, item in enumerate(value):
            inner = f"{where}[{place}]"
            if problem := mismatch(item, schema["items"], inner, depth + 1):
                return problem
    return ""


def is_a(value: object, kind: object) -> bool:
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES.get(str(kind), (object,)))


def in_object(value: Json, schema: Json, where: str, depth: int) -> str:
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            return f"{where} lacks {name!r}"
    for name, item in value.items():
        if isinstance(inner := properties.get(name), dict):
            if problem := mismatch(item, inner, f"{where}.{name}", depth + 1):
                return problem
        elif schema.get("additionalProperties") is False:
            return f"{where} has {name!r}, which is not allowed"
    return ""


def asking_logprobs(backend: Backend, chat: ChatRequest) -> ChatRequest | None:
    """The request with log probabilities; None where the client asked already, or the
    backend has none."""
    lacks = backend.preset.dialect != "openai" or "logprobs" in backend.cannot
    if lacks or chat.body.get("logprobs"):
        return None
    return replace(chat, body={**chat.body, "logprobs": True})


def text_of(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content)
    return str(content or "")


def answer_text(completion: Json) -> str:
    choices = completion.get("choices") or ()
    return "\n".join(text_of(choice.get("message") or {}) for choice in choices)


def confidence(choices: list[Json]) -> float | None:
    """The mean probability of the tokens, geometric; None without log probabilities."""
    found = [value for choice in choices for value in logprobs_of(choice)]
    return exp(sum(found) / len(found)) if found else None


def logprobs_of(choice: Json) -> Iterator[float]:
    for token in (choice.get("logprobs") or {}).get("content") or ():
        value = token.get("logprob")
        if isinstance(value, int | float) and value <= 0:
            yield max(float(value), -100.0)


def weigh(planned: Cascade, measured: float | None, neutral: float, facts: Json) -> str:
    """Whether what a check measured is a doubt; its numbers become `facts`.

    With a router's expectations, when the other tier's answer is now worth more than
    its price; else below `neutral`. What could not be measured tells nothing: then a
    router's expectation stands, and without one there is no doubt.
    """
    if measured is None and planned.stake is None:
        return ""
    if measured is None:
        measured = neutral
    else:
        facts["confidence"] = round(measured, 4)
    if planned.stake is None:
        low = measured < neutral
        return f"Its check says {measured:.2f}, below {neutral:g}." if low else ""
    gain, price = planned.stake.gain(measured, neutral), planned.stake.price
    facts |= {"gain": round(gain, 4), "price": round(price, 4)}
    if gain <= price:
        return ""
    return (
        f"Its check says {measured:.2f} ({neutral:g} would tell nothing): tier "
        f"{planned.then} is expected to gain {gain:.3f}, for a price of {price:.3f}."
    )


def agreement(one: str, other: str) -> float:
    """How far two answers say the same, from 0 to 1.

    Answers that end in a number agree when those numbers do; others by the share of
    words they have in common.
    """
    first, second = NUMBER.findall(one), NUMBER.findall(other)
    if first and second and ends_in(one, first[-1]) and ends_in(other, second[-1]):
        return float(first[-1].replace(",", "") == second[-1].replace(",", ""))
    words, others = set(words_of(one)), set(words_of(other))
    together = words | others
    return len(words & others) / len(together) if together else 1.0


def ends_in(text: str, number: str) -> bool:
    return len(text.rstrip(" .!*$\n")) - text.rfind(number) <= len(number) + 8


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
