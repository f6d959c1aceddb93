"""Row 8, cache: the look-up alone, in this process, as the cache grows; and what an
entry takes."""

import gc
import tracemalloc
from collections.abc import Iterator
from functools import partial
from itertools import count
from random import Random
from time import thread_time_ns

from benchmarks.bench import Bench, middle
from benchmarks.errors import BenchmarkError
from benchmarks.prompts import STRIDE
from benchmarks.report import Bar, Measure
from gateway.cache import AnswerCache, Entry, fingerprint
from routing.catalog import Catalog, Policy
from routing.chat import ChatRequest, Usage

SIZES = (1_000, 10_000, 100_000)
LOOK_UPS = 1000  # of each kind in a round
MEMORY_ENTRIES = 10_000
# An answer of a few sentences.
BODY = (b'{"choices": [{"message": {"content": "' + b"x" * 500 + b'"}}]}').ljust(600)
QUESTIONS = (
    "What is the capital of province {}?",
    "How many passengers does bus line {} carry on a working day?",
    "Which harbour is nearest to lighthouse {}?",
    "What is the name of the person who signed contract {}?",
)
LATEST_MS, MEDIAN_MS = Bar(1.0, "lower"), Bar(0.25, "lower")
GROWTH = Bar(1.5, "lower")
_marks = count(1)


def measure(bench: Bench) -> list[Measure]:
    return [*look_ups(bench), *memory()]


class Filled:
    """A cache of so many answers, and questions about them."""

    def __init__(self, size: int, policy: Policy) -> None:
        self.size = size
        self.catalog = Catalog(policy=policy)
        self.cache = AnswerCache(policy, Random(0))
        self._fingerprint = fingerprint(self.catalog)
        for number in range(size):
            self.store(number)

    def store(self, number: int) -> None:
        chat = request(question(number))
        keys, _ = self.cache.find(chat, self.catalog, self._fingerprint, 0.0)
        # Each entry its own bytes, as each answer has.
        body = bytes(bytearray(BODY))
        entry = Entry(body, Usage(20, 120), "b", "m", 1, 5, 70, f"req_{number:024x}")
        self.cache.store(keys, entry, 0.0)

    def times(self, chats: Iterator[ChatRequest], level: str) -> list[int]:
        """Nanoseconds of processor time of each look-up: others use the machine."""
        seen = []
        for chat in chats:
            began = thread_time_ns()
            _, hit = self.cache.find(chat, self.catalog, self._fingerprint, 0.0)
            seen.append(thread_time_ns() - began)
            if (hit.level if hit else "miss") != level:
                raise BenchmarkError(f"Expected {level} of a look-up, not {hit}.")
        return sorted(seen)

    def exact(self) -> list[int]:
        return self.times(map(request, map(question, self._numbers())), "exact")

    def canonical(self) -> list[int]:
        return self.times(map(request, map(reworded, self._numbers())), "canonical")

    def miss(self) -> list[int]:
        beyond = (number + self.size for number in self._numbers())
        return self.times(map(request, map(reworded, beyond)), "miss")

    def _numbers(self) -> Iterator[int]:
        return (index * STRIDE % self.size for index in range(LOOK_UPS))


def question(number: int) -> str:
    return QUESTIONS[number % len(QUESTIONS)].format(number)


def reworded(number: int) -> str:
    """Another wording of the question, and one nobody has used before: what is
    remembered of texts must not answer here."""
    plain = question(number).removesuffix("?")
    marks = "?" * (1 + next(_marks) % 60)
    return f"Hi, {plain[0].lower()}{plain[1:]}{marks} Thanks!"


def request(text: str) -> ChatRequest:
    body = {"messages": [{"role": "user", "content": text}]}
    return ChatRequest(body, "key:1", "req-benchmark")


def roomy(**fields: object) -> Policy:
    fields = {"cache_ttl_seconds": 1e9, "cache_max_entries": 1 << 30, **fields}
    return Policy(cache_max_bytes=1 << 40, **fields)  # type: ignore[arg-type]


def look_ups(bench: Bench) -> list[Measure]:
    filled = {size: Filled(size, roomy()) for size in SIZES}
    kinds = ("exact", "canonical", "miss")
    gc.collect()
    gc.freeze()  # else a collection of what we filled falls into somebody's look-up
    try:
        seen = bench.interleave(
            {
                f"{kind} {size}": partial(getattr(filled[size], kind))
                for kind in kinds
                for size in SIZES
            }
        )
    finally:
        gc.unfreeze()
    measures = []
    for kind in kinds:
        rounds = {size: seen[f"{kind} {size}"] for size in SIZES}
        small, large = SIZES[0], SIZES[-1]
        growth = [
            median_of(b) / median_of(a)
            for a, b in zip(rounds[small], rounds[large], strict=True)
        ]
        told = ", ".join(
            f"{middle([median_of(r) for r in rounds[size]]) * 1000:.0f}"
            for size in SIZES
        )
        what = f"{kind}: look-up, {large:,} entries to {small:,}"
        measures.append(
            Measure("8 cache", what, growth, bar=GROWTH, ours=f"{told} us at {sizes()}")
        )
        measures += of_time(kind, rounds[large], large)
    return measures


def of_time(kind: str, rounds: list[list[int]], size: int) -> list[Measure]:
    medians = [median_of(times) for times in rounds]
    latest = [times[int(len(times) * 0.99)] / 1e6 for times in rounds]
    where = f"of {size:,} entries"
    return [
        Measure("8 cache", f"{kind}: p50 {where}", medians, unit="ms", bar=MEDIAN_MS),
        Measure("8 cache", f"{kind}: p99 {where}", latest, unit="ms", bar=LATEST_MS),
    ]


def median_of(times: list[int]) -> float:
    return times[len(times) // 2] / 1e6


def sizes() -> str:
    return ", ".join(f"{size:,}" for size in SIZES)


def memory() -> list[Measure]:
    """What the allocator gave for an entry, to what the cache counts for it."""
    modes = {
        "exact": roomy(cache_matching="exact"),
        "canonical": roomy(),
        "learning aliases": roomy(cache_learn_aliases=True, cache_judge="judge"),
        "jaccard": roomy(cache_matching="jaccard"),
    }
    measures = []
    for name, policy in modes.items():
        gc.collect()
        tracemalloc.start()
        filled = Filled(MEMORY_ENTRIES, policy)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0] / MEMORY_ENTRIES
        tracemalloc.stop()
        counted = filled.cache.stats().bytes / MEMORY_ENTRIES
        measures.append(
            Measure(
                "8 cache",
                f"{name}: memory of an entry, to what is counted",
                [used / counted],
                bar=Bar(1.1, "lower"),
                ours=f"{used / 1024:.2f} KB for an answer of {len(BODY)} bytes",
                theirs=f"{counted / 1024:.2f} KB",
            )
        )
    return measures
