"""Bytes of a client's JSON body to values: what is checked is what is forwarded."""

from json import JSONDecoder
from typing import Any

import orjson

from gateway.errors import InvalidJson
from routing.chat import Json

MAX_DEPTH = 64
EXACT = float(1 << 63)  # orjson turns integers beyond 64 bits into floats


def loads(body: bytes) -> Json:
    """The object in `body`. Raises InvalidJson where two readers could differ.

    orjson refuses what isn't strict UTF-8 or has no value in JSON: a BOM, UTF-16, lone
    surrogates, NaN, 1e400. Repeated keys, depth and huge integers are left to us.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"The body is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InvalidJson("The body must be a JSON object.")
    keys, has_large = survey(value)
    # A key has one colon. As many colons as keys prove that no key was repeated, for a
    # fraction of a second parsing; text may hold colons as well, and needs the proof.
    if has_large or body.count(b":") != keys:
        refuse_ambiguous(body)
    return value


def survey(root: Json) -> tuple[int, bool]:
    """How many keys there are, and whether any number is too large to be exact."""
    keys, has_large = 0, False
    level: list[Any] = [root]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                keys += len(container)
                container = container.values()
            for value in container:
                kind = type(value)
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is float and not -EXACT < value < EXACT:
                    has_large = True
        if not below:
            return keys, has_large
        level = below
    raise InvalidJson(f"The body is nested more than {MAX_DEPTH} levels deep.")


def refuse_ambiguous(body: bytes) -> None:
    """A second, slower reading of a valid body that sees every key and integer."""
    SECOND_READER.decode(body.decode())


def unique_keys(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise InvalidJson(f"The key {key[:100]!r} appears twice in one object.")
        seen.add(key)


def exact_integer(digits: str) -> None:
    if not -(1 << 63) <= int(digits) < 1 << 64:
        raise InvalidJson("A number in the body is an integer of more than 64 bits.")


SECOND_READER = JSONDecoder(object_pairs_hook=unique_keys, parse_int=exact_integer)
