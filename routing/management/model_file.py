"""Which router a command works with."""

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

if TYPE_CHECKING:
    from routing.learned.model import QualityModel


def find_model(path: Path | None) -> "QualityModel":
    """The given file, else the active router, else the last one trained here."""
    from routing.learned.model import NotAModel, QualityModel

    data = None if path else active_router()
    source = path or settings.DATA_DIR / "router.npz"
    try:
        return QualityModel.load(source.read_bytes() if data is None else data)
    except FileNotFoundError:
        raise CommandError(
            f"There is no router: {source} does not exist and none is active. "
            "Train one with manage.py train_router --data FILE.jsonl."
        ) from None
    except (NotAModel, OSError) as error:
        raise CommandError(f"{source}: {error}") from None


def active_router() -> bytes | None:
    """The router that decides; None when there is none, or no database yet."""
    from routing.models import RouterModel

    try:
        active = RouterModel.objects.filter(status=RouterModel.Status.ACTIVE)
        found = active.order_by("scope").first()  # everybody's, where there is one
    except DatabaseError:
        return None
    return bytes(found.data) if found else None
