"""An append-only file per process: one `os.write` per record, nothing lost on kill -9.

A line is `crc32 json\\n`. Files are numbered segments; the writer deletes a segment
when everything in it is in the database. An exclusive lock on `NAME.lock` tells other
processes that the owner lives; when they can take it, the journal is theirs to replay.
"""

import fcntl
import os
import secrets
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import orjson

from gateway.errors import StorageFull
from routing.chat import Json

SEGMENT_BYTES = 4 << 20
WAITING_BYTES = 64 << 20  # of records a full disk refused, kept in memory
SUFFIX = ".journal"


class Journal:
    """This process's journal: the event loop appends, the writer's thread follows."""

    def __init__(
        self, folder: Path, max_bytes: int, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.max_bytes = max_bytes
        self.segment_bytes = segment_bytes
        self.segment = 0
        self._written = self._deleted = 0  # bytes; each counted by one thread alone
        self._synced = 0  # first segment that may hold more than the disk does
        self._waiting: deque[bytes] = deque()  # settlements the disk refused
        self._waiting_bytes = 0
        self._appending = threading.Lock()  # held for one write, never for the disk
        self._lock = lock_owner(folder / f"{self.name}.lock")
        self._descriptor = self._open(self.segment)
        self._size = 0

    def append(self, record: Json, *, must_keep: bool = False) -> None:
        """Write one record. Raises StorageFull when it can't be kept.

        With `must_keep` (a settlement: the money is already spent) a full disk does
        not raise: the line waits in memory, as long as the waiting ones are few.
        """
        line = encode(record)
        with self._appending:
            if self._waiting and not self._write_waiting():
                return self._refuse(line, must_keep)
            if self.kept_bytes + len(line) > self.max_bytes and not must_keep:
                return self._refuse(line, must_keep)
            if not self._write(line):
                self._refuse(line, must_keep)

    def retry_waiting(self) -> None:
        """Try again to write what a full disk refused."""
        with self._appending:
            self._write_waiting()

    @property
    def kept_bytes(self) -> int:
        """Of segments not yet deleted, the current one included."""
        return self._written - self._deleted

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def sync(self) -> None:
        """Bound what a power loss can take to the time since the last call.

        By path: a rotation may close the descriptor at any moment.
        """
        current = self.segment
        for segment in range(self._synced, current + 1):
            with self.path(segment).open("rb") as file:
                os.fdatasync(file.fileno())
        self._synced = current

    def path(self, segment: int) -> Path:
        return segment_path(self.folder, self.name, segment)

    def delete(self, segment: int) -> None:
        """Forget a segment whose records are all in the database."""
        path = self.path(segment)
        self._deleted += path.stat().st_size
        path.unlink()
        self._synced = max(self._synced, segment + 1)

    def close(self) -> None:
        """Release the files; the last segment stays unless the writer deleted it."""
        os.close(self._descriptor)
        (self.folder / f"{self.name}.lock").unlink(missing_ok=True)
        os.close(self._lock)

    def _write_waiting(self) -> bool:
        while self._waiting:
            if not self._write(self._waiting[0]):
                return False
            self._waiting_bytes -= len(self._waiting.popleft())
        return True

    def _write(self, line: bytes) -> bool:
        if self._size + len(line) > self.segment_bytes and self._size:
            self._rotate()
        try:
            written = os.write(self._descriptor, line)
        except OSError:
            return False
        if written < len(line):  # the disk filled in the middle of the line
            os.ftruncate(self._descriptor, self._size)
            return False
        self._size += len(line)
        self._written += len(line)
        return True

    def _refuse(self, line: bytes, must_keep: bool) -> None:
        if not must_keep or self._waiting_bytes + len(line) > WAITING_BYTES:
            raise StorageFull(
                "The gateway's journal has no room left. Free disk space or raise "
                "LLM_ROUTER_JOURNAL_MAX_BYTES.",
                retry_after=5,
            )
        self._waiting.append(line)
        self._waiting_bytes += len(line)

    def _rotate(self) -> None:
        try:
            descriptor = self._open(self.segment + 1)
        except OSError:
            return  # no room for a new file: go on in this one
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._size = 0
        # Last: who sees the new number may trust that the old segment is complete.
        self.segment += 1

    def _open(self, segment: int) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self.path(segment), flags, 0o600)


def encode(record: Json) -> bytes:
    body = orjson.dumps(record)
    return b"%08x %s\n" % (crc32(body), body)


def decode(line: bytes) -> Json | None:
    """The record of a line without its newline, or None when it is damaged."""
    try:
        if int(line[:8], 16) != crc32(line[9:]):
            return None
        record = orjson.loads(line[9:])
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def segment_path(folder: Path, name: str, segment: int) -> Path:
    return folder / f"{name}.{segment:06d}{SUFFIX}"


def name_of(segment: Path) -> str:
    """Of its journal."""
    return segment.name.split(".")[0]


def lock_owner(path: Path) -> int:
    """An exclusive lock held for the life of the process; returns its descriptor."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def abandoned(folder: Path) -> Iterator[list[Path]]:
    """Segments, in order, of each journal whose owner is dead, held while in use.

    The caller replays the segments and deletes them.
    """
    names = set(map(name_of, folder.glob(f"*{SUFFIX}")))
    for name in sorted(names):
        lock = folder / f"{name}.lock"
        try:
            descriptor = lock_owner(lock)
        except BlockingIOError:
            continue
        segments = sorted(folder.glob(f"{name}.*{SUFFIX}"))
        try:
            if segments:  # else another process replayed it meanwhile
                yield segments
        finally:
            lock.unlink(missing_ok=True)
            os.close(descriptor)
