"""What a call's leading worker tells the others about it: JSON, message by message."""

from dataclasses import fields
from enum import StrEnum
from typing import Any

from gateway import errors
from gateway.errors import GatewayError, InternalError, UpstreamRefused
from routing.chat import Json, Usage

KINDS: dict[str, type[GatewayError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, GatewayError)
}

TOLD = ("param", "code", "retry_after", "should_retry")


class End(StrEnum):
    """How a call ended for those who follow it from another worker."""

    DONE = "done"
    ERROR = "error"
    GONE = "gone"  # its worker is; somebody else may lead now
    CLOSED = "closed"  # it goes on, but too much of it has passed to join

    @classmethod
    def _missing_(cls, value: object) -> "End":
        """A word of the next version: of a call that can't be followed any more."""
        return cls.CLOSED


def known(kind: Any, value: Json) -> Json:
    """Without the fields that only the next version has: while a server is upgraded,
    workers of both serve."""
    names = {field.name for field in fields(kind)}
    return {name: each for name, each in value.items() if name in names}


def receipt_to_json(receipt: Any) -> Json:
    """What a purchase told its readers, without the answer that is cached."""
    values = {field.name: getattr(receipt, field.name) for field in fields(receipt)}
    usage = {field.name: getattr(receipt.usage, field.name) for field in fields(Usage)}
    return {**values, "usage": usage, "entry": None}


def error_to_json(error: GatewayError) -> Json:
    return {
        "kind": type(error).__name__,
        "status": error.status,
        "message": error.message,
        **{name: getattr(error, name) for name in TOLD},
    }


def error_from_json(value: Json) -> GatewayError:
    """The same error again; an unknown kind, of a newer version, is an internal one."""
    kind = KINDS.get(value["kind"], InternalError)
    told = {name: value.get(name) for name in TOLD}
    if issubclass(kind, UpstreamRefused):
        told["status"] = value["status"]
    return kind(value["message"], **told)
