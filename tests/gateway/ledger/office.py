"""The bookkeeping of a process, its clocks held still."""

from gateway.ledger.books import Books, Caller
from gateway.ledger.journal import Journal, decode
from gateway.metrics import Metrics
from routing.catalog import Backend, PriceList
from routing.chat import ChatRequest
from tests.harness import Clock

DOLLAR = 1_000_000_000  # nano-USD
HAIKU = PriceList(1 * DOLLAR, 5 * DOLLAR, DOLLAR // 10, DOLLAR * 5 // 4)
OPUS = PriceList(15 * DOLLAR, 75 * DOLLAR, DOLLAR * 3 // 2, DOLLAR * 75 // 4)


class Office:
    """Books with clocks that stand still, and a look into their journal."""

    def __init__(self, folder, max_bytes=1 << 20, serve_when_full=False):
        self.folder = folder
        self.clock = Clock(100.0)
        self.journal = Journal(folder, max_bytes)
        self.books = Books(
            self.journal,
            Metrics(),
            self.clock,
            Clock(1_700_000_000.0),
            serve_when_full=serve_when_full,
        )

    def request(self, request_id="req", **caller):
        chat = ChatRequest({"messages": []}, "team:a", request_id, model="opus")
        return self.books.open_request(chat, Caller("team:a", "laptop", "a", **caller))

    def records(self):
        path = self.journal.path(0)
        return [decode(line) for line in path.read_bytes().splitlines()]

    def last(self):
        return self.records()[-1]


def backend(price=HAIKU, name="haiku", tier=1):
    return Backend(
        name=name, tier=tier, provider="anthropic", model="claude", price=price
    )
