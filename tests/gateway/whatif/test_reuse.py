"""The imitated cache against what the real one's rules say."""

from gateway.whatif.reuse import Reuse, same_rules
from routing.catalog import Policy


def asked(key: str, meaning: str = "", **more: object) -> dict:
    return {"key": key, **({"meaning": meaning} if meaning else {}), **more}


def hits(policy: Policy, *requests: tuple[dict, float]) -> list[bool]:
    cache = Reuse(policy)
    return [cache.ask(facts, at) for facts, at in requests]


def test_the_same_key_is_a_hit_until_its_time_is_over():
    policy = Policy(cache_ttl_seconds=10)
    same = asked("a")
    seen = hits(policy, (same, 0), (same, 9), (asked("b"), 9), (same, 11), (same, 12))
    assert seen == [False, True, False, False, True]


def test_the_same_meaning_is_one_unless_only_exact_ones_count():
    first, again = asked("a", "m"), asked("b", "m")
    assert hits(Policy(), (first, 0), (again, 1)) == [False, True]
    exact = Policy(cache_matching="exact")
    assert hits(exact, (first, 0), (again, 1)) == [False, False]


def test_what_may_not_be_looked_up_or_kept_is_not():
    fresh, kept = asked("a", no_cache=True), asked("a")
    assert hits(Policy(), (kept, 0), (fresh, 1), (kept, 2)) == [False, False, True]
    for never in ({"no_store": True}, {"storable": False}, {"choices": True}):
        twice = asked("a", **never)
        assert hits(Policy(), (twice, 0), (twice, 1)) == [False, False]
    off = Policy(cache_enabled=False)
    assert hits(off, (kept, 0), (kept, 1)) == [False, False]


def test_a_temperature_counts_as_far_as_the_policy_lets_it():
    warm, chosen = asked("a", temperature=0.9), asked("a", temperature=0.9, sampled=1)
    assert hits(Policy(), (warm, 0), (warm, 1)) == [False, False]
    assert hits(Policy(), (chosen, 0), (chosen, 1)) == [False, True]
    lenient = Policy(cache_max_temperature=1.0)
    assert hits(lenient, (warm, 0), (warm, 1)) == [False, True]


def test_the_least_recently_used_leaves_first():
    policy = Policy(cache_max_entries=2)
    a, b, c = (asked(key) for key in "abc")
    assert hits(policy, (a, 0), (b, 1), (a, 2), (c, 3), (a, 4), (b, 5)) == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]


def test_a_client_may_ask_for_longer_within_the_bounds_and_stale_ones_are_given():
    policy = Policy(cache_ttl_seconds=10, cache_max_ttl_seconds=50)
    longer, longest = asked("a", ttl=30), asked("b", ttl=500)
    assert hits(policy, (longer, 0), (longer, 29), (longer, 31)) == [False, True, False]
    assert hits(policy, (longest, 0), (longest, 49), (longest, 51))[1:] == [True, False]
    stale = Policy(cache_ttl_seconds=10, cache_stale_seconds=5)
    a = asked("a")
    assert hits(stale, (a, 0), (a, 14), (a, 23), (a, 40)) == [False, True, True, False]


def test_rules_that_change_nothing_of_it_are_the_same():
    assert same_rules(Policy(), Policy(max_attempts=9))
    assert not same_rules(Policy(), Policy(cache_ttl_seconds=9))


def test_no_more_is_remembered_than_the_policy_lets_the_cache_hold():
    cache = Reuse(Policy(cache_max_entries=10))
    for number in range(1000):
        cache.ask(asked(f"k{number}", f"m{number}"), number)

    assert len(cache) == 10
    assert len(cache._twins) == 10
    assert cache.ask(asked("other wording", "m999"), 1000)
