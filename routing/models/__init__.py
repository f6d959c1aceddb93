"""Rows an operator edits: tiers, backends, prices, aliases, policy; and what is
learned: feedback and routers."""

from routing.models.aliases import ModelAlias
from routing.models.backends import Backend, Price, Tier
from routing.models.config_version import ConfigVersion
from routing.models.feedback import Feedback
from routing.models.intent import Intent, Trail, TrailPin
from routing.models.intent_check import IntentCheck
from routing.models.judgement import Judgement
from routing.models.lesson import Lesson
from routing.models.policy import RoutingPolicy
from routing.models.retirement import Retirement
from routing.models.router import RouterModel
from routing.models.turn import LearningTurn
from routing.models.voted_border import VotedBorder

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
    "Retirement",
    "RouterModel",
    "RoutingPolicy",
    "Tier",
    "Trail",
    "TrailPin",
    "VotedBorder",
]
