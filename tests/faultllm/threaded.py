"""The fault upstream in a thread of its own, for tests that are not async."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Self

from tests.faultllm.server import FaultLLM


class ThreadedFaultLLM(FaultLLM):
    """`with ThreadedFaultLLM() as upstream:`; takes what FaultLLM takes."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def release(self) -> None:
        self._loop.call_soon_threadsafe(super().release)

    def wait_until(self, condition: Callable[[], bool], timeout: float = 60) -> None:
        self._run(self.until(condition, timeout))

    def _run(self, coroutine: Coroutine[None, None, object]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
