"""The playground's page."""

from urllib.parse import urlencode

from django.test import AsyncRequestFactory

from gateway.asgi.context import RUNTIME

FORM = {"prompt": "Hi", "model": "auto", "tools": ""}


def page(user, gateway=None, **data):
    factory = AsyncRequestFactory()
    content = urlencode({**FORM, **data}).encode()
    kind = "application/x-www-form-urlencoded"
    request = factory.post("/admin/playground/", content, content_type=kind)
    if gateway is not None:
        request.scope[RUNTIME] = gateway.runtime

    async def auser():
        return user

    request.user, request.auser = user, auser
    return request
