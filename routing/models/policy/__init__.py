"""The one row of rules."""

from routing.models.policy.policy import RoutingPolicy

__all__ = ["RoutingPolicy"]
