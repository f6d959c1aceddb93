"""The one row of rules."""

from routing.models.policy.policy import BACKEND_NAMES, RoutingPolicy

__all__ = ["BACKEND_NAMES", "RoutingPolicy"]
