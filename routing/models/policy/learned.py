"""Who decides a tier, what is learned from feedback, and what that may cost."""

from django.db import models

from routing.models.policy.fields import backend_name, count, dollars, share


class Learned(models.Model):
    class ColdStart(models.TextChoices):
        HEURISTIC = "heuristic", "The explained 0-100 score"
        BASELINE = "baseline", "Everything to the baseline tier"

    class LearnedTarget(models.TextChoices):
        MAX_LOSS = "max_loss", "At most this share of the quality is lost"
        TOP_SHARE = "top_share", "At most this share of requests goes to the top tier"
        MAX_WORSE = "max_worse", "At most this share of downgrades is worse (a promise)"

    class Learning(models.TextChoices):
        NONE = "none", "Nothing is learned"
        WATCH = "watch", "New routers are watched; a person activates them"
        AUTO = "auto", "A new router that beats what it must decides by itself"

    cold_start = models.CharField(
        max_length=9,
        choices=ColdStart,
        default=ColdStart.HEURISTIC,
        help_text="Who decides until a router has been trained on own traffic.",
    )
    learned_target = models.CharField(
        max_length=9,
        choices=LearnedTarget,
        default=LearnedTarget.MAX_LOSS,
        help_text="What a trained router must keep to.",
    )
    learned_target_value = share(
        0.02,
        help_text="0.02 is 2 %: of the quality that the top tier would give, of the "
        "requests, or of the downgraded requests.",
    )
    learning = models.CharField(
        max_length=5,
        choices=Learning,
        default=Learning.NONE,
        help_text="Keep what a request looked like (never its text), try other tiers "
        "now and then, and train routers on the feedback.",
    )
    learned_exploration = share(
        0.5,
        help_text="While learning and before a router decides: the share of requests "
        "whose tier is drawn at random.",
    )
    learned_soft_share = share(
        0.1,
        help_text="While learning and once a router decides: the share of requests "
        "that go to another tier than it would choose, mostly those near its border.",
        most=0.5,
    )
    learned_refit_every = count(
        200,
        help_text="New votes of a scope after which a new router is trained.",
        least=20,
    )
    learned_shadow_requests = count(
        50,
        help_text="Requests that a new router is watched on before it decides.",
    )
    learned_judge = backend_name(
        help_text="Backend that compares two tiers' answers, blind and in both orders. "
        "Empty: none are compared.",
    )
    learned_pair_share = share(
        0.0,
        help_text="While learning: the share of bought answers whose request is also "
        "asked of the tier below, for the judge to compare.",
    )
    learned_pair_budget_usd = dollars(
        1.0,
        help_text="Dollars a day that such second answers and the judge may cost.",
    )
    learned_across_scopes = models.BooleanField(
        default=False,
        help_text="Learn one router for everybody from everybody's votes. Off: the "
        "votes of a team, or of a key without one, move its own requests only.",
    )
    max_feedback = count(
        10_000,
        help_text="Feedback rows kept; the oldest leave first.",
    )
    intents = models.BooleanField(
        default=False,
        help_text="Among backends of equal price, prefer the one that has served "
        "requests of this kind best. Only after manage.py check_intents has passed.",
    )

    class Meta:
        abstract = True
