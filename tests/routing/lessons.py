"""Lessons of a scope."""

from django.utils import timezone

from routing.learned.features import prompt_of, row_of
from routing.models import Lesson


def keep_lesson(name, text="a python function", scope="a"):
    body = {"messages": [{"role": "user", "content": text}]}
    Lesson.objects.create(
        request_id=name,
        at=timezone.now(),
        scope=scope,
        tier=1,
        chance=1.0,
        tokens=5,
        row=row_of(prompt_of(body)).pack(),
    )
