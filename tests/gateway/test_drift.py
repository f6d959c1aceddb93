"""The drift alarm: over all workers, restarts included, from what the ledger stored."""

from asgiref.sync import sync_to_async

from gateway.drift import LOOK_SECONDS, Drift, hours_of
from gateway.ledger import store
from gateway.models import PlacedHour, RequestLog
from routing.learned.drift import ENOUGH, newest
from tests.gateway.learned_router import trained
from tests.gateway.ledger.samples import request
from tests.harness import ask, serving
from tests.routing.learned.small import HARD

HALF = ENOUGH // 2


def at(hour: str, request_id: str, **fields):
    placed = fields.pop("placed", ["b", 9, True])
    moment = f"2026-03-01T{hour}+00:00"
    return request(request_id, at=moment, placed=placed, **fields)


def saved(*requests) -> list:
    return store.save(list(requests), [], may_exist=True)


async def test_what_two_workers_saw_together_is_an_alarm_after_a_restart_too(
    upstream, tmp_path, transactional_db
):
    catalog = trained(upstream.url)
    said = {}
    for worker in ("one", "two"):
        async with serving(catalog, tmp_path / worker) as gateway:
            for number in range(HALF):
                await ask(gateway, f"{HARD} {worker} {number}")
            await sync_to_async(saved)(*gateway.records("request"))
            await sync_to_async(gateway.runtime.drift.look)()
            said[worker] = gateway.runtime.drift.alarms
    async with serving(catalog, tmp_path / "anew") as gateway:
        await sync_to_async(gateway.runtime.drift.look)()
        said["anew"] = gateway.runtime.drift.alarms

    assert said["one"] == ()
    assert any("100% belong to the top tier" in alarm for alarm in said["two"])
    assert said["anew"] == said["two"]


async def test_requests_that_bounds_held_are_not_counted(upstream, tmp_path):
    async with serving(trained(upstream.url), tmp_path) as gateway:
        await ask(gateway, HARD, model="tier-1")
        await ask(gateway, HARD, model="tier-2")
        await ask(gateway, HARD)

    [first, second, free] = gateway.records("request")
    assert "placed" not in first
    assert "placed" not in second
    basis, tenth, top = free["placed"]
    router = gateway.runtime.snapshot.catalog.brain.router
    assert (basis, top) == (router.basis, True)
    assert router.tenths[tenth] > 0


def test_requests_are_counted_once_by_hour_and_basis(db):
    batch = [
        at("11:59:59", "a", placed=["b", 0, False]),
        at("12:00:00", "b"),
        at("12:59:59", "c", placed=["b", 3, True]),
        at("12:59:59", "d", placed=["other", 3, True]),
        at("12:30:00", "e", placed=None),
    ]
    saved(*batch)
    saved(*batch)

    newer, older = hours_of("b")
    assert (newer.requests, newer.tops, newer.tenths[9], newer.tenths[3]) == (
        2,
        2,
        1,
        1,
    )
    assert (older.requests, older.tops, older.tenths[0]) == (1, 0, 1)
    assert newest(hours_of("other")).requests == 1


def test_what_no_client_asked_is_not_counted(db):
    saved(at("12:00:00", "a", endpoint="playground.chat"))

    assert not PlacedHour.objects.exists()


def test_a_place_that_cannot_be_is_kept_aside_and_costs_no_other_row(db):
    bad = [at("12:00:00", str(n), placed=["b", n, True]) for n in (-1, 10)]

    assert saved(*bad, at("12:00:00", "good")) == bad

    assert RequestLog.objects.get().request_id == "good"
    assert newest(hours_of("b")).requests == 1


def test_hours_past_the_retention_go(db):
    saved(at("12:00:00", "a"))
    now = PlacedHour.objects.get().start

    store.purge(now.replace(day=30), days=30)
    assert PlacedHour.objects.exists()
    store.purge(now.replace(day=31, hour=13), days=30)
    assert not PlacedHour.objects.exists()


def test_it_looks_now_and_then_and_knows_at_once_when_nothing_decides(db):
    now, asked = [100.0], []

    def deciding():
        asked.append(now[0])
        return []

    watch = Drift(deciding, lambda: now[0])
    for seconds in (0.0, 0.1, LOOK_SECONDS, 0.1):
        now[0] += seconds
        watch.look()

    assert asked == [100.0, 100.1 + LOOK_SECONDS]
    assert watch.alarms == ()
