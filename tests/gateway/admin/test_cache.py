import pytest
from django.urls import reverse

from gateway import proofs
from gateway.models import CacheLevelOff, CacheProof, CachePurge, StoredAnswer
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
