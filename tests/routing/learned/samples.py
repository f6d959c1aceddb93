"""Invented prompts of three kinds, of which the weak tier can answer one."""

from random import Random

from routing.learned.labelled import Collector, Labelled
from routing.learned.model import QualityModel
from routing.learned.train import train

EASY = ("name the colour of", "say hello to", "what is the plural of", "spell the word")
HARD = ("prove the theorem about", "derive the integral of", "show convergence of")
THINGS = ("house", "river", "lamp", "cloud", "table", "forest", "engine", "garden")


def prompt(random: Random) -> tuple[str, bool]:
    """A prompt and whether only the strong tier gets it right. Lengths say nothing."""
    hard = random.random() < 0.4
    words = [random.choice(HARD if hard else EASY)]
    words += random.choices(THINGS, k=random.randrange(2, 12))
    return " ".join(words), hard


def examples(count: int, seed: int = 1, noise: float = 0.05) -> list[dict]:
    """Lines as `train_router` reads them."""
    random = Random(seed)
    made = []
    for number in range(count):
        text, hard = prompt(random)
        if random.random() < noise:
            hard = not hard
        quality = {"1": 0.1 if hard else 0.9, "2": 0.4 if hard else 0.9, "3": 0.9}
        made.append({"id": f"r{number}", "prompt": text, "quality": quality})
    return made


def labelled(lines: list[dict]) -> Labelled:
    collector = Collector()
    for line in lines:
        body = {"messages": [{"role": "user", "content": line["prompt"]}]}
        collector.add(body, line["quality"])
    return collector.labelled()


def small_router(count: int = 400, seed: int = 1) -> QualityModel:
    return train(labelled(examples(count, seed)), folds=2)
