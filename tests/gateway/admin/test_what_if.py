"""Preview in the admin: what is shown, who may, and that nothing is left behind."""

import json
import re
from pathlib import Path

import httpx
import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse

from gateway.admin.what_if import configurations
from gateway.models import ApiKey
from routing.catalog import Catalog
from routing.models import Backend, Price, RoutingPolicy, Tier
from tests.faultllm import ThreadedFaultLLM
from tests.gateway.admin.forms import everything
from tests.instance import Instance
from tests.operators import ask, log_in_without_browser, make_administrator

LINES = {"accept": "application/x-ndjson"}


@pytest.fixture
def tiers(db) -> list[Tier]:
    made = [
        Tier.objects.create(rank=1, name="small", max_score=30),
        Tier.objects.create(rank=2, name="large"),
    ]
    for tier in made:
        Backend.objects.create(
            name=f"b{tier.rank}",
            tier=tier,
            provider="openai-compatible",
            model="m",
            base_url="http://127.0.0.1:9/v1",
        )
    RoutingPolicy.load()
    return made


def form(tier: Tier, **changes: object) -> dict[str, object]:
    shown = {"rank": tier.rank, "name": tier.name, "max_score": tier.max_score or ""}
    return {**shown, "what_if_days": 7, **changes}


def url_of(tier: Tier) -> str:
    return reverse("what_if_tier_row", args=(tier.pk,))


@pytest.mark.parametrize("role", ["viewer", "auditor", "operator"])
def test_only_who_may_change_a_row_may_preview_it(client, tiers, role):
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    page = f"/admin/routing/tier/{tiers[0].pk}/change/"
    offered = "what-if-button" in client.get(page).content.decode()

    status = client.post(url_of(tiers[0]), form(tiers[0], max_score="")).status_code

    may = role == "operator"
    assert offered is may
    assert status == (200 if may else 403)


def test_who_is_not_logged_in_is_sent_to_do_so(client, tiers):
    response = client.post(url_of(tiers[0]), form(tiers[0]))
    assert response.status_code == 302
    assert "/admin/login/" in response["location"]


def test_a_look_by_get_and_a_row_that_is_gone_are_refused(admin_client, tiers):
    assert admin_client.get(url_of(tiers[0])).status_code == 405
    gone = reverse("what_if_tier_row", args=(999,))
    assert admin_client.post(gone, form(tiers[0])).status_code == 404


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"max_score": "lots"}, "Enter a whole number."),
        ({"name": ""}, "This field is required."),
        ({"max_score": "999"}, "Ensure this value is less than or equal to 100."),
    ],
)
def test_a_form_that_could_not_be_saved_tells_why(admin_client, tiers, changes, told):
    before = everything()
    whole = admin_client.post(url_of(tiers[0]), form(tiers[0], **changes))
    lines = admin_client.post(
        url_of(tiers[0]), form(tiers[0], **changes), headers=LINES
    )

    assert told in whole.content.decode()
    assert told in json.loads(lines.content)["html"]
    assert everything() == before


def test_the_button_is_there_where_something_can_be_saved(admin_client, tiers):
    backend = Backend.objects.first()
    for page in (
        "/admin/routing/routingpolicy/1/change/",
        "/admin/routing/tier/add/",
        f"/admin/routing/backend/{backend.pk}/change/",
        "/admin/routing/price/add/",
    ):
        shown = admin_client.get(page).content.decode()
        assert re.search(r'formaction="/admin/what-if/\w+/', shown), page


def test_an_instance_decides_its_requests_again_and_nothing_is_saved(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        ask(url, "Hello")
        ask(url, "Hello")
        ask(url, "Analyze step by step: " + "x" * 3000)
        ask(url, "Analyze this, please.")
        wait_for_rows(instance, 4)
        make_administrator(instance)
        with httpx.Client(base_url=url, timeout=30) as browser:
            log_in_without_browser(browser)
            [[pk]] = instance.query("SELECT id FROM routing_tier WHERE rank = 1")
            [before] = instance.query("SELECT * FROM routing_tier WHERE rank = 1")
            versions = instance.query("SELECT * FROM routing_configversion")
            same = preview(browser, pk, max_score=30)
            moved = preview(browser, pk, max_score=4)
            page = browser.post(
                f"/admin/what-if/tier/{pk}/", data=sent(browser, max_score=4)
            ).text
        [after] = instance.query("SELECT * FROM routing_tier WHERE rank = 1")

        assert before == after
        assert instance.query("SELECT * FROM routing_configversion") == versions
    proof = "decides every one of these requests as it was decided"
    assert proof in same[-1]["html"]
    assert "none would change" in same[-1]["html"]
    assert same[0] == {"done": 4, "total": 4}
    assert proof in moved[-1]["html"]
    assert re.search(r"Tier 1, small: \$0\.0+\d+", moved[-1]["html"])
    assert re.search(r"Tier 2, medium: \$0\.0+\d+", moved[-1]["html"])
    assert "Nothing was saved." in page


def wait_for_rows(instance: Instance, count: int) -> None:
    for _ in range(200):
        [[seen]] = instance.query("SELECT count(*) FROM gateway_requestlog")
        if seen == count:
            return
        httpx.get(f"{instance.url}/health")
    raise AssertionError(f"{seen} of {count} rows came.")


def sent(browser: httpx.Client, **changes: object) -> dict[str, object]:
    token = browser.cookies["csrftoken"]
    return {"csrfmiddlewaretoken": token, "rank": 1, "name": "tier-1", **changes}


def preview(browser: httpx.Client, pk: int, **changes: object) -> list[dict]:
    response = browser.post(
        f"/admin/what-if/tier/{pk}/", data=sent(browser, **changes), headers=LINES
    )
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_new_key_of_a_provider_never_shows_up(admin_client, tiers):
    backend = Backend.objects.first()
    canary = "sk-canary-of-the-preview"
    response = admin_client.post(
        reverse("what_if_backend_row", args=(backend.pk,)),
        {"name": "", "new_api_key": canary},
    )
    assert canary not in response.content.decode()
    assert not ApiKey.objects.exists()


def previewed(rf, owner: User, model: type, form: dict[str, str]) -> Catalog:
    """What would serve with this form; nothing of it is left behind."""
    request = rf.post("/", form)
    request.user = owner
    page = admin.site.get_model_admin(model)
    before = everything()
    saved, preview = configurations(request, page, None)
    assert everything() == before
    assert saved != preview
    return preview


def backend_form(tier: Tier, **fields: str) -> dict[str, str]:
    empty = {
        f"{name}-{count}": "0"
        for name in ("prices", "prices-2")
        for count in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    given = {"name": "new", "tier": str(tier.pk), "state": "enabled", "weight": "1"}
    return {**empty, **given, "max_in_flight": "0", **fields}


def test_a_new_backend_has_the_price_that_saving_it_would_give(rf, admin_user, tiers):
    form = backend_form(tiers[0], provider="anthropic", model="claude-haiku-4-5")
    new = previewed(rf, admin_user, Backend, form).by_name["new"]
    assert new.price is not None
    assert new.price.input > 0


def test_a_price_of_the_future_is_previewed_as_of_then(rf, admin_user, tiers):
    backend = Backend.objects.first()
    form = {
        "backend": str(backend.pk),
        "effective_from_0": "2099-01-01",
        "effective_from_1": "00:00:00",
        "input": "7",
        "output": "8",
        "source": "announced",
    }
    then = previewed(rf, admin_user, Price, form).by_name[backend.name]
    assert then.price is not None
    assert then.price.input == 7 * 10**9
