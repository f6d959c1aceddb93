"""Row 7, workflows: what planning, ordering and sharing are worth, on a simulated
provider with few slots and a prompt cache. Alone: `python -m benchmarks.workflows`.

Compared are the same calls without a gateway: one input after the other, all inputs at
once (each op as soon as its inputs are there), and chains served first come, first
served.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import mean

import aiohttp

from benchmarks.bench import Bench
from benchmarks.instance import Instance, gateway
from benchmarks.machine import find_tools
from benchmarks.prepare import Setup
from benchmarks.report import Bar, Measure, table
from benchmarks.servers.slots import Slots, simulated

SLOTS = 2
CHAINS = (10, 15, 20, 25)
CHAIN_OPS = 6
INPUTS = 24
ROW = "7 workflows"
RULES = "These rules hold for everybody who answers here. " * 120

Ask = Callable[[str, dict], Awaitable[dict]]


def op(text: str, *parents: str, **fields: object) -> dict:
    return {"template": text, "input_ops": list(parents), "tier": 1, **fields}


# As Halo and Helium have it: experts of one prefix, a twin, ops that nobody needs, and
# work that doesn't depend on the input.
BATCH = {
    "end_ops": ["judge"],
    "ops": {
        "brief": op("Write the brief for the panel.", temperature=0),
        **{
            f"expert{n}": op(
                RULES + f"Expert {n}: {{{{input}}}} {{{{brief}}}}",
                "brief",
                temperature=0,
            )
            for n in range(3)
        },
        "twin": op(RULES + "Expert 0: {{input}} {{brief}}", "brief", temperature=0),
        "style": op("Judge the style: {{expert0}}", "expert0"),
        "judge": op(
            "Judge: " + " ".join(f"{{{{{e}}}}}" for e in ("expert0", "expert1")),
            *("expert0", "expert1", "expert2", "twin"),
            temperature=0,
        ),
    },
}


def chain(number: int) -> dict:
    ops = {"o0": op(f"Chain {number}, step 0: {{{{input}}}}")}
    for step in range(1, CHAIN_OPS):
        text = f"Chain {number}, step {step}: {{{{o{step - 1}}}}}"
        ops[f"o{step}"] = op(text, f"o{step - 1}")
    return {"end_ops": [f"o{CHAIN_OPS - 1}"], "ops": ops}


async def plainly(ask: Ask, workflow: dict, text: str, *, parallel: bool) -> None:
    """Run a workflow as a program without a gateway would."""
    calls: dict[str, asyncio.Task[str]] = {}

    async def call(spec: dict) -> str:
        outputs = {name: await calls[name] for name in spec["input_ops"]}
        prompt = spec["template"].replace("{{input}}", text)
        for name, output in outputs.items():
            prompt = prompt.replace(f"{{{{{name}}}}}", output)
        body = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
        answer = await ask("/chat/completions", body)
        return str(answer["choices"][0]["message"]["content"])

    for name, spec in workflow["ops"].items():
        calls[name] = asyncio.create_task(call(spec))
        if not parallel:
            await calls[name]
    await asyncio.gather(*calls.values())


def asker(session: aiohttp.ClientSession, base: str, key: str = "") -> Ask:
    async def ask(path: str, body: dict) -> dict:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with session.post(base + path, json=body, headers=headers) as reply:
            found: dict = await reply.json()
            if reply.status >= 400:
                raise RuntimeError(f"{reply.status}: {found}")
            return found

    return ask


async def timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def batches(provider: Slots, direct: Ask, ours: Ask) -> list[Measure]:
    """Many inputs, some of them equal, for one workflow: three ways."""
    inputs = [f"Question {number % (INPUTS - 4)}" for number in range(INPUTS)]

    async def one_by_one() -> None:
        for text in inputs:
            await plainly(direct, BATCH, text, parallel=False)

    async def all_at_once() -> None:
        runs = [plainly(direct, BATCH, text, parallel=True) for text in inputs]
        await asyncio.gather(*runs)

    async def as_a_batch() -> None:
        done = await ours("/workflows/batch", {"workflow": BATCH, "inputs": inputs})
        assert done["counts"] == {"succeeded": INPUTS}, done["counts"]

    seconds, counts = [], []
    for way in (one_by_one, all_at_once, as_a_batch):
        provider.forget()
        seconds.append(await timed(way()))
        counts.append(provider.counts)
    measures = []
    for number, name in enumerate(("one by one", "naive parallel")):
        other, mine = counts[number], counts[2]
        measures += [
            compared(f"batch: calls, than {name}", mine.calls, other.calls),
            compared(
                f"batch: uncached tokens, than {name}",
                mine.prompt - mine.cached,
                other.prompt - other.cached,
            ),
            compared(f"batch: dollars, than {name}", mine.dollars, other.dollars),
            compared(f"batch: makespan s, than {name}", seconds[2], seconds[number]),
        ]
    return measures


def compared(what: str, mine: float, other: float) -> Measure:
    """How many times less ours is."""
    return Measure(
        ROW, what, [other / mine], bar=Bar(1.0, "higher"), ours=f"{mine:.4g}",
        theirs=f"{other:.4g}",
    )  # fmt: skip


async def ordering(provider: Slots, direct: Ask, ours: Ask) -> list[Measure]:
    """Chains at the same time: the mean time until one is done (ParrotServe)."""
    measures = []
    for count in CHAINS:
        chains = [chain(number) for number in range(count)]
        provider.forget()
        plain = await asyncio.gather(
            *(timed(plainly(direct, each, "x", parallel=True)) for each in chains)
        )
        provider.forget()
        name = f"for {count} chains"
        planned = await asyncio.gather(
            *(timed(ours("/workflows", {"workflow": c, "input": name})) for c in chains)
        )
        theirs, mine = mean(plain), mean(planned)
        measures.append(
            Measure(
                ROW,
                f"mean completion of {count} chains, than first come first served",
                [theirs / mine],
                bar=Bar(1.3, "higher"),
                ours=f"{mine:.2f} s",
                theirs=f"{theirs:.2f} s",
            )
        )
    return measures


async def planning(ours: Ask) -> Measure:
    """Helium's plan of multiple choice questions: ops before and after."""
    ops = {"question": op("Restate: {{input}}", temperature=0)}
    for n, role in enumerate(["doctor", "lawyer", "doctor", "engineer", "lawyer"]):
        expert = f"expert{n}"
        ops[expert] = op(f"{role}: {{{{question}}}}", "question", temperature=0)
        ops[f"check{n}"] = op(f"Check {{{{{expert}}}}}", expert, temperature=0.7)
    ops |= {name: op(f"{name}: {{{{expert0}}}}", "expert0") for name in ("a", "b")}
    checks = [f"check{n}" for n in range(5)]
    ops |= {f"vote{n}": op("Vote", *checks, temperature=1) for n in range(2)}
    ops["answer"] = op("{{vote0}} {{vote1}}", "vote0", "vote1")
    body = {"workflow": {"end_ops": ["answer"], "ops": ops}, "input": "Which?"}
    plan = (await ours("/workflows?explain=1", body))["plan"]
    before, after = len(ops), len(plan["order"])
    return Measure(
        ROW, "plan of the MCQA graph, ops", [after], unit="", bar=Bar(12, "lower"),
        ours=str(after), theirs=str(before),
    )  # fmt: skip


async def pace(ours: Ask, instance: Instance) -> list[Measure]:
    """The time of a run against its plan's critical path, and the work per op."""
    spread = {f"o{n}": op(f"Part {n}: {{{{input}}}}", cache="off") for n in range(3)}
    for depth in range(1, 6):
        spread |= {
            f"p{depth}": op(
                "Next", "o0" if depth == 1 else f"p{depth - 1}", cache="off"
            )
        }
    spread["end"] = op("End", "o1", "o2", "p5", cache="off")
    body = {"workflow": {"end_ops": ["end"], "ops": spread}, "input": "x"}
    for _ in range(6):
        await ours("/workflows", body)
    ratios = []
    for _ in range(5):
        plan = (await ours("/workflows?explain=1", body))["plan"]
        done = await ours("/workflows", body)
        ratios.append(done["total_ms"] / 1000 / plan["critical_path_s"])
    before = instance.server.cpu_seconds() or 0.0
    runs = 20
    await asyncio.gather(*(ours("/workflows", body) for _ in range(runs)))
    work = ((instance.server.cpu_seconds() or 0.0) - before) / (runs * len(spread))
    return [
        Measure(ROW, "makespan, of the critical path", ratios, bar=Bar(1.03, "lower")),
        Measure(
            ROW,
            "processor time per op",
            [work * 1000],
            unit="ms",
            bar=Bar(6.0, "lower"),
        ),  # fmt: skip
    ]


def measure(bench: Bench) -> list[Measure]:
    return asyncio.run(_measure(bench))


async def _measure(bench: Bench) -> list[Measure]:
    async with simulated(SLOTS) as provider, aiohttp.ClientSession() as session:
        setup = Setup(provider.url, backends=1, slots=SLOTS)
        opened = await asyncio.to_thread(Opened, setup, bench)
        instance = opened.instance
        try:
            direct = asker(session, provider.url)
            base = f"http://127.0.0.1:{instance.port}/v1"
            ours = asker(session, base, instance.key)
            return [
                *await batches(provider, direct, ours),
                *await ordering(provider, direct, ours),
                await planning(ours),
                *await pace(ours, instance),
            ]
        finally:
            await asyncio.to_thread(opened.close)


class Opened:
    """A gateway that is entered and left in a thread, beside our event loop."""

    def __init__(self, setup: Setup, bench: Bench) -> None:
        self._context = gateway(setup, bench.folder, bench.tools)
        self.instance = self._context.__enter__()

    def close(self) -> None:
        self._context.__exit__(None, None, None)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="llm-router-bench-") as folder:
        found = measure(Bench(find_tools(plain=True), Path(folder), False))
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
