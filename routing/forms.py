"""Forms for what the stock fields can't ask: prices in dollars, keys never shown."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from routing.fields import encrypt
from routing.models import Backend, Price
from routing.money_format import exact_dollars, nano_dollars

HIGHEST_PRICE = 10**15  # a million dollars per million tokens

# A line break in a key would end the header it travels in.
PRINTABLE = RegexValidator(
    r"^[!-~]+\Z", "A key has no spaces, line breaks or accents: copy it once more."
)


class DollarsField(forms.Field):
    """Dollars per million tokens on the page, nano-USD in Python."""

    widget = UnfoldAdminTextInputWidget(
        attrs={"inputmode": "decimal", "autocomplete": "off"}
    )

    def prepare_value(self, value: object) -> object:
        return exact_dollars(value) if isinstance(value, int) else value

    def to_python(self, value: object) -> int | None:
        if value in self.empty_values:
            return None
        if isinstance(value, int):
            return value
        try:
            nano = nano_dollars(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if not 0 <= nano <= HIGHEST_PRICE:
            raise ValidationError("A price is between 0 and 1,000,000 dollars.")
        return nano


class PriceForm(forms.ModelForm):
    input = DollarsField(label="Input, $", help_text="Per million prompt tokens.")
    output = DollarsField(label="Output, $", help_text="Per million answer tokens.")
    cache_read = DollarsField(
        label="Cache read, $",
        required=False,
        help_text="Per million prompt tokens read from the provider's cache. "
        "Empty: the input price.",
    )
    cache_write = DollarsField(
        label="Cache write, $",
        required=False,
        help_text="Per million prompt tokens written to the provider's cache. "
        "Empty: the input price.",
    )

    class Meta:
        model = Price
        fields = (
            "backend",
            "effective_from",
            "input",
            "output",
            "cache_read",
            "cache_write",
            "source",
        )

    def clean_cache_read(self) -> int | None:
        return self._or_input("cache_read")

    def clean_cache_write(self) -> int | None:
        return self._or_input("cache_write")

    def _or_input(self, name: str) -> int | None:
        given = self.cleaned_data[name]
        return self.cleaned_data.get("input") if given is None else given


class BackendForm(forms.ModelForm):
    """A stored key can be replaced or forgotten, and is never sent to the browser."""

    new_api_key = forms.CharField(
        label="API key",
        required=False,
        max_length=4096,
        validators=[PRINTABLE],
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown again. Empty keeps what is stored. "
        "A stored key belongs to its address: change the provider or the address "
        "without entering it again, and it is forgotten.",
    )
    clear_api_key = forms.BooleanField(
        label="Forget the stored key", required=False, widget=UnfoldBooleanWidget
    )
    key_forgotten = False  # by a change of address, which the operator must hear of
    key_change = ""  # for the history, which holds no key

    class Meta:
        model = Backend
        exclude = ("api_key_value",)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if self.instance.api_key_value:
            self.fields["new_api_key"].widget.attrs["placeholder"] = "a key is stored"
        else:
            self.fields["clear_api_key"].disabled = True

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        self.instance.api_key_value = self._token_to_store()
        return cleaned

    def _token_to_store(self) -> str:
        if new_key := self.cleaned_data.get("new_api_key"):
            self.key_change = "The API key was replaced."
            return encrypt(new_key)
        if self.cleaned_data.get("clear_api_key"):
            self.key_change = "The API key was forgotten."
            return ""
        stored: str = self.instance.api_key_value
        if stored and {"provider", "base_url"} & set(self.changed_data):
            self.key_forgotten = True
            self.key_change = "The API key was forgotten with its address."
            return ""
        return stored
