"""One request on its way to an answer: what a script may look at."""

from dataclasses import dataclass
from random import Random

from tests.faultllm.answer import Answer
from tests.faultllm.dialect import Dialect
from tests.faultllm.wire import Request


@dataclass(frozen=True, slots=True)
class Call:
    """`digests` stand for its credential headers, by their names."""

    request: Request
    dialect: Dialect
    answer: Answer
    random: Random
    digests: dict[str, str]
