"""A stream whose first words are looked at before anybody sees them."""

import asyncio
from typing import Any

from gateway.cascade_checks import (
    REFUSAL,
    answer_text,
    asking_logprobs,
    confidence,
    doubt,
    weigh,
)
from gateway.delivery import Delivery, Doubted
from routing.cascade import Cascade
from routing.catalog import Backend, Policy
from routing.chat import Json


class HeldBack(Delivery):
    """Shown from the commit point on; after it nothing switches.

    The point is where the policy's characters or seconds have passed, or the stream
    has ended. Raises Doubted before it when the beginning, or all of a short answer,
    looks wrong. Backends of the other tier are not held back.
    """

    def __init__(
        self, backend: Backend, *, planned: Cascade, rules: Policy, **rest: Any
    ) -> None:
        super().__init__(backend, **rest)
        self.facts: Json = {}  # of what was checked
        self._planned, self._rules = planned, rules
        self._checked = backend.tier >= planned.then
        self._doubt = ""
        self._window: asyncio.TimerHandle | None = None
        self._logprobs: list[Json] = []
        wanted = rules.cascade_check == "logprobs" and not self._checked
        asking = asking_logprobs(backend, self.chat) if wanted else None
        self.chat, self._strips = asking or self.chat, asking is not None

    async def _publish(self, chunk: Json, size: int) -> None:
        for choice in chunk.get("choices") or ():
            if choice.get("logprobs"):
                self._logprobs.append({"logprobs": choice["logprobs"]})
            if self._strips:  # the client didn't ask for them
                choice["logprobs"] = None
        await super()._publish(chunk, size)

    async def _hand_on(self, chunk: Json, size: int) -> None:
        if self._checked:
            await super()._hand_on(chunk, size)
            return
        self._held.append((chunk, size))
        policy = self._rules
        if self._window is None:
            loop = asyncio.get_running_loop()
            self._window = loop.call_later(policy.cascade_hold_seconds, self._look)
        so_far = self.builder.completion()
        characters = len(answer_text(so_far))
        self.facts["shown_after_characters"] = characters
        if characters >= policy.cascade_window or calls_tools(so_far):
            self._look()
        if self._doubt:
            raise Doubted(self._doubt)

    def _look(self) -> None:
        """At what has come so far: let it go, or find a reason not to."""
        if self._checked or self._doubt or self.builder.complete:
            return  # of a complete answer, all is looked at in a moment
        self._doubt = self._beginning()
        if not self._doubt:
            self._checked = True
            self._release()

    def _beginning(self) -> str:
        if REFUSAL.match(answer_text(self.builder.completion())):
            return "It refuses."
        policy = self._rules
        if policy.cascade_check != "logprobs":
            return ""
        measured = confidence(self._logprobs)
        return weigh(self._planned, measured, policy.cascade_confidence, self.facts)

    def _end_stream(self) -> None:
        if not self._checked:
            whole = doubt(self.builder.completion(), self.order.record.chat.body)
            if self._doubt or (whole := whole or self._beginning()):
                raise Doubted(self._doubt or whole)
            self._checked = True
        super()._end_stream()

    def _forget_timer(self) -> None:
        super()._forget_timer()
        if self._window is not None:
            self._window.cancel()
            self._window = None


def calls_tools(completion: Json) -> bool:
    """Such an answer has no text to tell anything by."""
    found = completion.get("choices") or ()
    return any((choice.get("message") or {}).get("tool_calls") for choice in found)
