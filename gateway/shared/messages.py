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


class End(StrEnum):
    """How a call ended for those who follow it from another worker."""

    DONE = "done"
    ERROR = "error"
    GONE = "gone"  # its worker is; somebody else may lead now
    CLOSED = "closed"  # it goes on, but too much of it has passed to join


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
        "param": error.param,
        "code": error.code,
        "retry_after": error.retry_after,
        "should_retry": error.should_retry,
    }


def error_from_json(value: Json) -> GatewayError:
    """The same error again; an unknown kind, of a newer version, is an internal one."""
    status, kind = value.pop("status"), KINDS.get(value.pop("kind"), InternalError)
    if issubclass(kind, UpstreamRefused):
        value["status"] = status
    return kind(value.pop("message"), **value)
