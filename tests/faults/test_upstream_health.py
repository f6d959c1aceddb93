"""Traffic goes where it is answered: backends that flap, and slow ones (U21, U23)."""

from dataclasses import replace
from pathlib import Path

from routing.catalog import Catalog
from tests.faultllm import FaultLLM
from tests.faults.outcomes import two_backends
from tests.harness import Clock, ask, backend, one_backend, serving


async def test_u21_a_flapping_backend_is_not_noticed_and_left_out_ever_longer(
    upstream: FaultLLM, tmp_path: Path
):
    """Five seconds up, five seconds down, for four minutes."""
    clock = Clock()
    async with FaultLLM() as spare:
        catalog = two_backends(upstream.url, spare.url, "small")
        async with serving(catalog, tmp_path, clock=clock) as gateway:
            statuses, failed = [], []
            for second in range(240):
                clock.now += 1
                down = second // 5 % 2
                upstream.always = "status-500" if down else ""
                before = upstream.total
                statuses.append((await ask(gateway, f"Question {second}")).status)
                failed.append(bool(down) and upstream.total > before)

    assert statuses.count(200) >= 238
    assert sum(failed[:60]) > sum(failed[180:])  # it is asked less and less
    assert sum(failed) <= 0.1 * 240


async def test_u23_traffic_moves_from_a_slow_backend_to_its_twin(
    upstream: FaultLLM, tmp_path: Path
):
    slow = one_backend(upstream.url, "fault/delay-300ms")
    twin = backend("twin", 1, upstream.url)
    twin = replace(twin, price=slow.backends[0].price)
    catalog = Catalog(slow.tiers, (*slow.backends, twin), policy=slow.policy)
    async with serving(catalog, tmp_path) as gateway:
        served = [
            (await ask(gateway, f"Question {n}")).headers["x-llm-router-model"]
            for n in range(40)
        ]

    assert served.count("twin") >= 30
