"""Pages of a table too large to count: newest first, each page below an id."""

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList


class KeysetPaginator(Paginator):
    """The page "number" is the id below which the page begins; 1 is the newest page.

    No COUNT(*) and no OFFSET: the hundredth page costs what the first does, and rows
    that arrive meanwhile don't shift it.
    """

    template_name = "admin/keyset_pagination.html"
    count = 1 << 62  # so that the change list always asks for a page
    object_list: QuerySet

    def page(self, number: int | str) -> Page:
        rows = self.object_list.order_by("-id")
        if int(number) > 1:
            rows = rows.filter(id__lt=int(number))
        return Page(list(rows[: self.per_page]), int(number), self)


class UncountedChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Two counts that differ would be printed as "n results".
        self.full_result_count = self.result_count
