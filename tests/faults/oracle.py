"""The books against what the provider says it would charge."""

import time
from pathlib import Path

from tests.faultllm import Attempt, read_journal
from tests.instance import Instance


def attempts_of(instance: Instance) -> dict[str, tuple]:
    rows = instance.query(
        "SELECT attempt_id, state, prompt_tokens, completion_tokens, cost_nano "
        "FROM gateway_attempt"
    )
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def finished(journal: Path) -> list[Attempt]:
    """What the upstream saw, once it has noticed how each of them ended."""
    for _ in range(200):
        attempts = read_journal(journal)
        if all(attempt.outcome for attempt in attempts):
            return attempts
        time.sleep(0.05)
    raise AssertionError("The upstream still answers somebody.")


def assert_books_agree(instance: Instance, seen: list[Attempt], in_flight: int) -> None:
    """DECISIONS: every attempt the provider saw has exactly one row; rows without an
    attempt are `unknown`, at most as many as were in flight at the kills."""
    rows = attempts_of(instance)
    for attempt in seen:
        state, prompt, completion, _ = rows.pop(attempt.attempt_id)
        if state == "billed":
            assert (prompt, completion) == (
                attempt.prompt_billed,
                attempt.completion_billed,
            )
    assert {row[0] for row in rows.values()} <= {"unknown"}
    assert len(rows) <= in_flight
    spent = instance.query("SELECT SUM(spent_nano) FROM gateway_usagetotal")[0][0]
    cost = instance.query("SELECT SUM(cost_nano) FROM gateway_attempt")[0][0]
    assert spent == cost
    ((check,),) = instance.query("PRAGMA integrity_check")
    assert check == "ok"
