from gateway.configuration.difference import Change, Detail, Outcome, Plan
from gateway.configuration.report import describe, differences
from routing.models import Backend

PLAN = Plan(
    (
        Change("tier 1", Outcome.UNCHANGED),
        Change("backend new", Outcome.CREATED, (Detail("tier", "none", "1"),)),
        Change("policy", Outcome.CHANGED, (Detail("cache.ttl_sec", "300", "60"),)),
        Change("backend old", Outcome.NOT_IN_FILE),
        Change("backend out", Outcome.NOT_IN_FILE, rows=(Backend(),)),
    ),
    notes=("mind the gap",),
)


def test_an_import_is_described_change_by_change():
    assert list(describe(PLAN)) == [
        "+ backend new: tier 1",
        "~ policy",
        "    cache.ttl_sec: 300 -> 60",
        "- backend old: not in the file, stays as it is",
        "- backend out: not in the file, will be disabled",
        "= 1 unchanged",
        "note: mind the gap",
    ]


def test_differences_name_both_sides():
    assert list(differences(PLAN)) == [
        "backend new is in the file only",
        "policy: cache.ttl_sec is 300 in the database, 60 in the file",
        "backend old is in the database only",
        "backend out is in the database only",
    ]
