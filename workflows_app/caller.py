"""Makes the calls of one run: a place, the money, the right backend, then the call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import orjson

from gateway.errors import BadRequest, Forbidden, GatewayError, ModelNotFound
from routing.chat import Json, Usage
from routing.tiers import PinNotAllowed, Route, UnknownModel
from workflows_app import call, estimates, prompt
from workflows_app.call import Said, Wishes
from workflows_app.definition import Op
from workflows_app.desk import Desk
from workflows_app.estimates import Facts
from workflows_app.memo import key_of
from workflows_app.prefixes import prefixes
from workflows_app.prompt import Context
from workflows_app.run import Run
from workflows_app.writer import Writer


class OpCaller:
    def __init__(self, run: Run, desk: Desk, writer: Writer | None = None) -> None:
        self.run = run
        self.desk = desk
        self.writer = writer
        in_batch = run.memo is not None
        self.prefixes = prefixes(run.definition, in_batch=in_batch)

    async def call(
        self, op: Op, place: str, context: Context, item: str | None, *, fresh: bool
    ) -> str:
        """The text of one answer. Raises GatewayError, and TimeoutError of the op."""
        run, desk = self.run, self.desk
        parents = run.definition.parents[place]
        body = prompt.body_of(op, prompt.messages(op, parents, context, item))
        size = len(orjson.dumps(body))
        if size > prompt.MAX_PROMPT_BYTES:
            raise BadRequest(
                f"The prompt has {size} bytes; {prompt.MAX_PROMPT_BYTES} is the most."
            )
        key = None
        if run.memo and not fresh:
            key = key_of(op, body, desk.runtime.snapshot.catalog.policy)
        if run.memo is None or key is None:
            return (await self._ask(op, place, body, size, fresh=fresh)).text
        while known := run.memo.claim(key):
            try:
                said = await asyncio.shield(known)
            except asyncio.CancelledError:
                if known.cancelled() and not leaving():
                    continue  # who made the call failed; it is ours to make now
                raise
            run.ops[place].count(shared(said))
            return said.text
        try:
            said = await self._ask(op, place, body, size, fresh=fresh)
        except BaseException:
            run.memo.fail(key)
            raise
        run.memo.tell(key, said)
        return said.text

    async def _ask(
        self, op: Op, place: str, body: Json, size: int, *, fresh: bool
    ) -> Said:
        """Make the call, in its turn and within the ceiling."""
        run, desk = self.run, self.desk
        facts = desk.facts(run.inputs, run.caller)
        route = route_of(op, facts)
        wishes = self._wishes(op, place, fresh)
        prefix = self.prefixes[op.name].key
        wishes.shared_prefix = self.prefixes[op.name].chars
        async with (
            desk.in_line(run.caller.scope, prefix, wishes),
            desk.gate.place(
                op.target,
                estimates.backends_of(route, facts.catalog, route.ceiling),
                run.caller,
                run.left_s(),
                run.plan.left_s.get(place, 0.0),
                run.run_id,
                hands_over=op.map is None and op.samples == 1,
            ),
        ):
            wishes.prefer = desk.warm_backend(
                run.caller.scope, prefix
            ) or run.last_backend.get(op.target, "")
            said = Said()
            began = desk.runtime.clock()
            try:
                async with self._paid(op, size, route, facts, wishes, said):
                    async with asyncio.timeout(op.timeout_s):
                        await call.ask(op, body, run.caller, wishes, desk.runtime, said)
            finally:
                run.ops[place].count(said)
        self._learn(op, place, prefix, said, desk.runtime.clock() - began)
        return said

    def _wishes(self, op: Op, place: str, fresh: bool) -> Wishes:
        run = self.run
        name = run.workflow[0] if run.workflow else run.definition.name
        labels = [f"run:{run.run_id}", f"op:{place}"]
        on_text = None
        if run.options.deltas and op.samples == 1:

            def on_text(piece: str) -> None:
                run.tell("op_delta", op=place, text=piece)

        return Wishes(
            tags=(*labels, f"workflow:{name[:50]}") if name else tuple(labels),
            min_tier=run.plan.floors.get(place) if op.is_auto else None,
            fresh=fresh,
            alone=op.samples > 1 or op.dedupe is False,
            on_text=on_text,
        )

    @asynccontextmanager
    async def _paid(
        self,
        op: Op,
        size: int,
        route: Route,
        facts: Facts,
        wishes: Wishes,
        said: Said,
    ) -> AsyncIterator[None]:
        """Set aside what the call can cost; afterwards count what it did cost."""
        spending = self.run.spending
        if spending.limit is None:
            yield
            return
        limit = op.max_tokens or facts.catalog.policy.default_max_output_tokens
        wishes.max_tokens, wishes.one_bill = limit, True
        ranks = [t.rank for t in facts.catalog.tiers if t.rank <= route.ceiling]
        amount = 0
        for ceiling in reversed(ranks):
            if route.pinned and ceiling != route.ceiling or ceiling < route.floor:
                break
            backends = estimates.backends_of(route, facts.catalog, ceiling)
            amount = estimates.most_of(backends, size, limit)
            if ceiling < route.ceiling:
                wishes.max_tier = ceiling
                if wishes.min_tier is not None:
                    wishes.min_tier = min(wishes.min_tier, ceiling)
            if spending.fits(amount):
                break
        await spending.reserve(amount, op.name)
        spent = amount  # unless we hear otherwise: it may have been billed
        try:
            if self.writer:
                await self.writer.spend(self.run)
            yield
            spent = said.cost_nano
        except GatewayError as error:
            spent = said.cost_nano
            if getattr(error, "billable", False):
                spent = max(spent, amount)
            raise
        finally:
            spending.settle(amount, spent)

    def _learn(
        self, op: Op, place: str, prefix: str, said: Said, seconds: float
    ) -> None:
        """Remember how long it took, and where its prefix is warm now."""
        run, desk = self.run, self.desk
        run.last_backend[op.target] = said.backend
        if prefix and said.backend:
            desk.warmed(run.caller.scope, prefix, said.backend)
        signature = run.plan.signatures.get(place)
        if signature and said.tier is not None and said.cache != "HIT":
            desk.latencies.add(signature, said.tier, seconds)


def shared(said: Said) -> Said:
    """As another run of the batch sees it: its answer, and no cost."""
    return replace(said, cost_nano=0, usage=Usage(), request_id="", cache="SHARED")


def leaving() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def route_of(op: Op, facts: Facts) -> Route:
    """As the pipeline would tell it. Raises 404 for unknown names, 403 for bounds."""
    try:
        return estimates.route_of(op, facts)
    except UnknownModel as error:
        raise ModelNotFound(f'Op "{op.name}": {error}', param="workflow") from error
    except PinNotAllowed as error:
        raise Forbidden(f'Op "{op.name}": {error}', param="workflow") from error
