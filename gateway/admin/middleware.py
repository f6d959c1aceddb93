"""Security headers of the admin pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Scripts come from this host's files alone: text that slips into a page unescaped
# can't run. Alpine.js, which unfold is built on, evaluates its attributes, and htmx
# adds a style element. Nothing may frame the pages.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware
