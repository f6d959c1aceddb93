"""The one row of rules, put together by subject."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from routing.models.addresses import clean_url
from routing.models.backends import Tier
from routing.models.intent_check import IntentCheck
from routing.models.policy.caching import Caching
from routing.models.policy.calls import Calls
from routing.models.policy.cascade import CheapFirst
from routing.models.policy.fields import check_at_most, share
from routing.models.policy.learned import Learned
from routing.models.policy.records import Records
from routing.models.policy.sidecar import Sidecar
from routing.models.seen import check_seen

# Columns that name a backend, which may go and come back.
BACKEND_NAMES = ("cache_judge", "cache_embeddings", "learned_judge", "cascade_judge")


class RoutingPolicy(Caching, Sidecar, Learned, CheapFirst, Calls, Records):
    """The one row of rules; `load()` makes it when it is missing."""

    class ClientModel(models.TextChoices):
        CEILING = "ceiling", "Never above the named model's tier, cheaper if enough"
        PIN = "pin", "Exactly the named model's tier"
        ROUTE = "route", "Ignore the name, route freely"

    client_model = models.CharField(
        max_length=8,
        choices=ClientModel,
        default=ClientModel.CEILING,
        help_text="What a model name sent by a client means.",
    )
    baseline_tier = models.ForeignKey(
        Tier,
        models.SET_NULL,
        null=True,
        blank=True,
        help_text="Savings are measured against this tier. Empty: the highest.",
    )
    holdout_share = share(
        0.0,
        help_text="This share of the routed requests goes to the baseline tier at "
        "random, so that savings are measured: 0.02 is 2 %. 0: none.",
        most=0.05,
    )
    allow_downgrade = models.BooleanField(
        default=False,
        help_text="When no backend of the tier or above can answer, use a lower tier "
        "instead of refusing.",
    )
    budget_cap_share = share(
        0.8,
        help_text="A budget that is spent to this share lowers the highest tier. "
        "1: never.",
    )
    budget_cap_tier = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(9999)],
        help_text="The highest tier from then on. 0: the second highest.",
    )
    budget_cheapest_share = share(
        0.95,
        help_text="A budget that is spent to this share leaves stored answers and the "
        "lowest tier only. 1: never.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "routing policy"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_routing_policy")
        ]

    def __str__(self) -> str:
        return "Routing policy"

    def clean(self) -> None:
        if self.intents and (why := IntentCheck.why_not()):
            raise ValidationError({"intents": why})
        if self.budget_cap_share > self.budget_cheapest_share:
            told = "It is above the share that leaves the cheapest tier only."
            raise ValidationError({"budget_cap_share": told})
        check_at_most(self)
        clean_url(self, "sidecar_url")
        check_seen(self, "sidecar_url", *BACKEND_NAMES)

    @classmethod
    def load(cls) -> "RoutingPolicy":
        return cls.objects.get_or_create(pk=1)[0]
