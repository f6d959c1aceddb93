"""Trained routers and their versions."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max, Q
from django.utils import timezone


class RouterModel(models.Model):
    """One trained router. Of each scope at most one is active and decides; the others
    wait or rest. A router of no scope decides for all that have none of their own.

    `data` is the file that `train_router` writes: arrays and JSON, never code.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft: kept, not used"
        SHADOW = "shadow", "Shadow: its choice is logged beside the decision"
        ACTIVE = "active", "Active: it decides"
        RETIRED = "retired", "Retired: was active once"

    class Source(models.TextChoices):
        COMMAND = "command", "train_router"
        FEEDBACK = "feedback", "Feedback on own traffic"

    version = models.PositiveIntegerField(unique=True, editable=False)
    status = models.CharField(max_length=7, choices=Status, default=Status.DRAFT)
    source = models.CharField(max_length=8, choices=Source, default=Source.COMMAND)
    scope = models.CharField(
        max_length=160,
        blank=True,
        editable=False,
        help_text="Whose requests it is for; empty: everybody's.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    data = models.BinaryField()
    traffic = models.BinaryField(default=b"", editable=False)  # of `calibrate`
    promise = models.JSONField(
        default=dict, editable=False, help_text="What judgements have shown of it."
    )
    metrics = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ("-version",)
        verbose_name = "router"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("scope",),
                condition=Q(status="active"),
                name="one_active_router_per_scope",
            ),
            models.UniqueConstraint(
                fields=("scope",),
                condition=Q(status="shadow"),
                name="one_shadow_router_per_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"Router {self.version}" + (f" of {self.scope}" if self.scope else "")

    @classmethod
    def keep(
        cls,
        data: bytes,
        metrics: dict[str, Any],
        source: str = Source.COMMAND,
        scope: str = "",
    ) -> "RouterModel":
        """Store a router as the next version, a draft."""
        with transaction.atomic():
            newest = cls.objects.aggregate(newest=Max("version"))["newest"] or 0
            return cls.objects.create(
                version=newest + 1,
                data=data,
                metrics=metrics,
                source=source,
                scope=scope,
            )

    @classmethod
    def of(cls, scope: str, status: str) -> "RouterModel | None":
        """The scope's own router of this status, or None."""
        return cls.objects.filter(scope=scope, status=status).first()

    @property
    def objections(self) -> list[str]:
        """Why it must not decide."""
        return list(self.metrics.get("objections", ["It was never measured."]))

    def activate(self) -> None:
        """Let it decide from now on. Raises ValidationError when it must not."""
        if self.objections:
            raise ValidationError(self.objections)
        with transaction.atomic():
            self._leave(self.Status.ACTIVE)
            self._become(self.Status.ACTIVE, activated_at=timezone.now())

    def calibrate(self, traffic: bytes) -> None:
        """Solve targets on this sample of own traffic from now on."""
        self.traffic = traffic
        self.save(update_fields=["traffic"])

    def give(self, promise: dict[str, Any]) -> None:
        """Keep what judgements have shown, with the day they did."""
        self.promise = {**promise, "at": timezone.now().isoformat()}
        self.save(update_fields=["promise"])

    def watch(self) -> None:
        """Log what it would choose, beside what is chosen."""
        with transaction.atomic():
            watched = RouterModel.objects.filter(scope=self.scope)
            watched.filter(status=self.Status.SHADOW).update(status=self.Status.DRAFT)
            self._become(self.Status.SHADOW)

    def retire(self) -> None:
        """Let it rest. When it was active, the heuristic decides again."""
        self._become(self.Status.RETIRED)

    @classmethod
    def step_back(cls, scope: str = "") -> "RouterModel | None":
        """Let the scope's router decide that did before the active one.

        None: it has none of its own, and the heuristic or everybody's router decides.
        """
        with transaction.atomic():
            active = cls.of(scope, cls.Status.ACTIVE)
            if active is None:
                return None
            earlier = cls.objects.filter(
                scope=scope,
                status=cls.Status.RETIRED,
                activated_at__lt=active.activated_at,
            )
            active.retire()
            previous = earlier.order_by("-activated_at").first()
            if previous is not None:
                # Its time of activation stays: a further step goes further back.
                previous._become(cls.Status.ACTIVE)
            return previous

    def _leave(self, status: str) -> None:
        holders = RouterModel.objects.filter(scope=self.scope, status=status)
        holders.exclude(pk=self.pk).update(status=self.Status.RETIRED)

    def _become(self, status: str, **columns: Any) -> None:
        for name, value in {"status": status, **columns}.items():
            setattr(self, name, value)
        self.save(update_fields=["status", *columns])
