"""What is at no address: JSON for programs, a page for people in the admin."""

from django.http import HttpRequest, HttpResponse
from django.views.defaults import page_not_found

from gateway.api import render
from gateway.asgi.routes import meant_by
from gateway.errors import UnknownAddress
from gateway.request_ids import new_request_id


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`/stats/` and `//v1/models` are mistakes of a program's, not of a reader's."""
    if request.path.startswith("/admin/"):
        return page_not_found(request, exception)
    error = UnknownAddress(request.path, meant_by(request.path))
    request_id = new_request_id()
    return HttpResponse(
        render.error_body(error, "openai", request_id),
        status=error.status,
        headers=dict([render.JSON, *render.request_headers(request_id)]),
    )
