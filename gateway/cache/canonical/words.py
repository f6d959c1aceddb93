"""Rules about single words: contractions, case, spelling, numbers, units."""

from gateway.cache.canonical.english import BE, COMMON, QUESTION_WORDS, word_set
from gateway.cache.canonical.rule import Rule, Tokens, rule
from gateway.cache.canonical.tokens import is_number, is_word

# Names, languages and units that are another word in small letters.
CASE_MATTERS = word_set("""
    turkey china polish march august rust swift python ruby java reading mobile amazon
    apple shell windows word excel aids mercury oracle chrome safari scratch julia
    crystal elixir jordan chad guinea bath cork lima bill mark frank rose jack grace
    hope faith
    """)
# Shorter words with a capital may be symbols, acronyms or names (US, CO, Co, MB, Mb).
SHORT = 3
# A single word after one of these has nothing but its capital to tell what it is.
ASKED_ABOUT = BE | word_set("what what's who who's define explain describe about")

WHOLE_WORDS = {
    "can't": ["can", "not"],
    "cannot": ["can", "not"],
    "won't": ["will", "not"],
    "shan't": ["shall", "not"],
    "whats": ["what", "is"],
    "wheres": ["where", "is"],
    "whos": ["who", "is"],
    "hows": ["how", "is"],
    "dont": ["do", "not"],
    "doesnt": ["does", "not"],
    "didnt": ["did", "not"],
    "isnt": ["is", "not"],
    "arent": ["are", "not"],
}
ENDINGS = {"'re": "are", "'ve": "have", "'ll": "will", "'m": "am"}
TAKES_IS = QUESTION_WORDS | word_set("it that there here he she")

SPELLINGS = {
    "e-mail": "email",
    "e-mails": "emails",
    "colour": "color",
    "colours": "colors",
    "favourite": "favorite",
    "favourites": "favorites",
    "behaviour": "behavior",
    "flavour": "flavor",
    "neighbour": "neighbor",
    "centre": "center",
    "theatre": "theater",
    "metre": "meter",
    "metres": "meters",
    "litre": "liter",
    "litres": "liters",
    "kilometre": "kilometer",
    "kilometres": "kilometers",
    "summarise": "summarize",
    "organise": "organize",
    "recognise": "recognize",
    "analyse": "analyze",
    "catalogue": "catalog",
    "ok": "okay",
}
SYNONYMS = {
    "biggest": "largest",
    "quickest": "fastest",
    "max": "maximum",
    "min": "minimum",
}
# Not "one", which is a pronoun as well.
NUMBER_WORDS = """
    two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty
"""
DIGITS = {word: str(n) for n, word in enumerate(NUMBER_WORDS.split(), start=2)}
UNITS = {
    "km": "kilometers",
    "kilometer": "kilometers",
    "cm": "centimeters",
    "centimeter": "centimeters",
    "kg": "kilograms",
    "kilogram": "kilograms",
    "meter": "meters",
    "mile": "miles",
    "hour": "hours",
    "hrs": "hours",
    "minute": "minutes",
    "mins": "minutes",
    "day": "days",
    "year": "years",
    "week": "weeks",
    "month": "months",
    "percent": "percent",
    "%": "percent",
}
OPERATORS = {"plus": "+", "minus": "-", "times": "*", "x": "*", "×": "*", "÷": "/"}


@rule(
    same=(
        ("WHY DOES A CAT PURR?", "why does a cat purr?"),
        ("In which country was Ikea founded?", "in which country was IKEA founded?"),
    ),
    differ=(
        ("What do people in the US do?", "What do people in the us do?"),
        ("Where is Turkey?", "Where is turkey?"),
        ("How many Mb are in 5 MB?", "How many MB are in 5 Mb?"),
        ("What is Discord?", "What is discord?"),
        ("Tell me what Discord is", "What is discord?"),
        ("How do I call getName in a loop?", "How do I call getname in a loop?"),
    ),
)
def case(tokens: Tokens) -> Tokens:
    """Small letters, except where a capital may make another word of it."""
    letters = "".join(token for token in tokens if is_word(token))
    if letters.isupper() and len(letters) > 2 * SHORT:
        return [token.lower() if is_word(token) else token for token in tokens]
    return [
        token.lower() if is_word(token) and case_is_free(tokens, place) else token
        for place, token in enumerate(tokens)
    ]


def case_is_free(tokens: Tokens, place: int) -> bool:
    stem = tokens[place].partition("'")[0]
    lower = stem.lower()
    if lower in CASE_MATTERS or stands_alone(tokens, place):
        return False
    if stem in ("The", "A", "An"):
        return place == 0  # in the middle it is part of a title
    if stem[1:].islower() or len(stem) == 1:
        return place == 0 or len(stem) > SHORT or lower in COMMON
    return stem.isupper() and len(stem) > SHORT  # camelCase is an identifier


def stands_alone(tokens: Tokens, place: int) -> bool:
    """As Discord does in "what is Discord?" and in "tell me what Discord is"."""
    after = tokens[place + 1 : place + 2]
    ends = not after or not is_word(after[0]) or after[0] in BE
    return place > 0 and ends and tokens[place - 1].lower() in ASKED_ABOUT


@rule(
    same=(
        ("What's photosynthesis?", "What is photosynthesis?"),
        ("Why can't dogs eat grapes?", "Why can not dogs eat grapes?"),
    ),
    differ=(
        ("Why can't dogs eat grapes?", "Why can dogs eat grapes?"),
        ("Is it the dog's?", "Is it the dogs?"),
    ),
)
def contractions(tokens: Tokens) -> Tokens:
    """In full; a possessive 's becomes a token of its own."""
    full: Tokens = []
    for token in tokens:
        if "'" in token and is_word(token) or token in WHOLE_WORDS:
            full.extend(in_full(token))
        else:
            full.append(token)
    return full


def in_full(word: str) -> Tokens:
    if word in WHOLE_WORDS:
        return WHOLE_WORDS[word]
    if word.endswith("n't"):
        return [word[:-3], "not"]
    stem, apostrophe, ending = word.rpartition("'")
    if ending == "s":
        return [stem, "is" if stem.lower() in TAKES_IS else "'s"]
    if apostrophe + ending in ENDINGS:
        return [stem, ENDINGS[apostrophe + ending]]
    return [word]


@rule(
    same=(
        ("Write an e-mail to a customer", "Write an email to a customer"),
        ("What is the biggest lake in Peru?", "What is the largest lake in Peru?"),
    ),
    differ=(
        ("What is the largest lake?", "What is the oldest lake?"),
        ("What is the largest lake?", "What is the second largest lake?"),
        ("What is a purchase order?", "What is a buy order?"),
    ),
)
def spelling(tokens: Tokens) -> Tokens:
    """One spelling for what is spelled in two ways, one word for what means the same
    in every context we could think of."""
    return [SPELLINGS.get(token) or SYNONYMS.get(token, token) for token in tokens]


@rule(
    same=(
        ("Explain gravity in two words", "Explain gravity in 2 words"),
        ("What is 11 minus 2?", "What is 11 - 2?"),
        ("How long is 5 km in miles?", "How long is 5 kilometers in miles?"),
        ("What is 20% of 80?", "What is 20 percent of 80?"),
        ("What is 1,000 + 1?", "What is 1000+1?"),
    ),
    differ=(
        ("What is 2+2?", "What is 2+3?"),
        ("What is 2+2?", "What is 2*2?"),
        ("What is 5!?", "What is 5?"),
        ("What is 15 USD in EUR?", "What is 95 USD in EUR?"),
        ("Is 5 km far?", "Is 5 m far?"),
        ("What is x plus y?", "What is x minus y?"),
    ),
)
def quantities(tokens: Tokens) -> Tokens:
    """Number words as digits, units in full after a number, operators between."""
    tokens = [DIGITS.get(token, token) for token in tokens]
    for place in range(1, len(tokens)):
        if not is_number(tokens[place - 1]):
            continue
        if tokens[place] in UNITS:
            tokens[place] = UNITS[tokens[place]]
        elif place + 1 < len(tokens) and is_number(tokens[place + 1]):
            tokens[place] = OPERATORS.get(tokens[place], tokens[place])
    return tokens


WORD_RULES: tuple[Rule, ...] = (case, contractions, spelling, quantities)
