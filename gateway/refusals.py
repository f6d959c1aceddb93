"""Which models refuse sampling parameters: learned from the first refusal.

Nobody's list of models knows all of them, and the router, not the client, chose the
model. What is remembered is of this process; another learns it by one refusal, which
costs nothing.
"""

from dataclasses import replace

from gateway.dialects.fitting import SAMPLING
from routing.catalog import Backend
from routing.chat import ChatRequest

WITHOUT = " -sampling"  # said of a backend, this is stronger than what was said before


class Refusals:
    def __init__(self) -> None:
        self._models: set[tuple[str, str, str]] = set()

    def note(self, backend: Backend) -> None:
        """It has refused a parameter that says how to draw tokens."""
        self._models.add(model_of(backend))

    def fitted(self, backend: Backend) -> Backend:
        """The backend as its requests are to be written for it."""
        if not self._models or model_of(backend) not in self._models:
            return backend
        return replace(backend, capabilities=backend.capabilities + WITHOUT)


def model_of(backend: Backend) -> tuple[str, str, str]:
    return backend.provider, backend.base_url, backend.model


def samples(chat: ChatRequest) -> bool:
    """Does the request say how to draw tokens?"""
    bodies = (chat.body, chat.original or {}, chat.native.body if chat.native else {})
    return any(body.get(field) is not None for body in bodies for field in SAMPLING)
