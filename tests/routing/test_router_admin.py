import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from routing.models import RouterModel

pytestmark = pytest.mark.django_db
PAIR = {
    "weak": "1",
    "strong": "3",
    "rows": 500,
    "ranking": {"apgr": 0.66, "cpt50": 0.3, "cpt80": 0.6},
    "comparisons": [
        {"baseline": "log(length)", "difference": 0.1, "low": 0.05, "high": 0.15}
    ],
}
METRICS = {
    "rows": 500,
    "objections": [],
    "pairs": [PAIR],
    "tiers": {"1": {"rows": 500, "mean": 0.5, "error": 0.02}},
}


def keep(**metrics):
    return RouterModel.keep(b"data", METRICS | metrics)


def act(client, action, *routers):
    page = client.post(
        reverse("admin:routing_routermodel_changelist"),
        {"action": action, ACTION_CHECKBOX_NAME: [router.pk for router in routers]},
        follow=True,
    )
    return page.content.decode()


def statuses():
    routers = RouterModel.objects.order_by("version")
    return list(routers.values_list("status", flat=True))


def test_a_router_is_activated_and_one_step_goes_back(admin_client):
    first, second = keep(), keep()

    assert "Router 1 decides within a second." in act(admin_client, "activate", first)
    act(admin_client, "activate", second)
    assert statuses() == ["retired", "active"]

    assert "Router 1 decides again." in act(admin_client, "step_back", second)
    assert statuses() == ["active", "retired"]
    assert "The heuristic decides again." in act(admin_client, "step_back", second)
    assert statuses() == ["retired", "retired"]


def test_one_that_is_no_better_is_refused_with_the_reason(admin_client):
    router = keep(objections=["It does not beat log(length)."])

    assert "It does not beat log(length)." in act(admin_client, "activate", router)
    assert statuses() == ["draft"]


def test_one_is_watched_or_retired(admin_client):
    first, second = keep(), keep()

    assert "What Router 1 would choose" in act(admin_client, "watch", first)
    assert "exactly one" in act(admin_client, "watch", first, second)
    assert statuses() == ["shadow", "draft"]
    act(admin_client, "retire", first)
    assert statuses() == ["retired", "draft"]


def test_its_page_tells_what_was_measured(admin_client):
    page = admin_client.get(
        reverse("admin:routing_routermodel_change", args=(keep().pk,))
    ).content.decode()

    assert "1 to 3: 0.660" in page
    assert "Yes. It beats log(length) by 0.100 [0.050, 0.150]." in page
    assert "1: 500, 0.500, 0.020" in page


def test_who_may_only_look_changes_nothing(client, django_user_model):
    from django.contrib.auth.models import Permission

    viewer = django_user_model.objects.create_user("v", password="v", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_routermodel"))
    client.force_login(viewer)
    router = keep()

    act(client, "activate", router)

    assert statuses() == ["draft"]
