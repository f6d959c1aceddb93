"""Writes words.txt and lookalikes.txt from SCOWL, as Debian's package `scowl` has it.

    python gateway/cache/canonical/data/generate.py /usr/share/dict/scowl

words.txt are the 11,000 commonest words: what a misspelled word is corrected to.
lookalikes.txt are rarer words and names that are one slip away from one of them and
must be left alone. The notice that SCOWL's licence asks for is in LICENSE.scowl.
"""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from gateway.cache.canonical.typos import slips

COMMON = 20  # SCOWL's size: 10 and 20 are the words everybody uses
RARE = 70  # nearly all that a dictionary has
DIALECTS = ("english", "american", "british", "british_z")
# Common in questions to a model, rare in books.
EXTRA = """
    celsius fahrenheit kelvin headquarters headquarter subtract javascript python
    typescript kubernetes postgresql mysql sqlite mongodb linux database databases
    website websites online email emails username blockchain photosynthesis algorithm
    algorithms programming laptop smartphone iphone android facebook instagram youtube
    whatsapp google gmail netflix spotify quora startup startups bitcoin cryptocurrency
    app apps login blog blogs cholesterol diabetes paracetamol ibuprofen aspirin
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    calculate summarize optimize visa visas recipe recipes vegan yoga gym
"""


def read(folder: Path, kinds: tuple[str, ...], size: int) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        name, _, level = path.name.rpartition(".")
        if name in kinds and int(level) <= size:
            yield from path.read_text("latin-1").lower().split()


def main(folder: Path) -> None:
    kinds = tuple(f"{dialect}-words" for dialect in DIALECTS)
    words = {
        word
        for word in (*read(folder, kinds, COMMON), *EXTRA.split())
        if word.isascii() and word.isalpha() and len(word) > 1
    }
    every = tuple(
        f"{dialect}-{kind}"
        for dialect in (*DIALECTS, "variant_1", "variant_2", "canadian", "australian")
        for kind in ("words", "upper", "proper-names", "abbreviations")
    )
    rare = {word for word in read(folder, every, RARE) if word.isascii()} - words
    lookalikes = {word for word in rare if not words.isdisjoint(slips(word))}
    here = Path(__file__).parent
    for name, entries in (("words", words), ("lookalikes", lookalikes)):
        text = textwrap.fill(" ".join(sorted(entries)), 88, break_long_words=False)
        (here / f"{name}.txt").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
