from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from routing import triggers

# Tables whose rows the snapshot holds.
WATCHED = (
    "Tier",
    "Backend",
    "Price",
    "ModelAlias",
    "RoutingPolicy",
    "RouterModel",
    "Intent",
    "IntentCheck",
    "TrailPin",
    "VotedBorder",
)


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = "Gateway"

    def ready(self) -> None:
        # The last app of ours that has tables: all of them exist by then.
        post_migrate.connect(watch_configuration, sender=self)
        post_migrate.connect(make_roles_later)


def make_roles_later(**about: Any) -> None:
    """Its models can't be imported before all apps are ready."""
    from gateway.roles import make_roles

    make_roles(**about)


def watch_configuration(using: str = "default", **_: Any) -> None:
    """Make every change of a configuration row visible to the snapshot."""
    models = [apps.get_model("routing", name) for name in WATCHED]
    for name in ("ApiKey", "Team", "CachePurge", "CacheLevelOff"):
        models.append(apps.get_model("gateway", name))
    triggers.install([model._meta.db_table for model in models], using)
