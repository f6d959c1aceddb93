"""Names for controls that stand in the cells of a table, where no label is drawn."""

from typing import Any

from django.forms import ModelForm


class NamedControls(ModelForm):
    """For rows of a list and of an inline: `State of haiku`, `Input, $`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        of = f" of {self.instance}" if self.instance.pk else ""
        for name, field in self.fields.items():
            # Django wraps the choice of a related row in links to that row.
            widget: Any = getattr(field.widget, "widget", field.widget)
            label = field.label or name.replace("_", " ").capitalize()
            widget.attrs.setdefault("aria-label", f"{label}{of}")
