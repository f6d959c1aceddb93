"""Many inputs for one workflow: read, planned as one, put into the queue as one."""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.dialects import strict_json
from gateway.errors import BadRequest
from gateway.ledger.books import Caller
from routing.chat import Json
from routing.pricing import nano_to_usd
from workflows_app import estimates, planner, prompt
from workflows_app.definition import Definition
from workflows_app.desk import Desk
from workflows_app.estimates import Facts
from workflows_app.input_use import depends_on_input
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
    limit_nano: int | None = None  # of all of them together


def read_all_inputs(body: Json) -> list[Inputs]:
    """`inputs`, a list, or `jsonl`, a text with an input on each line."""
    values = body.get("inputs")
    if isinstance(text := body.get("jsonl"), str):
        lines = enumerate(text.split("\n"), start=1)
        values = [line_of(line, number) for number, line in lines if line.strip()]
    if not isinstance(values, list):
        raise BadRequest("inputs must be a list, or jsonl a text.", param="inputs")
    if not values:
        raise BadRequest("There are no inputs.", param="inputs")
    if len(values) > MOST_INPUTS:
        raise BadRequest(
            f"There are {len(values)} inputs; {MOST_INPUTS} is the most.",
            param="inputs",
        )
    return [read_one(value, place) for place, value in enumerate(values)]


def read_one(value: Any, place: int) -> Inputs:
    try:
        return prompt.read_inputs(value)
    except BadRequest as error:
        where = f"inputs[{place}]"
        raise BadRequest(f"{where}: {error.message}", param=where) from None


def line_of(line: str, number: int) -> Any:
    try:
        value = orjson.loads(line)
        # Of an object the same is wanted as of any body: each key once, and so on.
        return strict_json.loads(line.encode()) if isinstance(value, dict) else value
    except orjson.JSONDecodeError:
        told = f"{line[:80]!r} is not JSON."
    except BadRequest as error:
        told = error.message
    raise BadRequest(f"jsonl, line {number}: {told}", param="jsonl")


async def make(
    definition: Definition,
    every: list[Inputs],
    caller: Caller,
    options: Options,
    desk: Desk,
) -> Batch:
    """A run per input, all by one plan and under one ceiling."""
    if len(every) * len(definition.text) > MOST_BYTES:
        raise BadRequest("So many runs of so long a workflow are too much at once.")
    batch_id = f"batch_{secrets.token_hex(12)}"
    limit = options.max_cost_nano
    ceiling_of = batch_id if limit is not None else ""
    options = replace(options, mode="background", ceiling_of=ceiling_of)
    first = planner.make_run(definition, every[0], caller, options, desk)
    facts = desk.facts(every[0], caller)
    runs, plan = await asyncio.to_thread(like_the_first, first, every, facts)
    return Batch(batch_id, runs, plan, limit)


def like_the_first(
    first: Run, every: list[Inputs], facts: Facts
) -> tuple[list[Run], Json]:
    """For a thread: ten thousand of them take a while."""
    definition = first.definition
    times = Counter(map(told, every))
    for_twins = replace(first.options, same_input=True)
    runs = []
    for inputs in every:
        prompt.check_inputs(definition, inputs)
        options = for_twins if times[told(inputs)] > 1 else first.options
        runs.append(Run(definition, inputs, first.caller, options, first.plan))
    return runs, consolidated(definition, first.plan, every, len(times), facts)


def told(inputs: Inputs) -> bytes:
    """The same for equal inputs."""
    return orjson.dumps(inputs.to_json(), default=str)


def consolidated(
    definition: Definition,
    plan: Plan,
    every: list[Inputs],
    distinct: int,
    facts: Facts,
) -> Json:
    """What all runs need together: ops that don't look at the input are done once, and
    those of equal inputs too."""
    dependent = depends_on_input(definition)
    by_length = sorted(every, key=lambda inputs: len(told(inputs)))
    typical = by_length[0], by_length[len(every) // 2], by_length[-1]
    calls: dict[str, int] = {}
    cost = [0, 0, 0]
    naive = 0
    for name in plan.order:
        op = definition.ops[name]
        times = len(every)
        if key_of(op, {}, facts.catalog.policy) is not None:
            times = distinct if name in dependent else 1
        calls[name] = times * estimates.calls_of(op)
        for place, inputs in enumerate(typical):  # at least, expected, at most
            known = replace(facts, inputs=inputs)
            parts = estimates.cost_range(definition, (name,), plan.tiers, known)
            cost[place] += times * parts[place]
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
