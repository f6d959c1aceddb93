"""What an op will take, before it is run: tokens, dollars, seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.catalog import Backend, Catalog
from routing.chat import ChatRequest
from routing.pricing import TOKENS_PER_PRICE
from routing.tiers import Route, resolve
from workflows_app.definition import Definition, Op
from workflows_app.prompt import Inputs, as_text

EXPECTED_OUTPUT = 300  # tokens of an answer whose limit says nothing, or too much
FIRST_TOKEN_SECONDS = 0.5
TOKENS_PER_SECOND = 80.0
LEARNING = 0.3  # weight of the newest measurement
OVERHEAD_TOKENS = 64  # of roles and separators that providers add


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


def price_of(backend: Backend, prompt: int, output: int) -> int:
    price = backend.price
    if price is None:
        return 0
    price = price.of(prompt)
    total = prompt * price.input + output * price.output
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


def cost_range(
    definition: Definition, order: tuple[str, ...], tiers: dict[str, int], facts: Facts
) -> tuple[int, int, int]:
    """Nano-dollars: at least, expected, at most. What may be skipped may cost nothing,
    and what is stored costs nothing at all."""
    low = expected = high = 0
    policy = facts.catalog.policy
    for name in order:
        if name in facts.cached:
            continue
        op = definition.ops[name]
        route = route_of(op, facts)
        prompt = prompt_tokens(op, definition, facts)
        output = output_tokens(op)
        usual = backends_of(route, facts.catalog, max(tiers[name], 1))
        costs = [price_of(backend, prompt, output) for backend in usual]
        calls = calls_of(op)
        expected += calls * min(costs, default=0)
        if op.when is None and op.map is None:
            least = (price_of(backend, prompt // 2, 1) for backend in usual)
            low += op.samples * min(least, default=0)
        every = backends_of(route, facts.catalog, route.ceiling)
        most = op.max_tokens or policy.default_max_output_tokens
        calls = op.map.max_items if op.map else op.samples
        high += calls * (op.retries + 1) * most_of(every, prompt * 4, most)
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
