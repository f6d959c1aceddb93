"""Which model had a thought: its signature is of use to that model only.

Clients send an assistant's earlier thoughts back with their signatures, but not whose
they are, and the router may have chosen another model by then.
"""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

from routing.catalog import Backend
from routing.chat import Json

MOST = 20_000  # signatures kept, at about 200 bytes each
DIGEST_BYTES = 16


class ThoughtOrigins:
    """Remembers the newest signatures of this process.

    One it doesn't know is given the benefit of the doubt: the provider says so when
    it was another model's, and is then asked again without.
    """

    def __init__(self) -> None:
        self._origins: OrderedDict[bytes, str] = OrderedDict()

    def remember(self, completion: Json, backend: Backend) -> None:
        """Note whose the thoughts in an answer, in the common language, are."""
        for choice in completion["choices"]:
            for thought in choice["message"].get("thinking_blocks") or ():
                if mark := mark_of(thought):
                    self._origins[mark] = origin_of(backend)
                    self._origins.move_to_end(mark)
        while len(self._origins) > MOST:
            self._origins.popitem(last=False)

    def of(self, backend: Backend) -> Callable[[Json], bool]:
        """Tells of a thought whether it may go to this backend."""
        origin = origin_of(backend)

        def keep(thought: Json) -> bool:
            mark = mark_of(thought)
            return bool(mark) and self._origins.get(mark, origin) == origin

        return keep


def nobody(thought: Json) -> bool:
    """Keeps no thought at all."""
    return False


def mark_of(thought: Json) -> bytes:
    """What tells a thought from others; empty for one that nobody signed."""
    seal = thought.get("signature") or thought.get("data")
    if not isinstance(seal, str) or not seal:
        return b""
    return blake2b(seal.encode(), digest_size=DIGEST_BYTES).digest()


def origin_of(backend: Backend) -> str:
    return f"{backend.base_url or backend.preset.base_url} {backend.model}"
