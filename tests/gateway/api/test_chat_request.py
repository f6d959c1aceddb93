"""What the headers of a request say beside its body."""

import pytest

from gateway.api.chat_request import WISHES, request_of
from gateway.asgi.context import Context
from gateway.ledger.books import Caller
from routing.chat import ChatRequest

BODY = {"messages": [{"role": "user", "content": "Hello"}]}
HEARD = [
    (b"cache-control", b"no-cache", {"no_cache": True}),
    (b"cache-control", b"no-store", {"no_cache": True, "no_store": True}),
    (b"cache-control", b"x-llm-router-allow-sampled", {"allow_sampled_reuse": True}),
    (b"x-llm-router-cache-namespace", b"drafts", {"namespace": "drafts"}),
    (b"x-llm-router-cache-ttl", b"600", {"cache_ttl": 600.0}),
    (b"x-llm-router-dry-run", b"1", {"dry_run": True}),
    (b"x-llm-router-max-tier", b"2", {"max_tier": 2}),
    (b"x-llm-router-pin", b"haiku", {"pin": "haiku"}),
    (b"x-llm-router-session", b"s-1", {"session": "s-1"}),
    (b"x-llm-router-tags", b"a, b", {"tags": ("a", "b")}),
    (b"x-llm-router-timeout", b"2.5", {"timeout": 2.5}),
]


def asked(headers: dict[bytes, bytes], caller: Caller) -> ChatRequest:
    return request_of(BODY, Context(None, "req_1", "openai", headers, caller))


@pytest.mark.parametrize(("name", "value", "wishes"), HEARD)
def test_each_header_is_heard_when_it_is_the_only_one(name, value, wishes):
    plain = ChatRequest(body=BODY, scope="key:1", request_id="req_1")

    heard = asked({b"host": b"localhost", name: value}, Caller("key:1"))

    for field, wish in wishes.items():
        setattr(plain, field, wish)
    assert heard == plain


def test_every_header_that_may_say_something_is_tried_above():
    assert {name for name, _, _ in HEARD} == WISHES


def test_the_bounds_of_a_key_hold_with_and_without_headers():
    caller = Caller("key:1", min_tier=1, max_tier=2)

    bounds = [
        (request.min_tier, request.max_tier)
        for request in (
            asked({}, caller),
            asked({b"x-llm-router-tags": b"a"}, caller),
            asked({b"x-llm-router-max-tier": b"3"}, caller),
            asked({b"x-llm-router-max-tier": b"1"}, caller),
        )
    ]

    assert bounds == [(1, 2), (1, 2), (1, 2), (1, 1)]
