"""The database goes and comes back while the gateway serves (R1)."""

from pathlib import Path

import httpx

from tests.faultllm import ThreadedFaultLLM
from tests.faults.processes import CHAT, chat
from tests.instance import Instance

VOTE = {"score": 0.2, "tier": 1, "quality": 0.9}


def test_r1_what_asks_a_database_that_is_away_is_told_so_and_to_come_again(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    instance = Instance(tmp_path, threaded_upstream.url)
    database = instance.data_dir / "db.sqlite3"
    away = instance.data_dir / "away"
    with instance.serving() as url, httpx.Client(base_url=url, timeout=60) as client:
        first = client.post(CHAT, json=chat("Before")).headers["x-request-id"]
        database.rename(away)
        database.mkdir()  # new connections to it fail
        refused = [
            client.get(f"/v1/requests/{first}"),
            client.post("/v1/feedback", json=VOTE),
        ]
        meanwhile = client.post(CHAT, json=chat("Meanwhile"))
        ready = client.get("/ready")
        database.rmdir()
        away.rename(database)
        found = client.get(f"/v1/requests/{first}")
        voted = client.post("/v1/feedback", json=VOTE)
    rows = instance.query("SELECT count(*) FROM gateway_requestlog")

    for each in refused:
        assert each.status_code == 503
        assert each.json()["error"]["code"] == "database_unavailable"
        assert each.headers["retry-after"] == "5"
    assert meanwhile.status_code == 200
    assert ready.status_code == 200
    assert [found.status_code, voted.status_code] == [200, 200]
    assert rows == [(2,)]
    assert "Traceback" not in instance.log
