"""A text of several lines, as a client would send it."""

from typing import Any

from django import forms


class Lines(forms.CharField):
    """Browsers end a form's lines with CR LF, clients theirs with LF: to the cache
    these are two questions."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")
