"""What a file would change in the rows of intents and their pins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.configuration.difference import Change, Outcome, assign, change_of
from gateway.configuration.document import Config
from gateway.configuration.schema import INTENT, PIN
from gateway.models import ApiKey
from routing.models import Backend, Intent, TrailPin

OF_A_KEY = "key:"


def plan_intents(
    config: Config, intents: dict[str, Intent], *, prune: bool
) -> Iterator[Change]:
    """Adds the intents that are new to `intents`."""
    known = {str(columns["slug"]) for columns in config.intents}
    whole = prune and "intents" in config.lists
    missing = sorted(intents.keys() - known) if known or whole else ()
    for columns in config.intents:
        slug = str(columns["slug"])
        row = intents.setdefault(slug, Intent(slug=slug))
        yield change_of(f"intent {slug}", row, assign(row, columns, INTENT))
    for slug in missing:
        row = intents[slug]
        if not whole:
            yield Change(f"intent {slug}", Outcome.NOT_IN_FILE)
        elif row.active:  # not deleted: what was learned of it goes with it
            details = assign(row, {"active": False}, INTENT)
            yield Change(f"intent {slug}", Outcome.NOT_IN_FILE, tuple(details), (row,))


def plan_pins(
    config: Config,
    intents: Mapping[str, Intent],
    backends: Mapping[str, Backend],
    keys: Mapping[str, ApiKey],
) -> Iterator[Change]:
    """Pins for keys that don't exist are not made; notes tell of those keys."""
    rows = {pin.cell: pin for pin in pins_in_use(backends, keys)}
    for entry in config.pins:
        if (scope := scope_in_database(entry.scope, keys)) is None:
            continue
        cell = (entry.intent, entry.backend, entry.scope)
        if found := rows.pop(cell, None):
            row = found.row
        else:
            row = TrailPin(
                intent=intents[entry.intent],
                tier=backends[entry.backend].tier.rank,
                backend=entry.backend,
                scope=scope,
            )
        yield change_of(label(cell), row, assign(row, {"value": entry.value}, PIN))
    for cell in rows if config.pins else ():
        yield Change(label(cell), Outcome.NOT_IN_FILE)


def pin_notes(config: Config, keys: Mapping[str, ApiKey]) -> Iterator[str]:
    for pin in config.pins:
        if scope_in_database(pin.scope, keys) is None:
            yield (
                f"the pin of {pin.intent} at {pin.backend} is for {pin.scope}, a key "
                "that does not exist; make it, then load this file again"
            )


@dataclass(frozen=True, slots=True)
class PinInUse:
    row: TrailPin
    scope: str  # as a file names it

    @property
    def cell(self) -> tuple[str, str, str]:
        return (self.row.intent.slug, self.row.backend, self.scope)


def pins_in_use(
    backends: Mapping[str, Backend], keys: Mapping[str, ApiKey]
) -> Iterator[PinInUse]:
    """Those of keys that exist at backends in their tier; others mean nothing."""
    names = {f"{OF_A_KEY}{key.pk}": name for name, key in keys.items()}
    for pin in TrailPin.objects.select_related("intent"):
        scope = pin.scope
        if scope.startswith(OF_A_KEY):
            if scope not in names:
                continue
            scope = OF_A_KEY + names[scope]
        backend = backends.get(pin.backend)
        if backend and backend.tier.rank == pin.tier:
            yield PinInUse(pin, scope)


def scope_in_database(scope: str, keys: Mapping[str, ApiKey]) -> str | None:
    """A file names a key by its name, the database by a number of its own."""
    if not scope.startswith(OF_A_KEY):
        return scope
    key = keys.get(scope.removeprefix(OF_A_KEY))
    return f"{OF_A_KEY}{key.pk}" if key else None


def label(cell: tuple[str, str, str]) -> str:
    intent, backend, scope = cell
    return f"pin of {intent} at {backend}{f' for {scope}' if scope else ''}"
