"""A pool with a clock that the test turns."""

from random import Random

from routing.catalog import Backend, Catalog, Policy, PriceList, Tier
from routing.chat import Features
from routing.health import Outcome
from routing.pool import BackendPool
from routing.tiers import Choice, Route

CHEAP = PriceList(800_000_000, 4_000_000_000, 0, 0)
DEAR = PriceList(3_000_000_000, 15_000_000_000, 0, 0)
TIERS = (Tier(1, "small", 30), Tier(2, "medium", 70), Tier(3, "large"))
HAIKU = Backend("haiku", tier=1, price=CHEAP)
TWIN = Backend("haiku-eu", tier=1, price=CHEAP)
GPT = Backend("gpt", tier=1, price=DEAR)
SONNET = Backend("sonnet", tier=2, price=DEAR)
OPUS = Backend("opus", tier=3, price=DEAR)


class World:
    """A pool with its catalog, and a clock that stands still."""

    def __init__(self, *backends, seed=1, listener=None, **policy):
        self.now = 1000.0
        self.pool = BackendPool(lambda: self.now, Random(seed), listener)
        self.configure(*backends, **policy)

    def configure(self, *backends, **policy):
        self.catalog = Catalog(TIERS, backends, policy=Policy(**policy))
        self.pool.sync(self.catalog)

    def look(self, tier=1, route=None, features=None, exclude=(), prefer=""):
        return self.pool.candidates(
            self.catalog,
            Choice(tier, ()),
            route or Route(1, 3),
            features or Features(prompt_tokens=100),
            exclude,
            prefer,
        )

    def pick(self, *args, **kwargs):
        """The name of the backend to ask, None when there is none."""
        found = self.look(*args, **kwargs)
        return found[-1].backend.name if found and found[-1].usable else None

    def report(self, backend, *outcomes, latency=None):
        for outcome in outcomes:
            with self.pool.lease(backend) as lease:
                lease.report(outcome, latency)

    def take_down(self, *backends):
        for backend in backends:
            self.report(backend, *[Outcome.CONNECT_ERROR] * 2)


def due(world):
    return [backend.name for backend in world.pool.due_probes(world.now)]
