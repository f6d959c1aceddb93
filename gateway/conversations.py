"""Which conversation a request belongs to, and where its last call went."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b

import orjson

from gateway.cache.key import unmarked
from gateway.shared.messages import known
from gateway.shared.shared import Shared
from gateway.shared.state import SharedStateDown
from routing.affinity import Visit
from routing.chat import ChatRequest

MOST = 20_000  # conversations remembered, at about 400 bytes each
FORGOTTEN_SECONDS = 3600.0
DIGEST_BYTES = 16
VISIT_BYTES = 4096


def key_of(chat: ChatRequest) -> bytes | None:
    """The session its client names, else its first turns: the instructions and the
    first user message. Within its scope and namespace; None when it has neither, or
    is no conversation at all."""
    messages = chat.body.get("messages") or ()
    if messages and chat.session:
        return _digest(chat, b"named", chat.session.encode())
    for number, message in enumerate(messages):
        if message.get("role") == "user":
            # A client's marks for the prompt cache move on with each turn.
            first = [unmarked(each) for each in messages[: number + 1]]
            return _digest(chat, b"turns", orjson.dumps(first))
    return None


def _digest(chat: ChatRequest, kind: bytes, told: bytes) -> bytes:
    parts = (chat.scope.encode(), chat.namespace.encode(), kind, told)
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return blake2b(framed, digest_size=DIGEST_BYTES).digest()


class Conversations:
    """The newest conversations of this process, and through Redis those of all.

    Losing any of it costs a provider's discount at most. Never raises.
    """

    def __init__(self, wall: Callable[[], float], shared: Shared | None) -> None:
        self._wall = wall
        self._shared = shared
        self._visits: OrderedDict[bytes, Visit] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    async def recall(self, key: bytes) -> Visit | None:
        """The last call of a conversation, whichever worker made it."""
        mine = self._visits.get(key)
        theirs = await self._ask(key)
        found = max((v for v in (mine, theirs) if v), key=at, default=None)
        if found is None or self._wall() - found.at > FORGOTTEN_SECONDS:
            return None
        return found

    def note(self, key: bytes, visit: Visit) -> None:
        self._visits[key] = visit
        self._visits.move_to_end(key)
        while len(self._visits) > MOST:
            self._visits.popitem(last=False)

    async def tell(self, key: bytes) -> None:
        """Let the other workers know of the call that was noted last."""
        visit = self._visits.get(key)
        if visit is None or self._shared is None:
            return
        name = self._name(self._shared, key)
        sealed = self._shared.seal.close([name], {"visit": asdict(visit)})
        with suppress(SharedStateDown):
            await self._shared.state.put([name], sealed, FORGOTTEN_SECONDS)

    async def _ask(self, key: bytes) -> Visit | None:
        if self._shared is None:
            return None
        name = self._name(self._shared, key)
        with suppress(SharedStateDown):
            if found := await self._shared.state.find([name], VISIT_BYTES):
                value = self._shared.seal.open(name, found.value)
                return Visit(**known(Visit, value["visit"])) if value else None
        return None

    def _name(self, shared: Shared, key: bytes) -> str:
        return shared.seal.name("visit", key)


def at(visit: Visit) -> float:
    return visit.at
