import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from gateway import aliases, proofs
from gateway.models import (
    CacheLevelOff,
    CacheProof,
    CachePurge,
    LearnedAlias,
    StoredAnswer,
)
from gateway.runtime import snapshot as snapshots
from routing.catalog import Policy

pytestmark = pytest.mark.django_db


def stored(scope: str) -> None:
    StoredAnswer.objects.create(
        key=scope, scope=scope, request_id=scope, entry={}, expires_at=1.0
    )


def test_a_purge_changes_the_keys_of_its_scope_and_deletes_what_is_stored(admin_client):
    stored("team:a")
    stored("team:b")
    before = snapshots.build(snapshots.utc_now())
    page = reverse("admin:gateway_cachepurge_add")
    admin_client.post(page, {"scope": "team:a"})
    after = snapshots.build(snapshots.utc_now())

    assert before.fingerprint_for("team:a") != after.fingerprint_for("team:a")
    assert before.fingerprint_for("team:b") == after.fingerprint_for("team:b")
    assert [row.scope for row in StoredAnswer.objects.all()] == ["team:b"]

    admin_client.post(page, {"scope": ""})
    everything = snapshots.build(snapshots.utc_now())
    assert everything.fingerprint_for("team:b") != after.fingerprint_for("team:b")
    assert everything.fingerprint_for("team:a") != after.fingerprint_for("team:a")
    assert not StoredAnswer.objects.exists()
    assert CachePurge.objects.count() == 2


def test_a_level_that_is_off_is_shown_and_comes_back_by_a_reset(admin_client):
    for _ in range(2):
        proofs.note("team:a", "canonical", "wrong", 5, Policy())
    off = snapshots.build(snapshots.utc_now()).levels_off
    assert list(off) == [("team:a", "canonical")]

    page = reverse("admin:gateway_cacheproof_changelist")
    assert "at least 22.36%" in admin_client.get(page).content.decode()
    (proof,) = CacheProof.objects.all()
    admin_client.post(page, {"action": "reset", "_selected_action": [proof.pk]})

    assert not CacheLevelOff.objects.exists()
    assert snapshots.build(snapshots.utc_now()).levels_off == {}
    proof.refresh_from_db()
    assert (proof.wrong, proof.right) == (0, 0)


def test_a_level_that_is_off_says_why_beside_its_state(admin_client):
    CacheProof.objects.create(scope="team:a", level="jaccard", wrong=3)
    CacheProof.objects.create(scope="team:b", level="jaccard", right=3)
    CacheLevelOff.objects.create(
        scope="team:a", level="jaccard", reason="3 of 3 were wrong."
    )

    response = admin_client.get(reverse("admin:gateway_cacheproof_changelist"))

    rows = response.context["cl"].result_list
    assert {row.scope: row.off for row in rows} == {
        "team:a": "3 of 3 were wrong.",
        "team:b": None,
    }
    assert "3 of 3 were wrong." in response.content.decode()


def learned(scope: str, wording: bytes) -> None:
    facts = {"same": True, "similarity": 0.7, "judged_by": "req-1"}
    aliases.learn(scope, wording * 32, b"r" * 32, **facts)


def test_learned_aliases_are_purged_refused_and_deleted(admin_client):
    for scope, wording in (("team:a", b"a"), ("team:b", b"b"), ("team:c", b"c")):
        learned(scope, wording)
    admin_client.post(reverse("admin:gateway_cachepurge_add"), {"scope": "team:a"})
    page = reverse("admin:gateway_learnedalias_changelist")
    rows = {row.scope: row.pk for row in LearnedAlias.objects.all()}
    assert set(rows) == {"team:b", "team:c"}

    refuse = {"action": "refuse", "_selected_action": [rows["team:b"]]}
    assert admin_client.post(page, refuse).status_code == 302
    refused = LearnedAlias.objects.get(scope="team:b")
    assert (refused.same, refused.judged_by) == (False, "admin")
    assert "different" in admin_client.get(page).content.decode()

    delete = {
        "action": "delete_selected",
        "_selected_action": [rows["team:c"]],
        "post": "yes",
    }
    assert admin_client.post(page, delete).status_code == 302
    assert not LearnedAlias.objects.filter(scope="team:c").exists()


def test_who_may_only_look_can_neither_refuse_nor_delete(client, django_user_model):
    learned("team:a", b"a")
    viewer = django_user_model.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(
        Permission.objects.get(codename="view_learnedalias"),
    )
    client.force_login(viewer)
    page = reverse("admin:gateway_learnedalias_changelist")
    assert client.get(page).status_code == 200
    (row,) = LearnedAlias.objects.all()
    for action in ("refuse", "delete_selected"):
        form = {"action": action, "_selected_action": [row.pk], "post": "yes"}
        client.post(page, form)
    assert LearnedAlias.objects.get().same
