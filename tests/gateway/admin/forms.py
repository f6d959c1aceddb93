"""What a form of the admin sends."""

from routing.models import Backend, Price, RoutingPolicy, Tier
from routing.models.config_version import ConfigVersion


def everything() -> tuple[object, ...]:
    models = (Tier, Backend, Price, RoutingPolicy, ConfigVersion, Tier.history.model)
    return tuple(
        sorted(map(str, model._default_manager.values_list())) for model in models
    )
