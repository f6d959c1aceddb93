"""Admin pages of keys, books and people. Django's autodiscover imports this."""

from gateway.admin import (  # noqa: F401
    books,
    cache,
    cache_browser,
    cascade,
    keys,
    people,
    spending,
)
