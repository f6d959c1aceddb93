"""From a request to a run with its plan: what can be known before it starts."""

from typing import Any, TypeVar

from gateway.ledger.books import Caller
from gateway.runtime.runtime import Runtime
from routing.catalog import Policy
from routing.pricing import NANO_PER_USD
from workflows_app import call, optimizer, prompt, schema
from workflows_app.call import Wishes
from workflows_app.caller import route_of
from workflows_app.definition import Definition, Value
from workflows_app.desk import Desk
from workflows_app.optimizer import Plan
from workflows_app.prompt import Context, Inputs
from workflows_app.run import Options, Run

N = TypeVar("N", int, float)


def make_run(
    definition: Definition,
    inputs: Inputs,
    caller: Caller,
    options: Options,
    desk: Desk,
    run_id: str = "",
) -> Run:
    """Raises 400, 403 and 404 for what is sure to fail, before anything is paid."""
    prompt.check_inputs(definition, inputs)
    facts = desk.facts(inputs, caller)
    for op in definition.ops.values():
        route_of(op, facts)
    options.max_cost_nano = lower(options.max_cost_nano, nano(definition.max_cost_usd))
    options.deadline_s = lower(options.deadline_s, definition.deadline_s)
    plan = make_plan(definition, inputs, caller, options, desk)
    return Run(definition, inputs, caller, options, plan, run_id)


def make_plan(
    definition: Definition,
    inputs: Inputs,
    caller: Caller,
    options: Options,
    desk: Desk,
) -> Plan:
    cached = stored_ops(definition, inputs, caller, desk.runtime)
    return optimizer.plan(
        definition,
        desk.facts(inputs, caller, cached),
        deadline_s=options.deadline_s,
        max_cost_nano=options.max_cost_nano,
    )


def stored_ops(
    definition: Definition, inputs: Inputs, caller: Caller, runtime: Runtime
) -> frozenset[str]:
    """Ops whose answers are in the cache, as far as their inputs are known by then."""
    outputs: dict[str, Value] = {}
    policy: Policy = runtime.snapshot.catalog.policy
    if not policy.cache_enabled:
        return frozenset()
    for name in definition.order:
        op, parents = definition.ops[name], definition.parents[name]
        known = all(parent in outputs for parent in parents)
        if not known or op.map or op.when or op.samples > 1 or op.cache == "off":
            continue
        if op.dedupe is False:
            continue
        context = Context(inputs, outputs)
        body = prompt.body_of(op, prompt.messages(op, parents, context))
        chat = call.request_of(op, body, caller, Wishes())
        snapshot = runtime.snapshot
        entry = runtime.cache.peek(
            chat,
            snapshot.catalog,
            snapshot.fingerprint_for(chat.scope),
            runtime.clock(),
        )
        if entry is None:
            continue
        text = call.text_of(call.parsed(entry.body))
        if op.json_schema is not None:
            if schema.mismatch(text, op.json_schema):
                continue  # it will be asked for again
            text = schema.unfenced(text)
        outputs[name] = text
    return frozenset(outputs)


def nano(usd: Any) -> int | None:
    return None if usd is None else int(usd * NANO_PER_USD)


def lower(one: N | None, other: N | None) -> N | None:
    given = [each for each in (one, other) if each is not None]
    return min(given, default=None)
