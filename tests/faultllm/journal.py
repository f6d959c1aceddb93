"""The billing oracle: every attempt the upstream saw, and what it would charge.

A journal has one line when a request was read and one when it was finished. Each is a
single append, so that a reader, or this process, may be killed at any moment. A client
in another process may have its answer an instant before the line that says so: wait
until the attempts you read have an outcome.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.faultllm.wire import Json, Request

# "": still being answered. "closed" and "reset": by a script, with a FIN or a RST.
Outcome = Literal["", "completed", "closed", "reset", "peer-closed", "server-closed"]

CREDENTIALS = ("authorization", "x-api-key", "api-key", "proxy-authorization", "cookie")
RECEIVED = (
    "id",
    "attempt_id",
    "connection",
    "path",
    "model",
    "script",
    "stream",
    "key",
    "received_at",
    "bytes_in",
)
FINISHED = (
    "id",
    "outcome",
    "status",
    "chunks_out",
    "bytes_out",
    "prompt_billed",
    "completion_billed",
    "peer_closed_at",
    "finished_at",
)


@dataclass(slots=True)
class Attempt:
    """One request for an answer. Times are seconds since the epoch.

    `attempt_id` is what its sender called it in `x-client-request-id`; `id` is unique
    in a journal, also one shared by several upstreams. `connection` numbers the
    connections. `key` is the digest of its credential. `status` is 0 when no byte
    was sent. `headers` (credentials as digests) and `body` are not in the journal.
    """

    id: str
    attempt_id: str = ""
    connection: int = 0
    path: str = ""
    model: str = ""
    script: str = ""
    stream: bool = False
    key: str = ""
    received_at: float = 0.0
    bytes_in: int = 0
    outcome: Outcome = ""
    status: int = 0
    chunks_out: int = 0
    bytes_out: int = 0
    prompt_billed: int = 0
    completion_billed: int = 0
    peer_closed_at: float | None = None
    finished_at: float | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: Json = field(default_factory=dict, repr=False)

    @property
    def billed(self) -> bool:
        return self.prompt_billed > 0


class Journal:
    """Without a path it only forgets."""

    def __init__(self, path: Path | str | None) -> None:
        self._path = path
        self._file: int | None = None

    def open(self) -> None:
        if self._path is not None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._file = os.open(self._path, flags, 0o600)

    def received(self, attempt: Attempt) -> None:
        self._append("received", attempt, RECEIVED)

    def finished(self, attempt: Attempt) -> None:
        self._append("finished", attempt, FINISHED)

    def _append(self, event: str, attempt: Attempt, names: tuple[str, ...]) -> None:
        if self._file is None:
            return
        record = {"event": event} | {name: getattr(attempt, name) for name in names}
        os.write(self._file, json.dumps(record).encode() + b"\n")

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read_journal(path: Path | str) -> list[Attempt]:
    """The attempts of a journal, in the order they came; a torn last line is left."""
    attempts: dict[str, Attempt] = {}
    complete, _, _ = Path(path).read_bytes().rpartition(b"\n")
    for line in complete.splitlines():
        record = json.loads(line)
        del record["event"]
        attempt = attempts.setdefault(record["id"], Attempt(record["id"]))
        for name, value in record.items():
            setattr(attempt, name, value)
    return list(attempts.values())


def digest(secret: str) -> str:
    """What stands in journals for a credential, with or without its `Bearer`."""
    return hashlib.sha256(secret.removeprefix("Bearer ").encode()).hexdigest()


def credential_digests(request: Request) -> dict[str, str]:
    return {
        name: digest(request.headers[name])
        for name in CREDENTIALS
        if name in request.headers
    }
