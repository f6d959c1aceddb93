"""What all pages of rows that the gateway writes have in common."""

from django.contrib.admin import ShowFacets
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.views import ChangeList


class ReadOnlyChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Else a list that nothing was left out of says "n results (Show all)".
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the gateway writes and people read."""

    # How many rows each choice of each filter leaves: of a large table a minute's work.
    show_facets = ShowFacets.NEVER

    def get_changelist(
        self, request: HttpRequest, **kwargs: object
    ) -> type[ChangeList]:
        return ReadOnlyChangeList

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """For actions: who could change the rows if anybody could."""
        name = f"{self.opts.app_label}.change_{self.opts.model_name}"
        return request.user.has_perm(name)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False
