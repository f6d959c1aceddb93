"""Two policies side by side: decided by rules that are never saved."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from gateway.admin.playground import playground
from gateway.admin.playground_rules import WrongRules, read_rules
from gateway.models import RequestLog
from gateway.runtime.snapshot import build
from gateway.whatif.rows import since
from routing.models import Backend, RoutingPolicy, Tier
from tests.gateway.admin.forms import everything
from tests.gateway.admin.playground import page
from tests.harness import serving

FIRST, SECOND = "small", "large"


@pytest.fixture
def rows(transactional_db, upstream) -> None:
    for rank, name, most in ((1, FIRST, 30), (2, SECOND, None)):
        Backend.objects.create(
            name=name,
            tier=Tier.objects.create(rank=rank, name=name, max_score=most),
            provider="openai-compatible",
            model=name,
            base_url=upstream.url,
        )
    RoutingPolicy.load()


def test_the_rules_hold_for_one_request_and_leave_nothing_behind(rows):
    before = everything()

    tried = read_rules("classifier: {tier1_max: 3}\ncache: {ttl_sec: 7}")

    assert tried.snapshot.catalog.tiers[0].max_score == 3
    assert tried.snapshot.catalog.policy.cache_ttl_seconds == 7
    assert tried.difference == ["tier1_max: 30 -> 3", "cache.ttl_sec: 300 -> 7"]
    assert everything() == before


def test_what_they_buy_is_apart_from_what_the_saved_ones_bought(rows):
    tried = read_rules("learned: {threshold: 0.7}")  # no part of the fingerprint

    saved = build(timezone.now())
    assert tried.snapshot.fingerprint == saved.fingerprint
    assert tried.apart().fingerprint != saved.fingerprint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("models: []", 'unknown key "models" in the rules'),
        ("keys: []", 'unknown key "keys" in the rules'),
        ("cache: {ttl: 5}", 'unknown key "ttl" in cache; did you mean "ttl_sec"?'),
        ("classifier: {tier2_max: 5}", "tier 2 is the highest and has no upper bound"),
        ("classifier: {tier7_max: 5}", "unknown tier 7"),
        ("routing: {baseline_tier: 9}", "unknown tier 9"),
        ("cascade: {mode: maybe}", 'unknown mode "maybe" in cascade'),
        ("hello", "must be a mapping"),
        ("a: [", "rules:"),
        ("a: !!python/object/apply:os.system [x]", "rules:"),
    ],
)
def test_wrong_rules_are_refused_with_their_reason(rows, text, why):
    before = everything()

    with pytest.raises(WrongRules) as refused:
        read_rules(text)

    assert why in " ".join(refused.value.args)
    assert everything() == before


async def shown_to(user: User, upstream, tmp_path, **form: str) -> str:
    catalog = (await sync_to_async(build)(timezone.now())).catalog
    async with serving(catalog, tmp_path) as gateway:
        response = await playground(page(user, gateway, **form))
        await gateway.settled()  # answers are compared
        records = gateway.records("request")
    response.requests = records
    return response


async def test_each_side_is_decided_by_its_own(rows, upstream, tmp_path):
    owner = await sync_to_async(User.objects.create_superuser)("root")

    response = await shown_to(
        owner, upstream, tmp_path, send="1", rules="classifier: {tier1_max: 1}"
    )

    assert sorted(each.body["model"] for each in upstream.attempts) == [SECOND, FIRST]
    by_saved, by_other = sorted(response.requests, key=lambda each: each["tier"])
    assert by_saved["endpoint"] == "chat.completions"
    assert by_other["endpoint"] == "playground.rules"
    assert by_other["decisions"][0]["text"] == (
        "Tried by other rules: tier1_max: 30 -> 1."
    )


async def test_a_trial_teaches_nothing_and_has_no_answers_compared(
    rows, upstream, tmp_path
):
    owner = await sync_to_async(User.objects.create_superuser)("root")
    learning = {"learning": "watch", "learned_judge": SECOND, "learned_pair_share": 1.0}
    await sync_to_async(RoutingPolicy.objects.update)(**learning)

    response = await shown_to(
        owner, upstream, tmp_path, send="1", rules="cache: {ttl_sec: 7}"
    )

    found = {each["endpoint"]: each for each in response.requests}
    served, trial = found["chat.completions"], found["playground.rules"]
    compared = {
        tag
        for each in response.requests
        if each["endpoint"].startswith("learn.")
        for tag in each["tags"]
    }
    assert served["lesson"] is not None
    assert trial["lesson"] is None
    assert served["request_id"] in compared
    assert trial["request_id"] not in compared


async def test_who_may_not_change_the_rules_tries_no_others(rows, upstream, tmp_path):
    sender = await sync_to_async(User.objects.create_user)("sender", is_staff=True)
    may = await sync_to_async(Permission.objects.get)(codename="add_requestlog")
    await sync_to_async(sender.user_permissions.add)(may)

    response = await shown_to(
        sender, upstream, tmp_path, send="1", rules="classifier: {tier1_max: 1}"
    )

    assert "You may not change rules, nor try others." in response.content.decode()
    assert upstream.attempts == []


def test_a_preview_replays_no_trial_of_other_rules(db):
    for number, endpoint in enumerate(("chat.completions", "playground.rules")):
        RequestLog.objects.create(
            request_id=f"r{number}",
            at=timezone.now(),
            scope="local",
            endpoint=endpoint,
            status=200,
        )

    assert [row.request_id for row in since(timezone.now(), 7)] == ["r0"]
