"""Makes the calls of one run: a place, the money, the right backend, then the call."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import orjson

from gateway.errors import BadRequest, Forbidden, GatewayError, ModelNotFound
from routing.chat import Json
from routing.tiers import PinNotAllowed, Route, UnknownModel
from workflows_app import call, estimates, prompt
from workflows_app.call import Said, Turn, Wishes
from workflows_app.claim_rows import Claim
from workflows_app.claims import Claims
from workflows_app.definition import Op
from workflows_app.desk import Desk
from workflows_app.estimates import Facts
from workflows_app.memo import Made, Make, key_of
from workflows_app.prefixes import prefixes
from workflows_app.prompt import Context
from workflows_app.run import Run
from workflows_app.writer import Writer


class OpCaller:
    def __init__(
        self,
        run: Run,
        desk: Desk,
        writer: Writer | None,
        claims: Claims,
    ) -> None:
        self.run = run
        self.claims = claims
        self.desk = desk
        self.writer = writer
        if writer:
            run.spending.write = partial(writer.spend, run)
        in_batch = run.memo is not None
        self.prefixes = prefixes(run.definition, in_batch=in_batch)

    async def call(self, op: Op, place: str, context: Context, turn: Turn) -> str:
        """The text of one answer. Raises GatewayError, and TimeoutError of the op."""
        run, desk = self.run, self.desk
        parents = run.definition.parents[place]
        body = prompt.body_of(op, prompt.messages(op, parents, context, turn.item))
        size = len(orjson.dumps(body))
        if size > prompt.MAX_PROMPT_BYTES:
            raise BadRequest(
                f"The prompt has {size} bytes; {prompt.MAX_PROMPT_BYTES} is the most."
            )
        make = partial(self._ask, op, place, body, size, turn)
        key = key_of(op, body, desk.runtime.snapshot.catalog.policy, turn.unfit)
        if run.memo is None or key is None:
            return (await make()).text
        said, made = await run.memo.once(
            key, partial(self._once, key, place, turn, make)
        )
        if not made and said.request_id not in run.ops[place].request_ids:
            run.ops[place].count(said)
        return said.text

    async def _once(self, key: bytes, place: str, turn: Turn, make: Make) -> Made:
        """Make a call, unless another process makes it, or made it, for the batch."""
        if not self.run.shares(place):
            return await make(), True
        payer = f"{self.run.run_id}/{place}#{turn.number}"
        return await self.claims.once(Claim.of(self.run.batch, key, payer), make)

    async def _ask(self, op: Op, place: str, body: Json, size: int, turn: Turn) -> Said:
        """Make the call, in its turn and within the ceiling."""
        run, desk = self.run, self.desk
        facts = desk.facts(run.inputs, run.caller)
        route = route_of(op, facts)
        wishes = self._wishes(op, place, turn)
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
                run.note_limits(said.left)
        self._learn(op, place, prefix, said, desk.runtime.clock() - began)
        return said

    def _wishes(self, op: Op, place: str, turn: Turn) -> Wishes:
        run = self.run
        name = run.workflow[0] if run.workflow else run.definition.name
        labels = [f"run:{run.run_id}", f"op:{place}"]
        on_text = None
        if run.options.deltas and op.samples == 1:

            def on_text(piece: str) -> None:
                run.hear(place, turn, piece)
                if self.writer:
                    self.writer.mark(run, place)

        return Wishes(
            tags=(*labels, f"workflow:{name[:50]}") if name else tuple(labels),
            min_tier=run.plan.floors.get(place) if op.is_auto else None,
            fresh=turn.attempt > 1,
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
        amounts = dict(most_by_ceiling(route, facts, size, limit))
        chosen = await spending.reserve(list(amounts.values()), op.name)
        ceiling, amount = list(amounts.items())[chosen]
        if ceiling < route.ceiling:
            wishes.max_tier = ceiling
            if wishes.min_tier is not None:
                wishes.min_tier = min(wishes.min_tier, ceiling)
        spent = amount  # unless we hear otherwise: it may have been billed
        try:
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


def most_by_ceiling(
    route: Route, facts: Facts, size: int, max_tokens: int
) -> Iterator[tuple[int, int]]:
    """What a call may cost at most, with the route's ceiling and then lower ones."""
    ranks = [t.rank for t in facts.catalog.tiers if t.rank <= route.ceiling]
    for ceiling in reversed(ranks):
        if route.pinned and ceiling != route.ceiling or ceiling < route.floor:
            return
        backends = estimates.backends_of(route, facts.catalog, ceiling)
        yield ceiling, estimates.most_of(backends, size, max_tokens)


def route_of(op: Op, facts: Facts) -> Route:
    """As the pipeline would tell it. Raises 404 for unknown names, 403 for bounds."""
    try:
        return estimates.route_of(op, facts)
    except UnknownModel as error:
        raise ModelNotFound(f'Op "{op.name}": {error}', param="workflow") from error
    except PinNotAllowed as error:
        raise Forbidden(f'Op "{op.name}": {error}', param="workflow") from error
