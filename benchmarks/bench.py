"""What every row is given: tools, a folder, how thorough to be, interleaving."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.load import Load, Target
from benchmarks.machine import Tools
from benchmarks.processes import LISTENING, module, running

Name = TypeVar("Name", str, int)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Bench:
    tools: Tools
    folder: Path
    full: bool = False
    say: Callable[[str], None] = print

    @property
    def rounds(self) -> int:
        return 9 if self.full else 5

    @property
    def seconds(self) -> float:
        """Of one run of load. Many short turns meet more of the same disturbances
        than a few long ones."""
        return 5 if self.full else 1

    def interleave(
        self,
        runs: Mapping[Name, Callable[[], Result]],
        rounds: int | None = None,
        *,
        warm_up: bool = True,
    ) -> dict[Name, list[Result]]:
        """Run all of them by turns: A, B, A, B. What else the machine does meanwhile
        then falls on each alike."""
        seen: dict[Name, list[Result]] = {name: [] for name in runs}
        if warm_up:
            for run in runs.values():
                run()
        for _ in range(rounds or self.rounds):
            for name, run in runs.items():
                seen[name].append(run())
        return seen

    @contextmanager
    def bare(self, upstream: str = "") -> Iterator[Target]:
        """The floor that forwards to `upstream`; without one, the ceiling."""
        command = module("benchmarks.servers.bare", *filter(None, [upstream]))
        with running(command, self.folder, self.tools.server_cpus) as server:
            yield Target(int(server.wait_for(LISTENING)[1]), server)


def ratios(ours: list[Load], theirs: list[Load]) -> list[float]:
    """How much we do of what they do, round by round."""
    return [ratio(a, b) for a, b in zip(ours, theirs, strict=True)]


def ratio(ours: Load, theirs: Load) -> float:
    """The lower of two ratios: of the rates, and of what a second of processor does.

    They are the same while each process has its processor to itself. When the load or
    other programs are the limit, the rates come closer than they should; when we wait
    for something, the processor time doesn't show it.
    """
    rates_ratio = ours.rate / theirs.rate
    if not ours.cpu_us or not theirs.cpu_us:
        return rates_ratio
    return min(rates_ratio, theirs.cpu_us / ours.cpu_us)


def rates(loads: list[Load]) -> str:
    """With the processor time of a request, which disturbances change least, and how
    busy its process was: far from 100 %, something else was the limit."""
    rate = middle([load.rate for load in loads])
    cpu = [load.cpu_us for load in loads if load.cpu_us is not None]
    if not cpu:
        return f"{rate:.0f}/s"
    busy = rate * middle(cpu) / 1e6
    return f"{rate:.0f}/s, {middle(cpu):.0f} us CPU, {busy:.0%} busy"


def p50s(loads: list[Load]) -> str:
    return f"{middle([load.p50_ms for load in loads]):.3f} ms"


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
