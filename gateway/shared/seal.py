"""Names and values in shared state that only workers with our secret can make.

A name is a digest of what it stands for, keyed with the instance's secret: two
instances that share a Redis never meet. A value is JSON behind a keyed digest, and says
under which names it may be found: what was damaged, forged, cut or moved is not opened.
"""

import hashlib
import hmac
from collections.abc import Sequence

import orjson

from routing.chat import Json

# Raise it when the form of a value changes: older ones are then not opened.
VERSION = b"llmr shared 1"
DIGEST = 16


class Seal:
    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"llm-router shared" + secret.encode()).digest()
        self.broken = 0  # values that were not ours, or not whole

    def name(self, kind: str, *parts: bytes) -> str:
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        digest = hashlib.blake2b(
            framed, digest_size=DIGEST, key=self._key, person=kind.encode()
        )
        return f"{kind}:{digest.hexdigest()}"

    def close(self, names: Sequence[str], value: Json) -> bytes:
        """The value as it may be found under these names, and no other."""
        data = orjson.dumps({**value, "for": names})
        return self._digest(data) + data

    def open(self, name: str, sealed: bytes) -> Json | None:
        """The value, or None when it isn't what was put under this name."""
        data = sealed[DIGEST:]
        if hmac.compare_digest(sealed[:DIGEST], self._digest(data)):
            value: Json = orjson.loads(data)  # we wrote it: nobody else has the key
            if name in value["for"]:
                return value
        self.broken += 1
        return None

    def _digest(self, data: bytes) -> bytes:
        return hashlib.blake2b(
            data, digest_size=DIGEST, key=self._key, person=VERSION
        ).digest()
