"""Rules about the parts of a question: owners, places, lists, what may stand anywhere."""

# ruff: noqa: E501 - a pattern is easier to read on one line

import re

from gateway.cache.canonical import questions as q
from gateway.cache.canonical.rule import Rule, rule

NOUN = r"(?!(?:is|was|do|did|have|can|and|or|the|not|to|in|of|for|with|on|at|from|that) )\w+"
POSSESSIVE = re.compile(
    rf"^((?:what|who|where|which|when|how \w+) (?:is|was) )(the )?((?:{NOUN} ){{1,3}}?)'s ((?:(?!'s)\S+ ?)+)$"
)


@rule(
    words="'s",
    same=(
        ("What's Peru's capital?", "What is the capital of Peru?"),
        ("Where is the dog's bowl?", "Where is the bowl of the dog?"),
        ("What is Africa's largest lake?", "What is the largest lake in Africa?"),
    ),
    differ=(
        ("Does she love Bob's dog?", "Does the dog of she love Bob?"),
        ("What is Peru's capital?", "What is the Peru of capital?"),
        ("What is Alice's brother's name?", "What is Alice's name?"),
        ("Who is Alice and Bob's aunt?", "Who is Alice and the aunt of Bob?"),
    ),
)
def possessive(line: str) -> str:
    """Y's X -> the X of Y, right after "what is"."""
    found = POSSESSIVE.match(line)
    if not found:
        return line
    verb, _, owner, owned = found.groups()
    return f"{verb}the {owned.strip()} of {owner.strip()}"


FRONTED = re.compile(
    r"^((?:in|for|from|to|at|on|with|by|during|compared to|before|after|under|without|as|if)\b[^,.?]*?) , ([^,.?]+)$"
)
ASKS = re.compile(
    r"(?:what|which|who|when|where|why|how|can|could|should|is|was|do|did|will|would|write|explain|list|convert|show|give) "
)


@rule(
    words=",",
    same=(
        ("In Ruby, how do I sort a list?", "How do I sort a list in Ruby?"),
        (
            "From Rome to Oslo, how long is a flight?",
            "How long is a flight from Rome to Oslo?",
        ),
    ),
    differ=(
        ("In Ruby, how do I sort a list?", "In Java, how do I sort a list?"),
        ("In Spain, is it safe?", "Is it safe?"),
    ),
)
def fronted(line: str) -> str:
    """A phrase before the question, set off by a comma, goes last."""
    found = FRONTED.match(line)
    if found and ASKS.match(found[2]):
        return f"{found[2]} {found[1]}"
    return line


PLAIN = r"((?:(?!and |or |from |to |in |of |for |with |is )\S+ ?){1,4}?)"
BETWEEN = re.compile(
    rf"\b(between|among) {PLAIN} (and|versus|or) {PLAIN}(?=$| [.?,]| (?:in|for|from|to|of|with|is)\b)"
)


@rule(
    words="between among versus",
    same=(
        (
            "What is the difference between tea and coffee?",
            "What is the difference between coffee and tea?",
        ),
    ),
    differ=(
        (
            "What is the difference between tea and coffee?",
            "What is the difference between tea and milk?",
        ),
    ),
)
def between(line: str) -> str:
    """What lies between two things lies between them in either order."""

    def sort(found: re.Match[str]) -> str:
        one, other = sorted((found[2].strip(), found[4].strip()))
        return f"between {one} and {other}"

    return BETWEEN.sub(sort, line)


LIST = re.compile(r"(?<![^ ])(\w+) (and|or) (\w+)(?![^ ])")


@rule(
    words="and or",
    same=(("Are family and friends important?", "Are friends and family important?"),),
    differ=(("Are cats and dogs animals?", "Are cats or dogs animals?"),),
)
def lists(line: str) -> str:
    """Two words joined by "and" mean the same in either order."""
    if "between " in line:
        return line
    return LIST.sub(lambda m: f"{min(m[1], m[3])} {m[2]} {max(m[1], m[3])}", line)


AUXILIARY = "is|was|do|did|can|could|will|would|should|have"
INVERTED = re.compile(
    rf"^(how|why|when|where) ((?!to )(?:(?!(?:{AUXILIARY}) )\w+ ){{1,3}}?)(is|was|can|will|should) "
    r"(?=\S+(?: \S+){0,3}$)"
)
MEASURED = re.compile(
    r"^how (?:\w+ ){1,3}?(?:is|was|can|will|should) (?!\w+(?:ed|made|done|built|grown|written|drawn|sold|taught|taken|born)\b)"
)


@rule(
    words="how why when where",
    same=(("How gold is formed?", "How is gold formed?"),),
    differ=(("How old is gold?", "How is old gold?"),),
)
def upright(line: str) -> str:
    """The verb before the subject, also where it was forgotten."""
    return line if MEASURED.match(line) else INVERTED.sub(r"\1 \3 \2", line)


A = re.compile(
    r"(?<![^ ])(?:the|a) (?!(?:few|little|lot|bit|and|or|versus|is|in|of|to|for|from)(?![^ ]))(?=[^\W_])"
)
FILLERS = re.compile(
    r"(?<![^ ])(?:,|some|any|so(?! that(?: |$))|really|actually|exactly|basically|literally|simply|very|ever|in order(?= to )|-|\(|\))(?: |$)"
)
DO = re.compile(
    r"^((?:what|when|where|why|how)(?: (?!to |is |can |should |do )\S+){0,3}?) do (?=\S+ \S)"
)
OWNER = re.compile(r" 's(?= \S)")
WHAT_IS = re.compile(r"^what is (?:some |any )?(?=\S+ \S)")


@rule(
    same=(
        ("What is the capital of Peru?", "capital of Peru"),
        ("Which is the longest river of Peru?", "What is the longest river of Peru?"),
        ("What is 2+2?", "2+2"),
        ("Who wrote the constitution of Peru?", "Who wrote constitution of Peru?"),
    ),
    differ=(
        ("What was the capital of Peru?", "What is the capital of Peru?"),
        ("Who is the king of Spain?", "Where is the king of Spain?"),
        ("What is a few?", "What is few?"),
        ("Who made The Wall?", "Who made the wall?"),
    ),
)
def empty_words(line: str) -> str:
    """Words that say nothing: articles, fillers, do-support, "what is"."""
    line = DO.sub(r"\1 ", OWNER.sub("", FILLERS.sub("", A.sub("", line))))
    return WHAT_IS.sub("", line).strip()


PHRASES: tuple[Rule, ...] = (
    fronted,
    possessive,
    *q.QUESTIONS,
    q.passive,
    q.agents,
    q.paraphrases,
    q.which_is,
    q.write,
    between,
    lists,
    upright,
    empty_words,
)

PREPOSITION = re.compile(
    r" (?=(?:in|for|from|to|at|on|with|by|during|before|after|under|without|than|about|if|when)(?![^ ]))"
)
# Where English takes now one, now the other: in or at school, think of or about.
GENERIC = {"in": "of", "at": "of", "on": "of", "about": "of"}


def arranged(line: str) -> tuple[str, ...]:
    """The words in order, phrases with prepositions at the end in a fixed order."""
    if not line:
        return ()
    head, *phrases = PREPOSITION.split(line)
    if len(phrases) > 1:
        heads = {phrase.partition(" ")[0] for phrase in phrases}
        if len(heads) == len(phrases) and not any(
            " and " in phrase or " or " in phrase for phrase in phrases[:-1]
        ):
            phrases.sort()
    return tuple(
        GENERIC.get(word, word) for word in " ".join((head, *phrases)).split(" ")
    )
