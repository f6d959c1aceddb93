"""Prices in the admin: a history that is read, and a form for the next one."""

from functools import partial

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.admin import TabularInline

from routing.control_names import NamedControls
from routing.forms import PriceForm
from routing.history_admin import HistoryAdmin
from routing.models import Backend, Price
from routing.money_format import exact_dollars
from routing.refresh_admin import refresh_view


class DollarPrices:
    """Columns that show a price's nano-USD as dollars per million tokens."""

    @admin.display(description="Input, $", ordering="input")
    def input_dollars(self, price: Price) -> str:
        return exact_dollars(price.input)

    @admin.display(description="Output, $", ordering="output")
    def output_dollars(self, price: Price) -> str:
        return exact_dollars(price.output)

    @admin.display(description="Cache read, $", ordering="cache_read")
    def cache_read_dollars(self, price: Price) -> str:
        return exact_dollars(price.cache_read)

    @admin.display(description="Cache write, $", ordering="cache_write")
    def cache_write_dollars(self, price: Price) -> str:
        return exact_dollars(price.cache_write)

    @admin.display(description="Longer prompts")
    def longer_dollars(self, price: Price) -> str:
        return "; ".join(
            f"above {step['above']}: {exact_dollars(step['input'])} / "
            f"{exact_dollars(step['output'])}"
            for step in price.longer
        )


PRICE_COLUMNS = (
    "effective_from",
    "input_dollars",
    "output_dollars",
    "cache_read_dollars",
    "cache_write_dollars",
    "longer_dollars",
    "source",
)


class PriceHistory(DollarPrices, TabularInline):
    model = Price
    verbose_name_plural = "prices so far, in $ per million tokens"
    fields = readonly_fields = PRICE_COLUMNS
    ordering = ("-effective_from",)
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Backend | None) -> bool:
        return False


class NewPriceForm(NamedControls, PriceForm):
    class Meta(PriceForm.Meta):
        pass


class NewPrice(TabularInline):
    model = Price
    form = NewPriceForm
    verbose_name = "new price, in $ per million tokens"
    extra = max_num = 1
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        return super().get_queryset(request).none()


@admin.register(Price)
class PriceAdmin(DollarPrices, HistoryAdmin):
    """A price is followed by a new one, never edited: old costs were made with it."""

    form = PriceForm
    list_display = ("backend", *PRICE_COLUMNS)
    change_form_after_template = "admin/what_if.html"
    list_filter = ("backend",)
    list_select_related = ("backend",)

    def get_urls(self) -> list[URLPattern]:
        refresh = partial(refresh_view, admin=self)
        view = self.admin_site.admin_view(refresh)
        return [
            path("refresh/", view, name="routing_price_refresh"),
            *super().get_urls(),
        ]

    def get_fields(
        self, request: HttpRequest, obj: Price | None = None
    ) -> tuple[str, ...]:
        return PriceForm.Meta.fields if obj is None else ("backend", *PRICE_COLUMNS)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Price | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("backend", *PRICE_COLUMNS)

    def has_change_permission(
        self, request: HttpRequest, obj: Price | None = None
    ) -> bool:
        return False
