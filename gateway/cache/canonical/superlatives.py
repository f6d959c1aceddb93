"""Rules about the best, the largest and the most of something."""

import re

from gateway.cache.canonical.english import one_of, word_set
from gateway.cache.canonical.rule import Rule, rewriting, rule

NO_SUPERLATIVE = one_of("""
    interest west east rest test forest request harvest guest contest protest invest
    suggest nest chest quest priest latest honest modest
""")
SUPERLATIVE = rf"(?:best|worst|(?!{NO_SUPERLATIVE} )\w{{3,}}est|most \w+|least \w+)"
WHICH_IS = re.compile(
    rf"^what ((?:(?!is |was )\w+ ){{1,3}}?)(?:is|was) ({SUPERLATIVE})"
    r"( (?:in|of|for|on|to|at|under|from|with) .+)?$"
)


@rule(
    words="what",
    same=(
        ("Which desert is the largest in Asia?", "What is the largest desert in Asia?"),
        ("Which phone is best for games?", "What is the best phone for games?"),
        ("What are the best books?", "Which are the best books?"),
    ),
    differ=(
        ("Which desert is the largest?", "Which river is the largest?"),
        ("Which desert is the largest?", "Which desert is the smallest?"),
        ("What is the largest lake?", "What is the second largest lake?"),
    ),
)
def which_is(line: str) -> str:
    """Which X is the most Y: what is the most Y X."""
    if found := WHICH_IS.match(line):
        return f"what is {found[2]} {found[1].strip()}{found[3] or ''}"
    return line


TO_USE = one_of("""
    buy watch read use have get visit play listen_to see eat own try try_out follow
    go_to
""")
SEEN = one_of("""
    seen heard heard_of read watched had met came_across come_across been_to visited
    played eaten tried done received been_given did
""")
EVER = rf"(?:that )?(?:you|i) (?:have )?(?:ever )?{SEEN}(?: in (?:your|my) life)?"
USABLE = (
    rf"(?:that )?(?:i|you|we|one|people|everybody) (?:can|could|should|must) {TO_USE}"
)
IN_ALL = one_of("in_world of_world ever on_earth ever_made ever_written available")
# What else is done with them is what is asked: the best place to eat, to visit.
USES = {
    "read": word_set(
        "book novel blog magazine newspaper site manga comic author story"
    ),
    "watch": word_set("film show series documentary anime video drama channel"),
    "see": word_set("film show series documentary place"),
    "play": word_set("game"),
    "listen": word_set("song album podcast music band"),
    "eat": word_set("food snack dish meal fruit"),
    "visit": word_set("country beach museum site place"),
    "buy": word_set("phone laptop car computer tablet tv camera bicycle gift site"),
}


def without_use(found: re.Match[str]) -> str:
    """Without "to read" of a book, but not of another thing."""
    words = found[0].split(" ")
    verb = next((word for word in reversed(words) if word in USES), "")
    fits = not verb or not USES[verb].isdisjoint(words)
    return found[1] if fits else found[0]


FOLLOWS = "(?= (?:in|for|under|below|on|at|of|with|by) |$)"
BEST = rewriting(
    (rf"^who is (?={SUPERLATIVE} )", "what is "),
    (
        rf"^what ((?:\w+ ){{1,2}}?)((?:in|for|of) [\w ]+?) is ({SUPERLATIVE})$",
        r"what is \3 \1\2",
    ),
    (rf"^(what is {SUPERLATIVE} .+?) (?:{EVER}|{IN_ALL})$", r"\1"),
    (rf"^(what is best .+?) (?:to {TO_USE}|{USABLE}){FOLLOWS}", without_use),
    (r"^what is all time (best|worst) (.+)$", r"what is \1 \2 of all time"),
    (r"^where is (?=best )", "what is "),
    (r"^(what is best .+ to \w+(?: \w+)?) (?:in|from|at|on)$", r"\1"),
    (r"^(what is best .+?) to prepare for (?=\S+$)", r"\1 for "),
    (r"^(what is best .+?) for (\S+)(?: exam)? preparation$", r"\1 for \2"),
    (rf"^(what is {SUPERLATIVE} .+?) (?:of|in) (?=\S+$)", r"\1 in "),
)


# With "good" or "top" before them they are something of its own.
NAMED_GOOD = """
    friday faith cholesterol samaritan will common speed floor layer secret gun gear hat
    quark deck britain white dane expectations
"""
GOOD = re.compile(
    r"^(?:what|which|who)(?: one)? (?:is|do|will be|would be|can be) "
    r"(?:(?:some|any|few|the|of|most) )*(?:(?:(?<!the )great|good|greatest|top|best) )"
    rf"(?!{one_of(NAMED_GOOD)}(?![^ ]))"
)


@rule(
    words="good great greatest top best",
    same=(
        ("What are some good books?", "What are the best books?"),
        ("Which are the top books?", "What are the best books?"),
    ),
    differ=(
        ("What is a good salary?", "What is the best salary?"),
        ("What are good books?", "What are bad books?"),
    ),
)
def good(line: str) -> str:
    """Good ones are asked for as the best; "a good" one is only good."""
    return GOOD.sub("what is best ", line)


@rule(
    words="what who where",
    same=(
        ("What is the best book to read?", "What is the best book?"),
        ("What is the best book one should read?", "What is the best book?"),
        (
            "What are good books to prepare for GRE?",
            "What are good books for GRE preparation?",
        ),
        ("What is the all-time best film?", "What is the best film of all time?"),
        ("What is the best site to buy art from?", "What is the best site to buy art?"),
        ("Where is the best school in Peru?", "Which is the best school in Peru?"),
        ("What is the best film you have ever seen?", "What is the best film?"),
        ("Who is the tallest man in the world?", "Who is the tallest man?"),
        ("What is Africa's largest lake?", "What is the largest lake in Africa?"),
    ),
    differ=(
        ("What is the best book to burn?", "What is the best book?"),
        ("What is the largest lake in Africa?", "What is the largest lake?"),
        ("What is the best film of all time?", "What is the best film?"),
    ),
)
def best(line: str) -> str:
    """Whom or what, of which kind: in all the world, and to be used, is meant."""
    return BEST(line)


SUPERLATIVES: tuple[Rule, ...] = (which_is, best)
