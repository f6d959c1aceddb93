"""How much work a call is, told the same on every machine, busy or not."""

import sys
import tracemalloc
from collections.abc import Callable


def steps(call: Callable[[], object]) -> int:
    """The calls and returns of functions within `call`, those written in C as well."""
    count = 0

    def step(*_: object) -> None:
        nonlocal count
        count += 1

    outer = sys.getprofile()
    sys.setprofile(step)
    try:
        call()
    finally:
        sys.setprofile(outer)
    return count


def peak_bytes(call: Callable[[], object]) -> int:
    """The most memory that `call` held at one time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
