"""Every address of the admin, as the resolver knows them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from tests.gateway.admin.every_page import page_urls

VALUES = {"slug:token": "x", "str:kind": "csv", "path:content_type_id": "1"}
CONVERTER = re.compile("<([^>]+)>")
OF_A_MODEL = re.compile(r"admin/(\w+)/(\w+)/")


def every_url() -> list[str]:
    """With a row of each model where an address needs one."""
    known = routes(get_resolver().url_patterns)
    own = (f"/{example(route)}" for route in known if route.startswith("admin/"))
    return list(dict.fromkeys([*page_urls(), *own]))


def routes(patterns: Iterable[URLPattern | URLResolver], above="") -> Iterator[str]:
    """Those of lists of apps, and of what is nowhere else, are no routes."""
    for each in patterns:
        if isinstance(each.pattern, RegexPattern):
            continue
        route = f"{above}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        else:
            yield route


def example(route: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] in ("path:object_id", "id"):
            return str(first_of(route))
        assert match[1] in VALUES, f"give {match[1]} of {route} a value here"
        return VALUES[match[1]]

    return CONVERTER.sub(value, route)


def first_of(route: str) -> object:
    """The row that a route is about, where there is one."""
    found = OF_A_MODEL.match(route)
    model: Any = found and apps.get_model(found[1], found[2])
    row = model and model._base_manager.order_by("pk").first()
    return row.pk if row else 1
