"""What somebody tries in the playground, and as which request."""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from gateway.admin.lines_field import Lines
from routing.chat import Json

LONGEST = 200_000  # characters
EXAMPLE = "classifier:\n  tier1_max: 20"


IMAGE = re.compile(r"https?://\S+|data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]+", re.ASCII)


def check_image(value: str) -> None:
    if not IMAGE.fullmatch(value):
        raise ValidationError("Begin it with https:// or data:image/...;base64,")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the answers that are compared: by which model, and by whose rules."""

    model: str
    rules: str = ""

    @property
    def name(self) -> str:
        return f"{self.model}, by the other rules" if self.rules else self.model


class ToolsField(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class PlaygroundForm(forms.Form):
    system = Lines(
        label="System prompt",
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    prompt = Lines(
        label="Prompt",
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
    )
    model = forms.CharField(
        initial="auto",
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "models"}),
        help_text="auto, tier-N, a backend or any name that clients may send.",
    )
    other_model = forms.CharField(
        label="Beside it",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "models"}),
        help_text="A second model; empty: none, or the same by other rules.",
    )
    max_tokens = forms.IntegerField(
        label="At most so many tokens",
        required=False,
        min_value=1,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )
    temperature = forms.FloatField(
        required=False,
        min_value=0,
        max_value=2,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )
    image = forms.CharField(
        label="Address of an image",
        required=False,
        max_length=LONGEST,
        validators=[check_image],
        widget=UnfoldAdminTextInputWidget,
        help_text="https://... or data:image/png;base64,...",
    )
    json_mode = forms.BooleanField(
        label="Answer in JSON", required=False, widget=UnfoldBooleanWidget
    )
    tools = ToolsField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="A list of tools as OpenAI's API takes it.",
    )
    rules = Lines(
        label="By other rules",
        required=False,
        max_length=LONGEST,
        strip=False,  # YAML's first line may be indented
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 3, "spellcheck": "false", "placeholder": EXAMPLE}
        ),
        help_text="Beside it, decided by these sections of config.yaml; empty: by the "
        "saved ones. Nothing of it is saved.",
    )

    @property
    def sides(self) -> list[Side]:
        """One answer, and one beside it when another model or other rules are given."""
        said = self.cleaned_data
        rules = said["rules"] if said["rules"].strip() else ""
        found = [Side(said["model"])]
        if said["other_model"] or rules:
            found.append(Side(said["other_model"] or said["model"], rules))
        return found

    def body(self, model: str) -> Json:
        """The request, as a client would send it."""
        said: dict[str, Any] = self.cleaned_data
        content: Any = said["prompt"]
        if said["image"]:
            content = [
                {"type": "text", "text": content},
                {"type": "image_url", "image_url": {"url": said["image"]}},
            ]
        messages = [{"role": "user", "content": content}]
        if said["system"]:
            messages.insert(0, {"role": "system", "content": said["system"]})
        body: Json = {"model": model, "messages": messages}
        for name in ("max_tokens", "temperature", "tools"):
            if said[name] not in (None, "", []):
                body[name] = said[name]
        if said["json_mode"]:
            body["response_format"] = {"type": "json_object"}
        return body
