"""Who makes a call that several runs of a batch need: a row per call, with a lease."""

import hashlib
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Self

from django.utils import timezone

from routing.chat import Json, Usage
from workflows_app.call import Said
from workflows_app.lease import is_dead
from workflows_app.memo import shared
from workflows_app.models import SharedCall
from workflows_app.store import LEASE


@dataclass(frozen=True, slots=True)
class Claim:
    """`payer` is the run, op and item that would make the call."""

    key: str
    batch: str
    payer: str

    @classmethod
    def of(cls, batch: str, request: bytes, payer: str) -> Self:
        digest = hashlib.sha256(batch.encode() + request)
        return cls(digest.hexdigest(), batch, payer)


def take(owner: str, claim: Claim) -> Said | bool:
    """What came of the call; else whether it is ours to make, or another's."""
    now = timezone.now()
    ours = {"owner": owner, "lease_until": now + LEASE, "paid_by": claim.payer}
    row, created = SharedCall.objects.get_or_create(
        key=claim.key, defaults={"batch": claim.batch, **ours}
    )
    if created:
        return True
    if row.said is not None:
        said = said_of(row.said)
        # Its process may have died before the op was written.
        return said if row.paid_by == claim.payer else shared(said)
    if not is_free(row, owner, now):
        return False
    # One statement, so that of two processes only one finds the row still free.
    free = SharedCall.objects.filter(
        pk=row.pk, said__isnull=True, owner=row.owner, lease_until=row.lease_until
    )
    return bool(free.update(**ours))


def is_free(row: SharedCall, owner: str, now: datetime) -> bool:
    if row.lease_until < now:
        return True
    return row.owner != owner and is_dead(row.owner, owner)


def finish(owner: str, claim: Claim, said: Said) -> None:
    """Tell everybody; the first answer stays."""
    mine = SharedCall.objects.filter(key=claim.key, owner=owner, said__isnull=True)
    mine.update(said=asdict(replace(said, left={})))


def let_go(owner: str, claim: Claim) -> None:
    """The call failed: whoever needs it makes it."""
    SharedCall.objects.filter(key=claim.key, owner=owner, said__isnull=True).delete()


def renew(owner: str, keys: Collection[str]) -> None:
    mine = SharedCall.objects.filter(key__in=keys, owner=owner, said__isnull=True)
    mine.update(lease_until=timezone.now() + LEASE)


def settled(owner: str, keys: Collection[str]) -> set[str]:
    """Of these calls of others, those that have ended, or that nobody makes now."""
    now = timezone.now()
    under_way = SharedCall.objects.filter(key__in=keys, said__isnull=True).defer("said")
    return set(keys) - {row.key for row in under_way if not is_free(row, owner, now)}


def said_of(saved: Json) -> Said:
    known = {each.name for each in fields(Said)}
    found = {name: value for name, value in saved.items() if name in known}
    return Said(**{**found, "usage": Usage(**saved["usage"])})
