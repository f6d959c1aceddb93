"""What a client's own headers ask of one request. A wrong value is a 400."""

import re

from gateway.asgi.context import Context
from gateway.errors import BadRequest

LONGEST_SECONDS = 10**9
NAME = re.compile(r"[\w.:/@+-]{1,128}", re.ASCII)
DURATION = re.compile(r"\d{1,7}(?:\.\d{1,6})?", re.ASCII)
SWITCH = {"": False, "0": False, "false": False, "1": True, "true": True}


def cache_ttl(context: Context) -> float | None:
    """For how long the answer may be reused, in seconds; None: as the policy says."""
    name = b"x-llm-router-cache-ttl"
    value = context.header(name)
    if not value:
        return None
    if re.fullmatch(r"\d{1,10}", value, re.ASCII) is None or int(value) < 1:
        raise wrong(name, "must be a number of seconds from 1 up, such as 600")
    return float(min(int(value), LONGEST_SECONDS))


def timeout(context: Context) -> float | None:
    """How long the client waits for the answer, in seconds; None: as long as it takes.

    The SDKs' own header tells the time-out of one read, which is no such thing.
    """
    name = b"x-llm-router-timeout"
    value = context.header(name)
    if not value:
        return None
    if DURATION.fullmatch(value) is None or float(value) <= 0:
        raise wrong(name, "must be a number of seconds above 0, such as 2.5")
    return float(value)


def cache_namespace(context: Context) -> str:
    """A part of the caller's cache that no other name reaches."""
    return named(context, b"x-llm-router-cache-namespace")


def session(context: Context) -> str:
    """The conversation that the request belongs to."""
    return named(context, b"x-llm-router-session")


def dry_run(context: Context) -> bool:
    """Is only the decision wanted, and no answer?"""
    name = b"x-llm-router-dry-run"
    switch = SWITCH.get(context.header(name).lower())
    if switch is None:
        raise wrong(name, "must be 1 or 0")
    return switch


def named(context: Context, name: bytes) -> str:
    value = context.header(name)
    if value and NAME.fullmatch(value) is None:
        raise wrong(name, "takes up to 128 letters, digits and . : / @ + _ -")
    return value


def wrong(name: bytes, what: str) -> BadRequest:
    header = name.decode()
    return BadRequest(f"{header} {what}.", param=header)
