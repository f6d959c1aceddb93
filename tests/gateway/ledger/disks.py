"""A disk without room, for one journal of this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Every write to the journal in `folder` fails with ENOSPC, as /dev/full does."""
    [path] = folder.glob("*.journal")
    descriptor = next(
        int(entry.name)
        for entry in Path("/proc/self/fd").iterdir()
        if os.path.realpath(entry) == str(path)
    )
    own, full = os.dup(descriptor), os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, descriptor)
    try:
        yield
    finally:
        os.dup2(own, descriptor)
        os.close(own)
        os.close(full)
