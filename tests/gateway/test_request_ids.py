"""Ids whose rows lie together, and that nobody draws twice."""

import re

from gateway.request_ids import (
    DRAWN_AT_ONCE,
    RequestIds,
    new_request_id,
    request_id,
    shortened,
)

ID = re.compile(r"req_[0-9a-f]{24}")
NOW = 1_800_000_000.0


def test_a_later_request_has_a_later_id():
    moments = [NOW, NOW + 0.01, NOW + 1, NOW + 86_400, NOW + 10 * 366 * 86_400]
    walls = iter(moments)
    ids = RequestIds(lambda: next(walls))

    drawn = [ids.draw() for _ in moments]

    assert drawn == sorted(drawn)


def test_chance_decides_only_within_an_instant():
    assert request_id(NOW, "f" * 14) < request_id(NOW + 0.01, "0" * 14)
    assert request_id(NOW, "f" * 14)[:-14] == request_id(NOW, "0" * 14)[:-14]


def test_ids_of_one_instant_differ():
    ids = RequestIds(lambda: NOW)
    count = 2 * DRAWN_AT_ONCE + 1  # more than one reading of the source

    drawn = {ids.draw() for _ in range(count)}

    assert len(drawn) == count
    assert all(map(ID.fullmatch, drawn))
    assert ID.fullmatch(new_request_id())


def test_what_is_shown_of_an_id_tells_neighbours_apart():
    ids = RequestIds(lambda: NOW)

    assert shortened(ids.draw()) != shortened(ids.draw())
    assert shortened("req_006b49d2000123456789abcdef") == "…89abcdef"
