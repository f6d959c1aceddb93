"""What was changed in a row, by whom and when, and the row as it was.

Rows of history hold no secret: keys and digests are left out when they are written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Model

SHOWN = 100  # versions on a page
KINDS = {"+": "created", "~": "changed", "-": "deleted"}
# What says that nothing was decided: never told as a change, never restored.
SILENT = ("created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after, as people read it."""

    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.field}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a row's history. `id` is None's equal, 0, for what is not kept."""

    id: int
    at: datetime
    who: str
    kind: str
    reason: str
    differences: tuple[Difference, ...]


def records(model: type[Model], pk: object) -> Any:
    """The entries about one row, newest first; also of one that was deleted."""
    history: Any = model.history  # type: ignore[attr-defined]
    return history.filter(**{model._meta.pk.attname: pk}).order_by("-history_id")


def newest(model: type[Model], pk: object) -> int:
    """The number of a row's newest version; 0 when nothing is kept of it."""
    try:
        found = records(model, pk).values_list("history_id", flat=True).first()
    except (ValueError, ValidationError):  # no number
        return 0
    return int(found or 0)


def newest_of_all(model: type[Model]) -> int:
    """The number of the newest version of any row."""
    history: Any = model.history  # type: ignore[attr-defined]
    found = history.order_by("-history_id").values_list("history_id", flat=True)
    return int(found.first() or 0)


def versions(model: type[Model], pk: object, after: int = 0) -> list[Version]:
    """Newest first. `after`: only those newer than this version."""
    query = records(model, pk).select_related("history_user")
    if after:
        query = query.filter(history_id__gte=after)
    rows = list(query[: SHOWN + 1])
    found = [version(newer, older) for newer, older in pairwise(rows)]
    if rows and not after and len(rows) <= SHOWN:
        found.append(version(rows[-1], None))
    return found


def version(record: Any, older: Any) -> Version:
    changed = tuple(differences(older, record)) if older is not None else ()
    return Version(
        id=record.history_id,
        at=record.history_date,
        who=str(record.history_user or "a command"),
        kind=KINDS.get(record.history_type, record.history_type),
        reason=record.history_change_reason or "",
        differences=changed,
    )


def fields_of(
    record: Any, keep: tuple[str, ...] = ()
) -> "list[models.Field[Any, Any]]":
    """The fields that history keeps, but for those that decide nothing."""
    fields = [f for f in record.tracked_fields if not f.primary_key]
    return [field for field in fields if field.name not in (*SILENT, *keep)]


def kept_on_restore(model: type[Model]) -> tuple[str, ...]:
    """The fields that no restoring changes, as the model names them."""
    return getattr(model, "kept_on_restore", ())


def differences(
    before: Any, after: Any, keep: tuple[str, ...] = ()
) -> Iterator[Difference]:
    """Between two of a row's versions, or between a version and the row itself."""
    record = after if hasattr(after, "tracked_fields") else before
    for field in fields_of(record, keep):
        old, new = getattr(before, field.attname), getattr(after, field.attname)
        if old != new:
            yield Difference(label(field), shown(field, old), shown(field, new))


def label(field: "models.Field[Any, Any]") -> str:
    return str(field.verbose_name)


def shown(field: "models.Field[Any, Any]", value: Any) -> str:
    if value in (None, ""):
        return "none"
    if isinstance(field, models.ForeignKey):
        related = field.related_model._default_manager.filter(pk=value).first()
        return str(related) if related else f"{value} (deleted)"
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return str(value)


def restore(model: type[Model], record: Any) -> Model:
    """Make a row what it was in `record`, also when it was deleted since.

    What history doesn't hold stays as it is, and so does what the model keeps. Raises
    ValidationError when the row would not be valid today.
    """
    pk = getattr(record, model._meta.pk.attname)
    with transaction.atomic():
        row = model._default_manager.select_for_update().filter(pk=pk).first()
        row = row if row is not None else model(pk=pk)
        take_over(row, record, kept_on_restore(model))
        check(row)
        reason = f"Restored as of {record.history_date:%Y-%m-%d %H:%M:%S} UTC."
        row._change_reason = reason  # type: ignore[attr-defined]
        row.save()
    return row


def take_over(row: Model, record: Any, keep: tuple[str, ...] = ()) -> set[str]:
    """Give a row, unsaved, the values of a version; the names of those that differ."""
    changed = set()
    for field in fields_of(record, keep):
        value = getattr(record, field.attname)
        if getattr(row, field.attname) != value:
            setattr(row, field.attname, value)
            changed.add(field.name)
    if hasattr(row, "restored"):
        row.restored(changed)
    return changed


def check(row: Model) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        sentences = [
            text if name == "__all__" else f"{name.replace('_', ' ')}: {text}"
            for name, texts in error.message_dict.items()
            for text in texts
        ]
        raise ValidationError(sentences) from None
