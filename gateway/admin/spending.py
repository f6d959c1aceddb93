"""What keys and teams spent."""

from django.contrib import admin

from gateway.models import SpendDay
from routing.money_format import dollars
from routing.read_only_admin import ReadOnlyAdmin


@admin.register(SpendDay)
class SpendDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "key_id", "team", "requests", "tokens", "spent", "saved")
    list_filter = ("day",)
    exclude = ("spent_nano", "saved_nano")

    @admin.display(description="Spent", ordering="spent_nano")
    def spent(self, row: SpendDay) -> str:
        return dollars(row.spent_nano)

    @admin.display(description="Saved", ordering="saved_nano")
    def saved(self, row: SpendDay) -> str:
        return dollars(row.saved_nano)
