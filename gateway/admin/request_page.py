"""The page of one request: what was decided, called, paid, and why not less."""

from collections.abc import Iterator

from gateway.admin.timeline import timeline
from gateway.alternatives import Alternative, alternatives
from gateway.models import Attempt, RequestLog
from gateway.story import cost_lines, who_asked, why_not_cheaper
from routing.money_format import dollars, exact_dollars


def story_of(log: RequestLog) -> dict[str, object]:
    """What the page of one request shows above its fields."""
    query = Attempt.objects.filter(request_id=log.request_id)
    attempts = list(query.order_by("number", "id"))
    who = {"step": "who", "text": who_asked(log)}
    decisions = log.decisions if isinstance(log.decisions, list) else [log.decisions]
    return {
        "steps": timeline([who, *decisions]),
        "attempts": {
            "headers": ATTEMPT_HEADERS,
            "rows": [row_of(attempt) for attempt in attempts],
        },
        "bill": {"headers": BILL_HEADERS, "rows": list(bill(log, attempts))},
        "why_not_cheaper": why_not_cheaper(log),
        "candidates": {
            "headers": CANDIDATE_HEADERS,
            "rows": [candidate_row(each) for each in alternatives(log)],
        },
    }


BILL_HEADERS = ("Call", "What", "Tokens", "$ per million", "Cost")


def bill(log: RequestLog, attempts: list[Attempt]) -> Iterator[list[object]]:
    """Cost line by line, and what the baseline tier would have cost."""
    for attempt in attempts:
        call = f"#{attempt.number} {attempt.backend}"
        for line in cost_lines(attempt):
            price = exact_dollars(line.nano_usd_per_million)
            cost = dollars(round(line.nano_usd))
            yield [call, line.what, f"{line.tokens:,}", price, cost]
        if attempt.cost_nano and not isinstance(attempt.price, dict):
            yield [call, "by a price that is not known any more", "", "", ""]
    yield ["", "Paid", "", "", dollars(log.cost_nano)]
    if log.saved_nano:
        would = dollars(log.cost_nano + log.saved_nano)
        yield ["", "On the baseline tier", "", "", would]
        yield ["", "Saved", "", "", dollars(log.saved_nano)]


CANDIDATE_HEADERS = (
    "Backend",
    "Tier",
    "Then",
    "$ in / out per million then",
    "These tokens",
    "Why not",
)


def candidate_row(each: Alternative) -> list[object]:
    price, cost = each.price, each.cost_nano
    both = (
        f"{exact_dollars(price.input)} / {exact_dollars(price.output)}" if price else ""
    )
    return [
        each.backend,
        each.tier,
        each.then,
        both or "-",
        "-" if cost is None else dollars(cost),
        each.why_not,
    ]


ATTEMPT_HEADERS = (
    "#",
    "Backend",
    "Model",
    "State",
    "Status",
    "Tokens",
    "Cost",
    "Latency",
)


def row_of(attempt: Attempt) -> list[object]:
    return [
        attempt.number,
        attempt.backend,
        attempt.model,
        attempt.get_state_display(),
        attempt.status or attempt.error_code or "-",
        f"{attempt.prompt_tokens:,} in, {attempt.completion_tokens:,} out",
        dollars(attempt.cost_nano),
        milliseconds(attempt.latency_ms),
    ]


def milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}\N{NO-BREAK SPACE}ms"
