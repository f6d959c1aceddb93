"""Admin pages of keys, books and people. Django's autodiscover imports this."""

from gateway.admin import books, cache, cascade, keys, people, spending  # noqa: F401
