"""What requests and answers said, where a policy asks for it to be kept."""

from django.db import models


class RequestContent(models.Model):
    """The texts of one request, redacted before they were written anywhere.

    `messages` are `{"role", "text", "chars"}`, `chars` being the length of the whole.
    """

    request_id = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)
    scope = models.CharField(max_length=160)
    key_id = models.BigIntegerField(default=0, db_index=True)
    messages = models.JSONField(default=list)
    answer = models.TextField(blank=True)
    answer_chars = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(
        default=0, help_text="Messages beyond what is kept of one request."
    )

    class Meta:
        ordering = ("-id",)
        verbose_name = "stored text"

    def __str__(self) -> str:
        return self.request_id
