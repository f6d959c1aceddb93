"""Answers taken back by a part of what they are: those of a model, or of an age.

A purge of a whole scope changes its keys; these are looked for instead, in memory once
and in whatever comes from elsewhere when it comes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.cache.store import Entry


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Answers of a scope ("": any) by a model or backend ("": any) that were bought at
    `before` (POSIX seconds) or earlier."""

    scope: str
    model: str
    before: float

    def covers(self, scope: str, entry: Entry) -> bool:
        return (
            entry.at <= self.before
            and self.scope in ("", scope)
            and self.model in ("", entry.model, entry.backend)
        )


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """`requests` are single answers: a scope, and the request that bought it."""

    rules: tuple[Withdrawal, ...] = ()
    requests: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.rules or self.requests)

    def cover(self, scope: str, entry: Entry) -> bool:
        return (scope, entry.request_id) in self.requests or any(
            rule.covers(scope, entry) for rule in self.rules
        )


def latest(rules: Iterable[Withdrawal]) -> tuple[Withdrawal, ...]:
    """One for each scope and model: a later one covers what an earlier one did."""
    found: dict[tuple[str, str], Withdrawal] = {}
    for rule in rules:
        known = found.get((rule.scope, rule.model))
        if known is None or known.before < rule.before:
            found[rule.scope, rule.model] = rule
    return tuple(found.values())
