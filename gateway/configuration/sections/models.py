"""`models`: the backends, their prices, and where each takes its key from."""

import re
from collections.abc import Sequence

from gateway.configuration.document import BackendEntry, KeyReference
from gateway.configuration.schema import BACKEND, PRICE
from gateway.configuration.sections.section import Section
from routing.models import Backend, Price
from routing.secret import Secret

VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})\Z", re.ASCII)
PLAIN_KEYS = BACKEND.keys() - {"tier", "api_key"}


def read_backend(section: Section) -> BackendEntry:
    columns = section.columns(PLAIN_KEYS)
    row = Backend(**columns)
    section.validate(row)
    section.check(row.clean)
    if "capabilities" in columns:
        columns["capabilities"] = row.capabilities  # as `clean` writes it
    return BackendEntry(
        name=section.get("name", str) or "",
        tier=section.get("tier", int) or 0,
        columns=columns,
        prices=_prices(section),
        api_key=_key_reference(section),
    )


def read_ranks(models: Sequence[Section]) -> tuple[int, ...]:
    """The tiers in use; none when they are too wrong to check other sections by."""
    ranks = sorted({section.get("tier", int) or 0 for section in models})
    for section in models:
        if (rank := section.get("tier", int)) is not None and rank < 1:
            section.complain("tier", f"{section.where}.tier must be 1 or more")
    if not ranks or ranks[0] < 1:
        return ()
    missing = next((n for n, rank in enumerate(ranks, start=1) if n != rank), None)
    if missing is None:
        return tuple(ranks)
    highest = next(s for s in models if s.get("tier", int) == ranks[-1])
    highest.complain(
        "tier",
        f"tier {missing} has no backend, but tier {ranks[-1]} has; "
        "tiers count up from 1 without a gap",
    )
    return ()


def _prices(section: Section) -> dict[str, int]:
    prices = {
        rule.column: price
        for key, rule in PRICE.items()
        if (price := section.get(key, int)) is not None
    }
    section.validate(Price(**prices))
    given = [key for key in PRICE if key in section.lines]
    for needed in ("cost_per_1k_in", "cost_per_1k_out"):
        if given and needed not in given:
            section.complain(
                given[0], f"{section.where} has {given[0]} but no {needed}; give both"
            )
    return prices


def _key_reference(section: Section) -> KeyReference | None:
    """$NAME or ${NAME} names a variable; anything else is the key itself."""
    text = section.get("api_key", str)
    if text is None:
        return None
    if match := VARIABLE.match(text):
        return KeyReference(env=match[1] or match[2])
    if text.startswith("$"):
        section.complain(
            "api_key",
            f"{section.where}.api_key begins with $ but isn't $NAME or ${{NAME}}, "
            "the name of an environment variable",
        )
    elif not text.isascii() or " " in text:
        # It travels in a header; also the usual trace of a bad copy.
        section.complain(
            "api_key", f"{section.where}.api_key holds a space or an accent"
        )
    return KeyReference(literal=Secret(text))
