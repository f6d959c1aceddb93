"""`intents` and `intent_pins`: kinds of requests, and who is good at them."""

import re
from collections.abc import Mapping, Sequence

from gateway.configuration.document import PinEntry
from gateway.configuration.problems import suggestion
from gateway.configuration.sections.section import (
    Section,
    check_unique,
    unknown_backend,
)
from gateway.ledger.books import LOCAL_SCOPE
from routing.models import Intent, TrailPin

SCOPE = re.compile(rf"(team|key):.+|{LOCAL_SCOPE}")


def read_intents(sections: Sequence[Section]) -> tuple[Mapping[str, object], ...]:
    check_unique("slug", sections)
    found = []
    for section in sections:
        columns = section.columns(section.keys.keys())
        row = Intent(**columns)
        section.validate(row)
        section.check(row.clean_signs)
        if "slug" in columns:
            found.append(columns)
    return tuple(found)


def read_pins(
    sections: Sequence[Section], intents: Sequence[Section], names: Sequence[str]
) -> tuple[PinEntry, ...]:
    """`names` are those of the backends."""
    slugs = [slug for each in intents if (slug := each.get("slug", str))]
    first: dict[tuple[str, ...], Section] = {}
    found = []
    for section in sections:
        section.validate(TrailPin(**section.columns(section.keys.keys() - {"intent"})))
        pin = PinEntry(
            intent=section.get("intent", str) or "",
            backend=section.get("backend", str) or "",
            scope=section.get("scope", str) or "",
            value=section.get("value", float) or 0.0,
        )
        if pin.intent and pin.intent not in slugs:
            told = suggestion(pin.intent, slugs)
            message = f'{section.where}: the intent "{pin.intent}" is not in intents'
            section.complain("intent", message + told)
        if pin.backend and pin.backend not in names:
            section.complain(
                "backend", unknown_backend(pin.backend, section.where, names)
            )
        if pin.scope and not SCOPE.fullmatch(pin.scope):
            message = f"{section.where}.scope must be team:NAME, key:NAME or local"
            section.complain("scope", message)
        cell = (pin.intent, pin.backend, pin.scope)
        if (earlier := first.setdefault(cell, section)) is not section:
            section.complain(
                "intent", f"{section.where} pins what {earlier.where} does"
            )
        found.append(pin)
    return tuple(found)
