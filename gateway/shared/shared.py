"""Everything of shared state that one process holds, in one place."""

from random import Random

from gateway.shared.answers import SharedAnswers
from gateway.shared.seal import Seal
from gateway.shared.state import SharedState


class Shared:
    def __init__(self, state: SharedState, secret: str, random: Random) -> None:
        self.state = state
        self.seal = Seal(secret)
        self.answers = SharedAnswers(state, self.seal, random)
