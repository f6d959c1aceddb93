"""The folder that holds everything an instance keeps, and the secrets made in it."""

import os
import secrets
from pathlib import Path


def private_dir(path: Path) -> Path:
    """Create `path` so that only its owner can look inside."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def generated_secret(path: Path) -> str:
    """Read the secret in `path`, or write a new one there with mode 0600."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    secret = secrets.token_urlsafe(48)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(descriptor)  # what it encrypts must not outlive it
        # A link fails when another process was first, so both read one secret.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text(encoding="ascii").strip()
