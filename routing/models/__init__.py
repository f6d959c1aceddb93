"""Rows an operator edits: tiers, backends, prices, aliases, policy; and what is
learned: feedback and routers."""

from routing.models.aliases import ModelAlias
from routing.models.backends import Backend, Price, Tier
from routing.models.config_version import ConfigVersion
from routing.models.feedback import Feedback
from routing.models.intent import Intent, IntentCheck, Trail, TrailPin
from routing.models.judgement import Judgement
from routing.models.lesson import Lesson
from routing.models.policy import RoutingPolicy
from routing.models.router import RouterModel
from routing.models.turn import LearningTurn

__all__ = [
    "Backend",
    "ConfigVersion",
    "Feedback",
    "Intent",
    "IntentCheck",
    "Judgement",
    "LearningTurn",
    "Lesson",
    "ModelAlias",
    "Price",
    "RouterModel",
    "RoutingPolicy",
    "Tier",
    "Trail",
    "TrailPin",
]
