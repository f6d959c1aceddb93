"""What an op will take, before it is run: tokens, dollars, seconds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from routing.catalog import Backend, Catalog
from routing.chat import ChatRequest
from routing.pricing import TOKENS_PER_PRICE
from routing.tiers import Route, resolve
from workflows_app import prompt
from workflows_app.definition import Definition, Op
from workflows_app.prompt import Inputs, as_text

EXPECTED_OUTPUT = 300  # tokens of an answer whose limit says nothing, or too much
FIRST_TOKEN_SECONDS = 0.5
TOKENS_PER_SECOND = 80.0
LEARNING = 0.3  # weight of the newest measurement
OVERHEAD_TOKENS = 64  # of roles and separators that providers add
BYTES_PER_TOKEN = 4  # of an output that becomes a part of a prompt
TAGS_BYTES = 64  # around a part of a prompt


class Latencies:
    """Measured seconds per op signature and tier; averages of the newest runs."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], float] = {}

    def add(self, signature: str, tier: int, seconds: float) -> None:
        key = signature, tier
        past = self._seconds.pop(key, seconds)  # put back as the newest
        self._seconds[key] = past + LEARNING * (seconds - past)
        while len(self._seconds) > 10_000:
            self._seconds.pop(next(iter(self._seconds)))

    def expected(self, signature: str, tier: int, output_tokens: int) -> float:
        measured = self._seconds.get((signature, tier))
        if measured is not None:
            return measured
        return FIRST_TOKEN_SECONDS + output_tokens / TOKENS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan is made from. `cached`: ops whose answers are stored already."""

    catalog: Catalog
    latencies: Latencies
    inputs: Inputs
    cached: frozenset[str] = frozenset()
    min_tier: int | None = None
    max_tier: int | None = None


def route_of(op: Op, facts: Facts) -> Route:
    """The tiers an op may go to. Raises UnknownModel and PinNotAllowed."""
    chat = ChatRequest({}, "", "", op.target)
    chat.min_tier, chat.max_tier = facts.min_tier, facts.max_tier
    return resolve(chat, facts.catalog)


def backends_of(route: Route, catalog: Catalog, ceiling: int) -> list[Backend]:
    """Those that may answer when nothing above tier `ceiling` is allowed."""
    return [
        backend
        for backend in catalog.backends
        if route.floor <= backend.tier <= min(ceiling, route.ceiling)
        and backend.name == (route.backend or backend.name)
        and backend.state != "disabled"
    ]


def output_tokens(op: Op) -> int:
    return min(op.max_tokens or EXPECTED_OUTPUT, EXPECTED_OUTPUT)


def prompt_tokens(op: Op, definition: Definition, facts: Facts) -> int:
    """About so many: four characters are a token."""
    chars = len(op.system) + len(op.prompt) + len(op.template)
    if op.query:
        chars += len(facts.inputs.query)
        chars += sum(len(as_text(v)) for v in facts.inputs.named.values())
    shown = op.shown if op.shown is not None else definition.parents.get(op.name, ())
    given = sum(output_tokens(definition.ops[parent]) for parent in shown)
    return chars // 4 + given + OVERHEAD_TOKENS


def in_its_place(op: Op, definition: Definition) -> list[Op]:
    """The op, and the one that runs when it fails."""
    return [op, definition.ops[op.fallback_op]] if op.fallback_op else [op]


def most_said(op: Op, definition: Definition, facts: Facts) -> int:
    """How many bytes its output has at most."""
    default = facts.catalog.policy.default_max_output_tokens
    return BYTES_PER_TOKEN * max(
        (each.max_tokens or default) * (each.map.max_items if each.map else 1)
        for each in in_its_place(op, definition)
    )


def most_prompt_bytes(op: Op, place: str, definition: Definition, facts: Facts) -> int:
    """How long a call of the op can be, in its place or another's: the body without
    outputs, and all that the outputs it is given may add."""
    parents, item = definition.parents[place], "" if op.map else None
    context = prompt.Context(facts.inputs, {})
    body = prompt.body_of(op, prompt.messages(op, parents, context, item))
    given: Counter[str] = Counter(op.placed())
    if not op.template:
        shown = op.shown if op.shown is not None else parents
        given.update(name for name in shown if name not in given)
    added = sum(
        times * (most_said(definition.ops[name], definition, facts) + TAGS_BYTES)
        for name, times in given.items()
        if name in definition.ops
    )
    if op.map:  # each call has its part of the list
        over, times = op.map.over, max(1, given["item"])
        if over in definition.ops:
            whole = most_said(definition.ops[over], definition, facts)
        else:
            whole = len(as_text(context.value(over)).encode())
        added += times * (whole // op.map.max_items + TAGS_BYTES)
    return min(len(orjson.dumps(body)) + added, prompt.MAX_PROMPT_BYTES)


def price_of(backend: Backend, tokens: int, output: int) -> int:
    price = backend.price
    if price is None:
        return 0
    price = price.of(tokens)
    total = tokens * price.input + output * price.output
    return -(-total // TOKENS_PER_PRICE)


def most_of(backends: list[Backend], prompt_bytes: int, output: int) -> int:
    """What one call can cost at most: no tokenizer makes more tokens than bytes."""
    worst = 0
    for backend in backends:
        if price := backend.price:
            price = price.of(prompt_bytes + OVERHEAD_TOKENS)
            rate = max(price.input, price.cache_write, price.cache_read)
            total = (prompt_bytes + OVERHEAD_TOKENS) * rate + output * price.output
            worst = max(worst, -(-total // TOKENS_PER_PRICE))
    return worst


def calls_of(op: Op) -> int:
    """How many calls an op makes, at the most likely."""
    return op.samples if op.map is None else max(1, op.map.max_items // 2)


def most_of_op(name: str, definition: Definition, facts: Facts) -> int:
    """All of its calls, each as often as it may be repeated, then its stand-in's."""
    most = 0
    default = facts.catalog.policy.default_max_output_tokens
    for op in in_its_place(definition.ops[name], definition):
        route = route_of(op, facts)
        size = most_prompt_bytes(op, name, definition, facts)
        every = backends_of(route, facts.catalog, route.ceiling)
        calls = op.map.max_items if op.map else op.samples
        once = most_of(every, size, op.max_tokens or default)
        most += calls * (op.retries + 1) * once
    return most


def maybe_skipped(definition: Definition) -> set[str]:
    """Ops with a condition, and those that all before may leave without an output."""
    skipped: set[str] = set()
    silent: set[str] = set()
    for name in definition.order:
        op, parents = definition.ops[name], definition.parents[name]
        if op.when or (parents and silent.issuperset(parents)):
            skipped.add(name)
        if name in skipped or op.on_error == "skip":
            silent.add(name)
    return skipped


def usual_cost(
    name: str, tier: int, tokens: int, output: int, definition: Definition, facts: Facts
) -> int:
    """Nano-dollars of one call to the cheapest backend up to this tier."""
    route = route_of(definition.ops[name], facts)
    usual = backends_of(route, facts.catalog, max(tier, 1))
    costs = (price_of(backend, tokens, output) for backend in usual)
    return min(costs, default=0)


def expected_cost(
    definition: Definition, order: tuple[str, ...], tiers: dict[str, int], facts: Facts
) -> int:
    """Nano-dollars; what is stored costs nothing."""
    total = 0
    for name in order:
        if name not in facts.cached:
            op = definition.ops[name]
            tokens = prompt_tokens(op, definition, facts)
            output = output_tokens(op)
            once = usual_cost(name, tiers[name], tokens, output, definition, facts)
            total += calls_of(op) * once
    return total


def cost_range(
    definition: Definition, order: tuple[str, ...], tiers: dict[str, int], facts: Facts
) -> tuple[int, int, int]:
    """Nano-dollars: at least, expected, at most. What may be skipped may cost nothing,
    and what is stored costs nothing at all."""
    low = high = 0
    expected = expected_cost(definition, order, tiers, facts)
    skipped = maybe_skipped(definition)
    for name in order:
        if name in facts.cached:
            continue
        op = definition.ops[name]
        if name not in skipped and op.map is None:
            tokens = prompt_tokens(op, definition, facts) // 2
            once = usual_cost(name, tiers[name], tokens, 1, definition, facts)
            low += op.samples * once
        high += most_of_op(name, definition, facts)
    return low, max(low, expected), max(high, expected, low)


def longest_from(
    children: Mapping[str, tuple[str, ...]],
    order: tuple[str, ...],
    seconds: Mapping[str, float],
) -> dict[str, float]:
    """For each op the seconds from its start to the last end it leads to."""
    left: dict[str, float] = {}
    for name in reversed(order):
        below = [left[child] for child in children[name] if child in left]
        left[name] = seconds[name] + max(below, default=0.0)
    return left
