"""Many inputs for one workflow: read, planned as one, put into the queue as one."""

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.errors import BadRequest
from gateway.ledger.books import Caller
from routing.chat import Json
from routing.pricing import nano_to_usd
from workflows_app import estimates, optimizer, planner, prompt
from workflows_app.definition import Definition, Op
from workflows_app.desk import Desk
from workflows_app.estimates import Facts
from workflows_app.memo import key_of
from workflows_app.optimizer import Plan
from workflows_app.prompt import Inputs
from workflows_app.run import Options, Run

MOST_INPUTS = 10_000
MOST_BYTES = 64 << 20  # of the definition, which each row has a copy of


@dataclass(frozen=True, slots=True)
class Batch:
    batch_id: str
    runs: list[Run]
    plan: Json


def read_all_inputs(body: Json) -> list[Inputs]:
    """`inputs`, a list, or `jsonl`, a text with an input on each line."""
    values = body.get("inputs")
    if isinstance(text := body.get("jsonl"), str):
        values = [line_of(line) for line in text.splitlines() if line.strip()]
    if not isinstance(values, list) or not values:
        raise BadRequest("inputs must be a list, or jsonl a text.", param="inputs")
    if len(values) > MOST_INPUTS:
        raise BadRequest(
            f"There are {len(values)} inputs; {MOST_INPUTS} is the most.",
            param="inputs",
        )
    return [prompt.read_inputs(value) for value in values]


def line_of(line: str) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"jsonl: {line[:80]!r} is not JSON.", param="jsonl") from error


async def make(
    definition: Definition,
    every: list[Inputs],
    caller: Caller,
    options: Options,
    desk: Desk,
) -> Batch:
    """A run per input, all by one plan; a ceiling is shared out evenly."""
    if len(every) * len(definition.text) > MOST_BYTES:
        raise BadRequest("So many runs of so long a workflow are too much at once.")
    limit = options.max_cost_nano
    each = None if limit is None else limit // len(every)
    options = replace(options, mode="background", max_cost_nano=each)
    first = planner.make_run(definition, every[0], caller, options, desk)
    facts = desk.facts(every[0], caller)
    return await asyncio.to_thread(like_the_first, first, every, facts)


def like_the_first(first: Run, every: list[Inputs], facts: Facts) -> Batch:
    """For a thread: ten thousand of them take a while."""
    definition, runs = first.definition, [first]
    for inputs in every[1:]:
        prompt.check_inputs(definition, inputs)
        runs.append(Run(definition, inputs, first.caller, first.options, first.plan))
    plan = consolidated(definition, first.plan, every, facts)
    return Batch(f"batch_{secrets.token_hex(12)}", runs, plan)


def consolidated(
    definition: Definition, plan: Plan, every: list[Inputs], facts: Facts
) -> Json:
    """What all runs need together: ops that don't look at the input are done once, and
    those of equal inputs too."""
    distinct = len({orjson.dumps(i.to_json(), default=str) for i in every})
    dependent = depends_on_input(definition)
    calls: dict[str, int] = {}
    cost = [0, 0, 0]
    naive = 0
    for name in plan.order:
        op = definition.ops[name]
        times = len(every)
        if key_of(op, {}, facts.catalog.policy) is not None:
            times = distinct if name in dependent else 1
        calls[name] = times * estimates.calls_of(op)
        parts = optimizer.cost_range(definition, (name,), plan.tiers, facts)
        cost = [total + times * part for total, part in zip(cost, parts, strict=True)]
    for op in definition.ops.values():
        naive += len(every) * estimates.calls_of(op)
    low, expected, high = map(nano_to_usd, cost)
    return {
        **plan.to_json(),
        "inputs": len(every),
        "distinct_inputs": distinct,
        "calls": calls,
        "total_calls": sum(calls.values()),
        "calls_without_plan": naive,
        "shared": [name for name in plan.order if name not in dependent],
        "cost_usd": {"min": low, "expected": expected, "max": high},
    }


def depends_on_input(definition: Definition) -> set[str]:
    """The ops whose request differs from input to input."""
    found: set[str] = set()
    for name in definition.order:
        op, parents = definition.ops[name], definition.parents[name]
        if looks_at_input(op) or any(parent in found for parent in parents):
            found.add(name)
    return found


def looks_at_input(op: Op) -> bool:
    named = [*op.placeholders(), op.map.over if op.map else ""]
    if any(name == "input" or name.startswith("inputs.") for name in named):
        return True
    if op.when and any(n.split(".")[0] in ("input", "inputs") for n in op.when.names()):
        return True
    return op.query and not op.template
