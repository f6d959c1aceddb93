"""Articles that say something; `phrases.empty_words` leaves out all others."""

import re

from gateway.cache.canonical.english import word_set
from gateway.cache.canonical.rule import Pairs, rule
from gateway.cache.canonical.tokens import MARK

ARTICLES = word_set("the a")
# "A few" is no "few", and "a" may be a letter: "vitamin A in food".
ALWAYS_BEFORE = word_set("few little lot bit and or versus is in of to for from")
LETTERED = word_set("vitamin hepatitis plan grade group type part appendix")
# One of them is another thing than the stuff, or than the one that everybody knows.
A_BEFORE = word_set("""
    cold iron glass paper chicken turkey duck lamb rabbit time room tin rubber capital
    state cloud web moon sun galaxy number god bible ocean sky universe internet bar
    mean president king queen pope
""")
# Where words are said in another sense when "the" stands between them.
SAYINGS = {
    noun: word_set(before)
    for noun, before in {
        "air": "clear clearing on off",
        "bank": "break breaking",
        "bean": "spill spilling",
        "board": "on",
        "boat": "rock rocking miss missing",
        "buck": "pass passing",
        "bucket": "kick kicking",
        "bullet": "bite biting",
        "cake": "take taking",
        "clock": "beat beating",
        "dust": "bite biting",
        "hatchet": "bury burying",
        "hay": "hit hitting",
        "hook": "off",
        "ice": "break breaking",
        "line": "cross crossing hold holding",
        "moon": "over",
        "music": "face facing",
        "place": "take taking",
        "question": "pop popping",
        "record": "off",
        "road": "hit hitting",
        "sack": "hit hitting get getting",
        "shot": "call calling",
        "table": "turn turning",
        "time": "tell telling get getting",
        "wall": "off",
    }.items()
}

TELLING: Pairs = (
    ("What is a few?", "What is few?"),
    ("Which foods hold vitamin A and C?", "Which foods hold vitamin and C?"),
    ("What is vitamin A deficiency?", "What is vitamin deficiency?"),
    ("What is a cold?", "What is cold?"),
    ("How long do I roast a chicken?", "How long do I roast chicken?"),
    ("How many stars does a galaxy have?", "How many stars does the galaxy have?"),
    ("How do I break the ice?", "How do I break ice?"),
    ("How do you spill the beans?", "How do you spill beans?"),
    ("When does a merger take place?", "When does a merger take the place?"),
)


def tells(before: str, article: str, after: str) -> bool:
    """Does the article between these words change what they mean?"""
    if after in ALWAYS_BEFORE or not after[:1].isalnum() or before in LETTERED:
        return True
    if article == "a":
        return after in A_BEFORE
    return before in SAYINGS.get(after, ())


SAYING = re.compile(r"^what do it mean to (?=\w)")
IN_SAYING = re.compile(r"(?<= )(the|a)(?= )")


@rule(
    words="mean",
    same=(
        (
            "What does it mean to kick the bucket?",
            "what does it mean to kick the bucket",
        ),
        ("What does it mean to be brave?", "So what does it mean to be brave?"),
    ),
    differ=(
        (
            "What does it mean to kick the bucket?",
            "What does it mean to kick a bucket?",
        ),
        ("What does it mean to spill the beans?", "What does it mean to spill beans?"),
    ),
)
def saying(line: str) -> str:
    """A phrase whose meaning is asked keeps its articles: a saying has them."""
    if found := SAYING.match(line):
        return line[: found.end()] + IN_SAYING.sub(rf"\1{MARK}", line[found.end() :])
    return line
