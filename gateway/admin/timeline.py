"""The decisions of a request, as steps that a template can show."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    text: str
    details: tuple[tuple[str, str], ...] = ()


def timeline(decisions: object) -> list[Step]:
    """One step per decision, in order. What has another shape is shown as it is."""
    entries = decisions if isinstance(decisions, list) else [decisions]
    return [step_of(entry) for entry in entries]


def step_of(entry: object) -> Step:
    if not isinstance(entry, dict):
        return Step("", readable(entry))
    details = tuple(
        (str(key).replace("_", " "), readable(value))
        for key, value in entry.items()
        if key not in ("step", "text")
    )
    return Step(
        readable(entry.get("step", "")), readable(entry.get("text", "")), details
    )


def readable(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
