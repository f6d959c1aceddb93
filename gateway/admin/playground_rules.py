"""Other rules for one request: a part of config.yaml, read as an import would read it,
and never saved."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils import timezone

from gateway import configuration
from gateway.cache.key import narrowed
from gateway.configuration.difference import Outcome
from gateway.runtime.checks import InvalidConfiguration
from gateway.runtime.snapshot import Snapshot, build
from routing.models import Tier

MAY_TRY = ("routing.change_routingpolicy", "routing.change_tier")


class WrongRules(Exception):
    """They can't be tried; its arguments are the reasons."""


@dataclass(frozen=True, slots=True)
class OtherRules:
    """What would serve by them, and how they differ from the saved ones."""

    snapshot: Snapshot
    difference: list[str]

    def apart(self) -> Snapshot:
        """The same, with nothing it buys found or shared under the saved rules."""
        own, mark = self.snapshot, "other rules"
        purged = {scope: narrowed(was, mark) for scope, was in own.purged.items()}
        fingerprint = narrowed(own.fingerprint, mark)
        return replace(own, fingerprint=fingerprint, purged=purged)


def read_rules(text: str) -> OtherRules:
    """Written and taken back, so that every rule of the database is met."""
    now = timezone.now()
    try:
        with transaction.atomic():
            try:
                ranks = tuple(Tier.objects.values_list("rank", flat=True))
                config = configuration.read_rules(text.encode(), "rules", ranks)
                plan = configuration.plan(config, now, seed=False)
                configuration.apply(plan)
                snapshot = build(now)
            finally:
                transaction.set_rollback(True)
    except configuration.ConfigurationError as error:
        raise WrongRules(*error.messages) from error
    except InvalidConfiguration as error:
        raise WrongRules(str(error)) from error
    return OtherRules(snapshot, list(difference(plan)))


def difference(plan: configuration.Plan) -> Iterator[str]:
    for change in plan.changes:
        if change.outcome is Outcome.CHANGED:
            for each in change.details:
                yield f"{each.key}: {each.before} -> {each.after}"
