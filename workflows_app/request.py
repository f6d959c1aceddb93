"""The body of `POST /v1/workflows`: which workflow, with what, and how."""

import asyncio
from dataclasses import dataclass
from typing import Any

from gateway.errors import BadRequest
from gateway.runtime.database import in_database
from routing.chat import Json
from workflows_app import planner, prompt, reader, records, webhooks
from workflows_app.definition import Definition
from workflows_app.errors import InvalidWorkflow
from workflows_app.prompt import Inputs
from workflows_app.run import Options

MODES = ("wait", "follow", "background")
# A text this short is read before others could notice.
SHORT_CHARS = 4096
FIELDS = {
    "input",
    "inputs",
    "workflow",
    "mode",
    "stream",
    "deltas",
    "store",
    "max_cost_usd",
    "deadline_s",
    "webhook",
}


@dataclass(slots=True)
class Asked:
    definition: Definition
    inputs: Inputs
    options: Options
    stored: tuple[str, int] | None = None


async def read_request(body: Json) -> Asked:
    for name in body:
        if name not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            raise BadRequest(f"There is no {name!r} here, only {known}.", param=name)
    inputs = prompt.read_inputs(body.get("input"), body.get("inputs"))
    options = read_options(body)
    definition, stored = await find_definition(body.get("workflow"))
    return Asked(definition, inputs, options, stored)


async def find_definition(
    source: Any,
) -> tuple[Definition, tuple[str, int] | None]:
    """A definition given as YAML or JSON, or a stored one by its name."""
    if isinstance(source, dict) and source:
        return await asyncio.to_thread(reader.read, source), None
    if not isinstance(source, str) or not source.strip():
        raise InvalidWorkflow("workflow must be YAML, or the name of a stored one")
    if is_name(source):
        row = await in_database(records.find_workflow, source.strip())
        definition = await asyncio.to_thread(reader.read, row.text)
        return definition, (row.name, row.version)
    if len(source) < SHORT_CHARS:
        return reader.read(source), None
    return await asyncio.to_thread(reader.read, source), None


def is_name(source: str) -> bool:
    """One word: no YAML that could be a workflow is, and no name holds NUL."""
    return len(source) <= 64 and not any(mark in source for mark in ":{\n\x00")


def read_options(body: Json) -> Options:
    mode = body.get("mode") or ("follow" if flag(body, "stream") else "wait")
    if mode not in MODES:
        raise BadRequest(f"mode must be one of {', '.join(MODES)}.", param="mode")
    webhook = webhooks.checked(body.get("webhook"))
    if webhook and mode != "background":
        raise webhooks.refused("goes with mode: background only.")
    return Options(
        mode=mode,  # type: ignore[arg-type]
        deltas=flag(body, "deltas"),
        store=flag(body, "store", default=True) or mode == "background",
        max_cost_nano=planner.nano(positive(body, "max_cost_usd")),
        deadline_s=positive(body, "deadline_s"),
        webhook=webhook,
    )


def flag(body: Json, name: str, *, default: bool = False) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"{name} must be true or false.", param=name)
    return default if value is None else value


def positive(body: Json, name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name} must be a number.", param=name)
    if not 0 <= value <= 1e6:
        raise BadRequest(f"{name} must be from 0 to 1000000.", param=name)
    return float(value)
