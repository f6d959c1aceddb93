"""A server that runs forgets by itself what is older than its policy keeps (S36)."""

from pathlib import Path

from tests.faults.processes import wait_until
from tests.instance import Instance

# Texts are kept for a week by default, the log for longer.
STORED = """
from datetime import timedelta
from django.utils import timezone
from gateway.models import RequestContent, RequestLog
for days in (1, 10, 1000):
    at = timezone.now() - timedelta(days=days)
    name = f"{days} days"
    RequestLog.objects.create(request_id=name, at=at, scope="s", status=200)
    RequestContent.objects.create(request_id=name, at=at, scope="s", answer="A canary")
"""


def test_s36_a_server_forgets_texts_after_days_and_its_log_after_more(tmp_path: Path):
    instance = Instance(tmp_path, "http://127.0.0.1:1")
    stored = instance.manage("shell", "-v0", "-c", STORED)

    def left_of(table: str) -> list[tuple]:
        return instance.query(f"SELECT request_id FROM {table} ORDER BY request_id")

    with instance.serving():
        wait_until(lambda: len(left_of("gateway_requestlog")) == 2, seconds=60)
        wait_until(lambda: len(left_of("gateway_requestcontent")) == 1, seconds=60)

    assert stored.returncode == 0, stored.stderr
    assert left_of("gateway_requestlog") == [("1 days",), ("10 days",)]
    assert left_of("gateway_requestcontent") == [("1 days",)]
