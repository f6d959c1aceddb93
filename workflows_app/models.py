"""Stored workflows, and what became of each run and each of its ops."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from gateway.errors import GatewayError
from workflows_app.definition import Definition
from workflows_app.reader import read


class Workflow(models.Model):
    """A workflow that clients run by its name. Its versions keep every text it had."""

    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9_-]*\Z", "Use a-z, 0-9, _ and -, without spaces."
            )
        ],
        help_text='What a request names: {"workflow": "NAME"}.',
    )
    description = models.CharField(max_length=300, blank=True)
    text = models.TextField(
        help_text="YAML: start_ops, end_ops and ops. See docs/workflows.md."
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    enabled = models.BooleanField(default=True, help_text="Clients may run it.")
    updated_at = models.DateTimeField(auto_now=True)

    # A text that comes back is a new version, since runs name theirs.
    history = HistoricalRecords(excluded_fields=["version", "updated_at"])
    out_of_use: ClassVar = {"enabled": False}

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def definition(self) -> Definition:
        """Raises InvalidWorkflow."""
        return read(self.text)

    def clean(self) -> None:
        super().clean()
        if not self.text:  # the field tells what it lacks
            return
        try:
            found = self.definition
        except GatewayError as error:
            raise ValidationError({"text": error.message}) from error
        self.description = self.description or found.description[:300]

    def save(self, *args: object, **kwargs: object) -> None:
        """A changed text becomes a new version."""
        newest = self.versions.first() if self.pk else None
        changed = newest is None or newest.text != self.text
        if changed:
            self.version = newest.version + 1 if newest else 1
        super().save(*args, **kwargs)  # type: ignore[arg-type]
        if changed:
            self.versions.create(version=self.version, text=self.text)


class WorkflowVersion(models.Model):
    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="versions"
    )
    version = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-version",)
        constraints = [
            models.UniqueConstraint(
                fields=("workflow", "version"), name="one_text_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workflow} version {self.version}"


class WorkflowRun(models.Model):
    """One run, with the text it ran. Names are copies: deleting keeps history.

    `owner` is the process that runs it, until `lease_until`; then any may take over.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Webhook(models.TextChoices):
        NONE = "", "None asked for"
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    run_id = models.CharField(max_length=64, unique=True)
    workflow = models.CharField(max_length=64, blank=True)
    version = models.PositiveIntegerField(null=True)
    scope = models.CharField(max_length=160)
    key_name = models.CharField(max_length=100, blank=True)
    mode = models.CharField(max_length=12)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    text = models.TextField(help_text="The definition it ran.")
    inputs = models.JSONField(default=dict)
    caller = models.JSONField(default=dict, help_text="Who asked, to go on as them.")
    options = models.JSONField(default=dict)
    plan = models.JSONField(default=dict)
    final_output = models.JSONField(null=True)
    cost_nano = models.BigIntegerField(default=0)
    at_most_nano = models.BigIntegerField(
        default=0,
        help_text="What a run with a ceiling may have cost by now, calls under way "
        "included.",
    )
    set_aside_nano = models.BigIntegerField(
        default=0,
        help_text="The part of that which is for calls under way, and may be given "
        "back.",
    )
    total_ms = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    started_at = models.DateTimeField(
        null=True,
        help_text="Its ops' seconds count from here; later than the start by what it "
        "stood still since.",
    )
    finished_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    cancel_asked = models.BooleanField(default=False)
    batch = models.CharField(max_length=64, blank=True)
    number = models.PositiveIntegerField(default=0, help_text="Within its batch.")
    webhook = models.CharField(
        max_length=2000, blank=True, help_text="The address that is told of its end."
    )
    webhook_state = models.CharField(max_length=9, blank=True, choices=Webhook)
    webhook_tries = models.PositiveSmallIntegerField(default=0)
    webhook_due = models.DateTimeField(null=True)
    webhook_problem = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "run"
        indexes = [
            models.Index(fields=("status", "-id"), name="run_by_status"),
            models.Index(fields=("workflow", "-id"), name="run_by_workflow"),
            models.Index(
                fields=("batch", "number"),
                condition=~models.Q(batch=""),
                name="run_by_batch",
            ),
            models.Index(
                fields=("webhook_due",),
                condition=models.Q(webhook_state="waiting"),
                name="run_by_webhook",
            ),
        ]

    def __str__(self) -> str:
        return self.run_id


class BatchCeiling(models.Model):
    """What all runs of a batch may cost together, and the sum of what each may have
    cost by now."""

    batch = models.CharField(max_length=64, unique=True)
    limit_nano = models.BigIntegerField()
    at_most_nano = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.batch


class SharedCall(models.Model):
    """A call that several runs of a batch need: the process `owner` makes it, until
    `lease_until`; then any may. `said` is what came of it, for all of them."""

    key = models.CharField(max_length=64, unique=True)
    batch = models.CharField(max_length=64, db_index=True)
    owner = models.CharField(max_length=100)
    lease_until = models.DateTimeField()
    paid_by = models.CharField(max_length=200, help_text="The run, op and item.")
    said = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.paid_by


class OpRun(models.Model):
    """What became of one op of a run. `items` keeps finished items of maps and
    samples while the op goes on."""

    run = models.ForeignKey(WorkflowRun, on_delete=models.CASCADE, related_name="ops")
    op = models.CharField(max_length=32)
    status = models.CharField(max_length=10)
    output = models.JSONField(null=True)
    items = models.JSONField(default=dict)
    calls = models.PositiveIntegerField(default=0)
    tier = models.PositiveSmallIntegerField(null=True)
    backend = models.CharField(max_length=128, blank=True)
    cache = models.CharField(max_length=8, blank=True)
    cost_nano = models.BigIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    request_ids = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    started_s = models.FloatField(null=True, help_text="Since the run's start.")
    ended_s = models.FloatField(null=True)
    said = models.JSONField(
        default=dict, help_text="Its text so far while it goes on, if asked for."
    )

    class Meta:
        ordering = ("id",)
        verbose_name = "op"
        constraints = [
            models.UniqueConstraint(fields=("run", "op"), name="one_row_per_op")
        ]

    def __str__(self) -> str:
        return f"{self.op}: {self.status}"
