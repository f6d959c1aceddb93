"""What the guard found out about a request; views read it as `request.gateway`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from django.http import HttpRequest

from gateway.ledger.books import Caller
from gateway.runtime.runtime import Runtime
from gateway.runtime.snapshot import Snapshot

RUNTIME = "llm_router.runtime"  # in the ASGI scope of the pages that Django serves


def runtime_of(page: HttpRequest) -> Runtime | None:
    """The runtime of this process; none where Django runs without the gateway."""
    found: Runtime | None = getattr(page, "scope", {}).get(RUNTIME)
    return found


@dataclass(slots=True)
class Context:
    runtime: Runtime
    request_id: str
    dialect: Literal["openai", "anthropic"]
    headers: Mapping[bytes, bytes]
    caller: Caller = field(default_factory=lambda: Caller(scope=""))
    at_end: list[Callable[[], None]] = field(default_factory=list)

    def end(self) -> None:
        """Run what must happen however the response ended; each does it once."""
        for action in self.at_end:
            action()

    @property
    def snapshot(self) -> Snapshot:
        """The configuration as this caller may see it."""
        return self.runtime.snapshot.seen_by(self.caller)

    def header(self, name: bytes) -> str:
        value = self.headers.get(name)
        return value.decode("latin-1").strip() if value else ""
