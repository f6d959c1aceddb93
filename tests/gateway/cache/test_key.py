from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.key import (
    canonical_key,
    exact_key,
    fingerprint,
    rest_key,
    sharing_key,
)
from routing.catalog import Alias, Backend, Catalog, Policy, PriceList, Tier
from routing.chat import ChatRequest
from routing.secret import Secret

POLICY = Policy()
CATALOG = Catalog(
    tiers=(Tier(1, "cheap", 30), Tier(2, "best")),
    backends=(Backend("haiku", 1, "anthropic", "claude-haiku"),),
    aliases=(Alias("gpt-*", tier=1),),
)
MODELS = fingerprint(CATALOG)
HELLO = [{"role": "user", "content": "Hello"}]


def key(scope="team-a", policy=POLICY, models=MODELS, chat=None, **fields):
    body = {"model": "auto", "messages": HELLO, **fields}
    chat = chat or ChatRequest(body, scope, "req-1")
    return exact_key(scope, chat, policy, models)


def test_a_key_is_32_bytes_and_the_same_for_the_same_request():
    assert len(key()) == 32
    assert key() == key()


def test_a_key_without_a_scope_cannot_be_made():
    with pytest.raises(TypeError):
        exact_key(
            chat=ChatRequest({}, "s", "r"), policy=POLICY, catalog_fingerprint=b""
        )


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": "hello"}]},
        {"messages": [{"role": "user", "content": "Hello "}]},
        {"messages": [{"role": "system", "content": "Be brief"}, *HELLO]},
        {"messages": [*HELLO, {"role": "assistant", "content": "Hi"}, *HELLO]},
        {"messages": [{"role": "user", "content": "Hello", "name": "bob"}]},
        {"temperature": 0},
        {"top_p": 0.5},
        {"seed": 7},
        {"n": 2},
        {"max_tokens": 5},
        {"max_completion_tokens": 5},
        {"stop": ["\n"]},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tool_choice": "none"},
        {"response_format": {"type": "json_object"}},
        {"reasoning_effort": "low"},
        {"service_tier": "flex"},
        {"a_field_of_tomorrow": None},
        {"scope": "team-b"},
        {"models": b"others"},
        {"policy": replace(POLICY, client_model="pin")},
        {"policy": replace(POLICY, cold_start="baseline")},
        {"policy": replace(POLICY, allow_downgrade=True)},
        {"policy": replace(POLICY, baseline_tier=2)},
        {"policy": replace(POLICY, learned_threshold=0.9)},
        {"policy": replace(POLICY, sidecar_url="http://localhost:6060")},
    ],
)
def test_whatever_changes_the_answer_changes_the_key(fields):
    assert key(**fields) != key()


@pytest.mark.parametrize(
    "routed",
    [{"model": "gpt-4o"}, {"pin": "haiku"}, {"min_tier": 2}, {"max_tier": 2}],
)
def test_what_the_client_asks_the_router_for_changes_the_key(routed):
    chat = ChatRequest({"messages": HELLO}, "team-a", "req-1")
    assert key(chat=replace(chat, **routed)) != key(chat=chat)


def test_a_lower_and_an_upper_tier_bound_are_not_taken_for_each_other():
    chat = ChatRequest({"messages": HELLO}, "team-a", "req-1")
    assert key(chat=replace(chat, min_tier=2)) != key(chat=replace(chat, max_tier=2))


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": True},
        {"stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"user": "bob"},
        {"metadata": {"run": "7"}},
        {"prompt_cache_key": "k"},
        {"prompt_cache_retention": "24h"},
        {"safety_identifier": "hash"},
        {"store": True},
        {"model": "a name that ChatRequest.model carries"},
        {"policy": replace(POLICY, cache_ttl_seconds=5.0, max_attempts=1)},
    ],
)
def test_what_is_not_about_the_answer_keeps_the_key(fields):
    assert key(**fields) == key()


MARK = {"cache_control": {"type": "ephemeral"}}
PART = {"type": "text", "text": "Hello"}
TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        (
            {"messages": [{"role": "user", "content": [PART]}]},
            {"messages": [{"role": "user", "content": [{**PART, **MARK}]}]},
        ),
        (
            {"messages": [{"role": "user", "content": [PART]}]},
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{**PART, "prompt_cache_breakpoint": True}],
                    }
                ]
            },
        ),
        ({"messages": HELLO}, {"messages": [{**HELLO[0], **MARK}]}),
        ({"tools": [TOOL]}, {"tools": [{**TOOL, **MARK}]}),
    ],
)
def test_marks_for_a_prompt_cache_keep_the_key(plain, marked):
    assert key(**plain) == key(**marked)


def test_a_tool_s_parameter_of_that_name_is_no_mark():
    def tool(name):
        schema = {"type": "object", "properties": {name: {"type": "string"}}}
        return {"type": "function", "function": {"name": "f", "parameters": schema}}

    assert key(tools=[tool("cache_control")]) != key(tools=[tool("other")])
    assert key(tools=[tool("cache_control")]) != key(
        tools=[tool("cache_control"), TOOL]
    )


def test_text_that_speaks_of_a_mark_counts():
    text = '{"cache_control": {"type": "ephemeral"}}'
    told = [{"role": "user", "content": text}]

    assert key(messages=told) != key(messages=[{"role": "user", "content": "{}"}])


@pytest.mark.parametrize("field", ["temperature", "top_p", "a_field_of_tomorrow"])
def test_a_whole_number_is_one_however_it_is_written(field):
    assert key(**{field: 1.0}) == key(**{field: 1})
    assert key(**{field: -0.0}) == key(**{field: 0})
    assert key(**{field: 1.5}) != key(**{field: 1})
    assert key(**{field: 1e300}) != key(**{field: 1e299})
    assert key(**{field: 1}) != key(**{field: True})


def test_the_dialect_the_delivery_and_the_id_of_a_request_keep_the_key():
    chat = ChatRequest({"messages": HELLO}, "team-a", "req-1")
    other = replace(chat, dialect="anthropic", stream=True, request_id="req-2")
    assert key(chat=other) == key(chat=chat)


def test_unicode_forms_of_one_letter_are_two_texts():
    composed = [{"role": "user", "content": "caf\u00e9"}]
    decomposed = [{"role": "user", "content": "cafe\u0301"}]
    assert key(messages=composed) != key(messages=decomposed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.text("abcxyz", min_size=1, max_size=4)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, JSON, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_fields_does_not_matter(fields, random):
    shuffled = list(fields.items())
    random.shuffle(shuffled)
    assert key(**{"x-": 1}, **fields) == key(**dict(shuffled), **{"x-": 1})


@settings(max_examples=100)
@given(st.dictionaries(NAMES, JSON, max_size=4), NAMES, JSON)
def test_any_added_or_changed_field_makes_another_key(fields, name, value):
    changed = {**fields, name: value}
    assert (key(**{"x-": 1}, **changed) == key(**{"x-": 1}, **fields)) == same(
        changed, fields
    )


def same(one, other):
    """Equality as JSON has it: true is not 1."""
    return repr(sorted(one.items())) == repr(sorted(other.items()))


@settings(max_examples=100)
@given(st.text(max_size=6), st.text(max_size=6), st.integers(0, 12), st.integers(0, 12))
def test_scope_and_text_never_run_into_each_other(scope, text, one, other):
    whole = scope + text

    def split(at):
        messages = [{"role": "user", "content": whole[at:]}]
        return key(scope=whole[:at], messages=messages)

    assert (split(one) == split(other)) == (whole[:one] == whole[:other])


def test_the_rest_key_leaves_out_the_last_text_and_nothing_else():
    def rest(text, **fields):
        body = {"messages": [{"role": "user", "content": text}], **fields}
        return rest_key("s", ChatRequest(body, "s", "r"), POLICY, MODELS)

    assert rest("one") == rest("two")
    assert rest("one") != rest("one", temperature=0)
    assert rest("one") != key(scope="s", messages=[{"role": "user", "content": None}])


def test_making_a_rest_key_leaves_the_request_alone():
    chat = ChatRequest({"messages": [{"role": "user", "content": "Hi"}]}, "s", "r")
    rest_key("s", chat, POLICY, MODELS)
    assert chat.body == {"messages": [{"role": "user", "content": "Hi"}]}


def test_a_canonical_key_depends_on_the_rest_and_on_the_frame():
    keys = {
        canonical_key(b"r", b"f"),
        canonical_key(b"x", b"f"),
        canonical_key(b"r", b"x"),
    }
    assert len(keys) == 3


def test_a_stream_and_a_whole_answer_are_not_shared():
    assert sharing_key(key(), stream=True) != sharing_key(key(), stream=False)


@pytest.mark.parametrize(
    "catalog",
    [
        replace(CATALOG, tiers=(Tier(1, "cheap", 40), Tier(2, "best"))),
        replace(CATALOG, backends=(Backend("haiku", 2, "anthropic", "claude-haiku"),)),
        replace(CATALOG, backends=(Backend("haiku", 1, "anthropic", "claude-opus"),)),
        replace(CATALOG, backends=(Backend("other", 1, "anthropic", "claude-haiku"),)),
        replace(CATALOG, aliases=(Alias("gpt-*", tier=2),)),
        replace(CATALOG, aliases=()),
    ],
)
def test_other_models_or_borders_have_another_fingerprint(catalog):
    assert fingerprint(catalog) != MODELS


def test_keys_prices_and_states_are_no_part_of_the_fingerprint():
    backend = replace(
        CATALOG.backends[0],
        api_key=Secret("sk-1"),
        price=PriceList(1, 2, 3, 4),
        state="draining",
        misconfigured="no key",
    )
    assert fingerprint(replace(CATALOG, backends=(backend,))) == MODELS
