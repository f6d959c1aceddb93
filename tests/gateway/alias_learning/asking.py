"""Questions in two wordings, a judge, and what it was asked."""

from contextlib import asynccontextmanager
from pathlib import Path

from gateway.models import LearnedAlias
from gateway.runtime.database import in_database
from routing.catalog import Catalog, Policy, Tier
from tests.faultllm import FaultLLM
from tests.harness import Clock, Gateway, ask, backend, serving

EGG = "How long should I boil an egg for a soft yolk?"
COOKED = "How long should I cook an egg for a soft yolk?"
HARD = "How long should I boil an egg for a hard yolk?"
LATER = 400.0  # seconds: every answer has expired by then


def catalog_of(url: str, judge: str = "fault/say=YES", **policy: object) -> Catalog:
    """Tier 1 answers, and a backend of tier 2 judges; `judge` is its script."""
    policy = {"cache_learn_aliases": True, "cache_judge": "judge", **policy}
    policy = {"cache_audit_share": 0.0, **policy}
    backends = (
        backend("small", 1, url, model="small"),
        backend("judge", 2, url, model=judge),
    )
    tiers = (Tier(1, "small", 100), Tier(2, "large"))
    return Catalog(tiers, backends, policy=Policy(**policy))


@asynccontextmanager
async def learning(catalog: Catalog, folder: Path, **options: object):
    clock = Clock()
    async with serving(catalog, folder, clock=clock, **options) as gateway:
        yield gateway, clock


async def done(gateway: Gateway) -> None:
    await gateway.settled()


async def ask_both(gateway: Gateway, *texts: str, **options: object) -> None:
    for text in texts or (EGG, COOKED):
        await ask(gateway, text, **options)
        await done(gateway)


async def judgements() -> list[tuple]:
    rows = LearnedAlias.objects.values_list("scope", "same")
    return await in_database(lambda: list(rows))


def judge_calls(upstream: FaultLLM) -> list:
    return [each for each in upstream.attempts if each.model != "small"]
