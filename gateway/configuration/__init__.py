"""config.yaml and the rows it is imported into; the rows rule, the file is a start."""

import os
from collections.abc import Mapping
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from gateway.configuration.apply import apply
from gateway.configuration.difference import Plan
from gateway.configuration.document import Config
from gateway.configuration.dump import dump
from gateway.configuration.plan import plan
from gateway.configuration.problems import ConfigurationError
from gateway.configuration.reader import read, read_bytes, read_rules
from gateway.configuration.report import describe, differences
from gateway.configuration.restore import (
    Restoration,
    apply_restore,
    plan_restore,
    tracked,
)
from routing.models import Backend

__all__ = [
    "Config",
    "ConfigurationError",
    "Plan",
    "Restoration",
    "apply",
    "apply_restore",
    "describe",
    "drift",
    "dump",
    "import_if_empty",
    "plan",
    "plan_restore",
    "read",
    "read_bytes",
    "read_rules",
    "tracked",
]


def import_if_empty(
    path: Path, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Import `path` when there are no backends yet; what was done, in lines.

    Raises ConfigurationError. An empty answer: the database had backends already.
    """
    with transaction.atomic():
        if Backend.objects.exists():
            return ()
        wanted = plan(read(path, environ), timezone.now())
        apply(wanted)
    return tuple(describe(wanted))


def drift(path: Path, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Where `path` differs from the database. Raises ConfigurationError when it can't
    be compared."""
    config = read(path, environ)
    return list(differences(plan(config, timezone.now(), seed=False)))
