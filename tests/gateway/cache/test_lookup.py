"""The cache as the pipeline uses it, with the reference's defects 2, 3 and 4."""

import tracemalloc
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache import AnswerCache, Entry, fingerprint
from routing.catalog import Backend, Catalog, Policy, Tier
from routing.chat import ChatRequest, Usage

CAPITAL = "What is the capital of France?"


def catalog(**policy):
    return Catalog((Tier(1, "one"),), (Backend("haiku", 1),), policy=Policy(**policy))


CANONICAL = catalog()
JACCARD = catalog(cache_matching="jaccard")


def chat(text=CAPITAL, scope="team-a", **fields):
    body = {"messages": [{"role": "user", "content": text}], **fields}
    return ChatRequest(body, scope, "req-1")


def keys(request, config=CANONICAL):
    """All that a request may match: an empty cache looks at everything."""
    return AnswerCache(config.policy, Random(1)).find(
        request, config, fingerprint(config), 0.0
    )[0]


def find(cache, request, config=CANONICAL, now=1.0):
    return cache.find(request, config, fingerprint(config), now)[1]


def entry(body=b'{"choices": []}'):
    return Entry(body, Usage(9, 2), "haiku", "claude", 1, 5, 70, "req-0")


def cache_with(request, config=CANONICAL):
    cache = AnswerCache(config.policy, Random(1))
    assert cache.store(keys(request, config), entry(), now=0.0)
    return cache


def level(cache, request, config=CANONICAL):
    hit = find(cache, request, config)
    return hit.level if hit else None


@pytest.mark.parametrize("config", [CANONICAL, JACCARD])
def test_the_examples_of_the_readme_come_out_as_it_says(config):
    cache = cache_with(chat(), config)
    assert level(cache, chat("What's France's capital city?"), config) == "canonical"
    assert level(cache, chat("How do I write Go code?"), config) is None
    assert level(cache, chat(), config) == "exact"


@pytest.mark.parametrize("config", [CANONICAL, JACCARD])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CAPITAL, "What is the capital of Spain?"),
        ("Should I take aspirin?", "Should I not take aspirin?"),
        ("Is aspirin safe?", "Is aspirin not safe?"),
        ("Convert 15 USD to EUR", "Convert 95 USD to EUR"),
        ("Does Alice owe Bob money?", "Does Bob owe Alice money?"),
        ("How far is it from Paris to Rome?", "How far is it from Rome to Paris?"),
        ("2+2", "2+3"),
    ],
)
def test_a_look_alike_is_never_served(one, other, config):
    assert level(cache_with(chat(one), config), chat(other), config) is None


def test_a_sum_without_words_is_cached():
    cache = cache_with(chat("2+2"))
    assert level(cache, chat("2+2")) == "exact"
    assert level(cache, chat("What is 2 + 2?")) == "canonical"


def test_jaccard_matching_adds_similar_word_sets_at_its_threshold():
    long = "How do I bake sourdough bread with rye flour, olive oil and sea salt?"
    longer = long.replace("sea salt", "fine sea salt")
    cache = cache_with(chat(long), JACCARD)
    hit = find(cache, chat(longer), JACCARD)
    assert (hit.level, hit.similarity) == ("jaccard", 0.9)
    assert hit.reason == "word sets 0.90 alike"
    strict = catalog(cache_matching="jaccard", cache_similarity=0.95)
    assert level(cache, chat(longer), strict) is None
    assert level(cache, chat(longer), CANONICAL) is None


def test_an_expired_similar_answer_is_not_served():
    long = "How do I bake sourdough bread with rye flour, olive oil and sea salt?"
    cache = cache_with(chat(long), JACCARD)
    similar = chat(long.replace("sea salt", "fine sea salt"))
    assert find(cache, similar, JACCARD, now=400.0) is None
    assert cache.stats().entries == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"max_tokens": 5},
        {"stop": ["."]},
        {"seed": 1},
        {"tools": [{"type": "function"}]},
        {"response_format": {"type": "json_object"}},
        {"unknown": 1},
    ],
)
def test_other_parameters_are_another_request_at_every_level(fields):
    cache = cache_with(chat())
    assert level(cache, chat(**fields)) is None
    assert level(cache, chat("What's France's capital city?", **fields)) is None


def test_another_model_or_system_prompt_is_another_request_at_every_level():
    cache = cache_with(chat())
    user = {"role": "user", "content": "What's France's capital city?"}
    system = {"role": "system", "content": "Answer in German."}
    assert level(cache, chat(messages=[system, user])) is None
    assert level(cache, replace(chat(), model="opus")) is None
    assert level(cache, replace(chat("What's France's capital?"), pin="opus")) is None


def test_earlier_assistant_turns_belong_to_the_request():
    turn = {"role": "user", "content": "And its capital?"}
    spain = [{"role": "assistant", "content": "Spain"}, turn]
    france = [{"role": "assistant", "content": "France"}, turn]
    cache = cache_with(chat(messages=spain))
    assert level(cache, chat(messages=france)) is None
    assert level(cache, chat(messages=spain)) == "exact"


def test_both_dialects_and_both_deliveries_get_the_one_stored_form():
    cache = cache_with(chat())
    other = replace(chat(stream=True), dialect="anthropic", stream=True)
    hit = find(cache, other)
    assert (hit.level, hit.entry.body) == ("exact", b'{"choices": []}')
    assert keys(other).sharing != keys(chat()).sharing


@settings(max_examples=60)
@given(
    st.sampled_from([CAPITAL, "What's France's capital city?", "2+2", "Hola"]),
    st.text(max_size=4),
    st.text(max_size=4),
    st.sampled_from([CANONICAL, JACCARD]),
)
def test_nothing_of_one_scope_is_found_in_another(text, owner, asker, config):
    cache = cache_with(chat(text, scope=owner), config)
    found = find(cache, chat(text, scope=asker), config)
    assert (found is not None) == (owner == asker)


def test_no_cache_looks_up_nothing_and_refreshes_what_is_stored():
    cache = cache_with(chat())
    fresh = replace(chat(), no_cache=True)
    assert find(cache, fresh) is None
    assert cache.store(keys(fresh), entry(b"new"), now=1.0)
    assert find(cache, chat(), now=2.0).entry.body == b"new"


def test_no_store_keeps_nothing():
    cache = AnswerCache(CANONICAL.policy, Random(1))
    assert not cache.store(keys(replace(chat(), no_store=True)), entry(), now=0.0)
    assert cache.stats().entries == 0


def test_a_sampled_request_has_no_keys_and_finds_nothing():
    sampled = keys(chat(temperature=1.0))
    assert (sampled.exact, sampled.canonical, sampled.sharing) == (None, None, None)
    assert sampled.reason == "temperature 1.0 is above 0.3"
    cache = cache_with(chat())
    assert find(cache, chat(temperature=1.0)) is None
    assert not cache.store(sampled, entry(), now=1.0)


def test_the_rule_that_closed_the_semantic_level_is_named():
    assert keys(chat()).reason == ""
    assert keys(chat("What's new today?")).canonical is None
    assert keys(chat("What's new today?")).reason == "the answer depends on the time"


def test_without_a_cache_identical_requests_can_still_share():
    config = catalog(cache_enabled=False)
    off = keys(chat(), config)
    assert off.exact is None and off.sharing is not None
    assert off.sharing == keys(chat(), config).sharing


def test_figures_count_each_level_and_what_was_not_looked_up_counts_nowhere():
    cache = cache_with(chat())
    level(cache, chat())
    level(cache, chat("What's France's capital?"))
    level(cache, chat("What is rye?"))
    level(cache, chat(temperature=2))
    stats = cache.stats()
    assert stats.hits == {"exact": 1, "canonical": 1}
    assert (stats.misses, stats.entries, stats.evictions) == (1, 1, 0)
    assert stats.bytes > 1000


def test_a_purge_forgets_one_scope_at_every_level():
    cache = cache_with(chat(), JACCARD)
    cache.store(keys(chat(scope="team-b"), JACCARD), entry(), now=0.0)
    assert cache.purge("team-a") == 1
    assert level(cache, chat(), JACCARD) is None
    assert level(cache, chat("What's France's capital?"), JACCARD) is None
    assert level(cache, chat(scope="team-b"), JACCARD) == "exact"


def test_new_bounds_act_at_once():
    cache = cache_with(chat())
    cache.store(keys(chat("2+2")), entry(), now=0.0)
    cache.configure(replace(CANONICAL.policy, cache_max_entries=1))
    assert (cache.stats().entries, cache.stats().evictions) == (1, 1)
    assert level(cache, chat("2+2")) == "exact"


def test_an_evicted_answer_is_gone_from_every_level():
    config = catalog(cache_matching="jaccard", cache_max_entries=1)
    cache = cache_with(chat(), config)
    cache.store(keys(chat("2+2"), config), entry(), now=0.0)
    assert level(cache, chat("What's France's capital?"), config) is None
    assert len(cache._index) == 0


@pytest.mark.parametrize("matching", ["exact", "canonical", "jaccard"])
def test_the_counted_bytes_cover_the_memory_that_is_used(matching):
    config = catalog(cache_matching=matching)
    cache = AnswerCache(config.policy, Random(1))

    def request_of(number):
        words = " ".join(f"w{chr(97 + number % 26)}{chr(97 + n)}" for n in range(10))
        return chat(f"What is {words} {number}?", scope=f"team-{number % 20}")

    for number in range(300):
        keys(
            request_of(number), config
        )  # what is remembered of texts has its own bound
    tracemalloc.start()
    for number in range(300):
        request = request_of(number)
        answer = replace(entry(bytes(400)), request_id=f"req-{number}")
        cache.store(keys(request, config), answer, now=number / 1000)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 0.6 * cache.stats().bytes < used < 1.1 * cache.stats().bytes
