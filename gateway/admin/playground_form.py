"""What somebody tries in the playground, as a request body and as snippets."""

import json
import shlex
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from routing.chat import Json

LONGEST = 200_000  # characters


class ToolsField(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class PlaygroundForm(forms.Form):
    system = forms.CharField(
        label="System prompt",
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    prompt = forms.CharField(
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
        help_text="A second model for the same prompt; empty: none.",
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
    image = forms.URLField(
        label="Address of an image",
        required=False,
        max_length=2000,
        assume_scheme="https",
        widget=UnfoldAdminTextInputWidget,
    )
    json_mode = forms.BooleanField(
        label="Answer in JSON", required=False, widget=UnfoldBooleanWidget
    )
    tools = ToolsField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="A list of tools as OpenAI's API takes it.",
    )

    @property
    def models(self) -> list[str]:
        names = (self.cleaned_data["model"], self.cleaned_data["other_model"])
        return [name for name in names if name]

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


def curl(url: str, body: Json) -> str:
    text = json.dumps(body, ensure_ascii=False, indent=1)
    return (
        f"curl {shlex.quote(url + '/chat/completions')} \\\n"
        '  -H "authorization: Bearer $LLM_ROUTER_KEY" \\\n'
        "  -H 'content-type: application/json' \\\n"
        f"  -d {shlex.quote(text)}"
    )


def python(url: str, body: Json) -> str:
    """With OpenAI's SDK. Every value is written by `repr`, so none is run."""
    arguments = "".join(f"    {name}={value!r},\n" for name, value in body.items())
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f"client = OpenAI(base_url={url!r}, api_key=os.environ['LLM_ROUTER_KEY'])\n"
        f"answer = client.chat.completions.create(\n{arguments})\n"
        "print(answer.choices[0].message.content)"
    )
