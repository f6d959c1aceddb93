"""One word at a time: contractions, spelling, inflection, numbers.

A word becomes one canonical word, several with spaces between them, or "" when it says
nothing. What was worked out is kept, so that a line costs one look-up per word.
"""

# ruff: noqa: E501 - a pattern is easier to read on one line

from gateway.cache.canonical.english import word_set, words_of
from gateway.cache.canonical.tokens import MARK
from gateway.cache.canonical.typos import WORDS, corrected

MEMO_SIZE = 20_000  # words; 2 MB

CONTRACTIONS = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    "y'all": "you all",
    "whats": "what is",
    "wheres": "where is",
    "whos": "who is",
    "hows": "how is",
    "dont": "do not",
    "doesnt": "do not",
    "didnt": "did not",
    "isnt": "is not",
    "arent": "is not",
    "cant": "can not",
    "wont": "will not",
    "wouldnt": "would not",
    "shouldnt": "should not",
    "couldnt": "could not",
    "ive": "i have",
    "im": "i is",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
}
ENDINGS = {"'re": "is", "'ve": "have", "'ll": "will", "'m": "is", "'d": "would"}
# What stands before 's when it means "is"; after all else it means "of".
TAKES_IS = word_set("""
    what which who where when why how it that there here he she this everything
    something nothing long much far old many big often tall
    """)

# Agreement of subject and verb says nothing.
AGREEMENT = {
    "are": "is",
    "am": "is",
    "were": "was",
    "does": "do",
    "has": "have",
    "an": "a",
}
SPELLINGS = {
    "e-mail": "email",
    "behaviour": "behavior",
    "centre": "center",
    "theatre": "theater",
    "metre": "meter",
    "litre": "liter",
    "fibre": "fiber",
    "kilometre": "kilometer",
    "centimetre": "centimeter",
    "millimetre": "millimeter",
    "analyse": "analyze",
    "catalogue": "catalog",
    "dialogue": "dialog",
    "programme": "program",
    "defence": "defense",
    "licence": "license",
    "grey": "gray",
    "tyre": "tire",
    "aluminium": "aluminum",
    "travelling": "traveling",
    "cancelled": "canceled",
    "labelled": "labeled",
    "modelling": "modeling",
    "jewellery": "jewelry",
    "pyjamas": "pajamas",
    "cheque": "check",
    "ok": "okay",
    "alright": "okay",
    "yoghurt": "yogurt",
    "plough": "plow",
    "sceptical": "skeptical",
    "learnt": "learned",
    "waht": "what",
    "wich": "which",
    "hwo": "how",
    "teh": "the",
    "thier": "their",
    "recieve": "receive",
    "u": "you",
    "ur": "your",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
}
# Words that mean the same in every context we could think of.
SYNONYMS = {
    "biggest": "largest",
    "quickest": "fastest",
    "quick": "fast",
    "quickly": "fast",
    "max": "maximum",
    "min": "minimum",
    "app": "application",
    "info": "information",
    "pic": "picture",
    "photo": "picture",
    "photograph": "picture",
    "image": "picture",
    "movie": "film",
    "kid": "child",
    "mom": "mother",
    "mum": "mother",
    "dad": "father",
    "website": "site",
    "webpage": "page",
    "cellphone": "phone",
    "smartphone": "phone",
    "tv": "television",
    "fridge": "refrigerator",
    "bike": "bicycle",
    "pc": "computer",
    "maths": "math",
    "mathematics": "math",
    "vs": "versus",
    "govt": "government",
    "postgres": "postgresql",
    "mongo": "mongodb",
    "k8s": "kubernetes",
    "javascript": "js",
    "typescript": "ts",
    "usʹ": "usa",
    "u.s": "usa",
    "u.s.": "usa",
    "u.s.a.": "usa",
    "u.k.": "uk",
    "begin": "start",
    "commence": "start",
    "obtain": "get",
    "receive": "get",
    "acquire": "get",
    "purchase": "buy",
    "require": "need",
    "loaned": "lent",
    "construct": "build",
    "repair": "fix",
    "occur": "happen",
    "toughest": "hardest",
    "tough": "hard",
    "difficult": "hard",
    "automobile": "car",
    "physician": "doctor",
    "merit": "advantage",
    "benefit": "advantage",
    "pro": "advantage",
    "upside": "advantage",
    "drawback": "disadvantage",
    "con": "disadvantage",
    "downside": "disadvantage",
    "demerit": "disadvantage",
    "describe": "explain",
    "lawful": "legal",
    "lawfully": "legally",
    "unlawful": "illegal",
    "into": "to",
    "upon": "on",
    "amongst": "among",
    "whilst": "while",
    "til": "until",
    "till": "until",
    "everyone": "everybody",
    "someone": "somebody",
    "anyone": "anybody",
    "buck": "dollar",
    "config": "configuration",
    "db": "database",
    "repo": "repository",
    "docs": "documentation",
    "admin": "administrator",
    "auth": "authentication",
    "lib": "library",
    "func": "function",
    "param": "parameter",
    "dir": "directory",
    "ad": "advertisement",
    "advert": "advertisement",
    "telephone": "phone",
    "influenza": "flu",
    "temp": "temperature",
    "approx": "approximately",
    "avg": "average",
    "num": "number",
    "dept": "department",
    "mgmt": "management",
    "intro": "introduction",
    "uni": "university",
    "veggie": "vegetable",
    "examination": "exam",
    "p.m.": "pm",
    "a.m.": "am",
    "e.g.": "eg",
    "i.e.": "ie",
    "lady": "woman",
    "aid": "help",
    "assist": "help",
    "assistance": "help",
    "select": "choose",
    "reply": "answer",
    "respond": "answer",
    "usd": "dollar",
    "eur": "euro",
    "gbp": "pound",
}
NUMBERS = {
    **{
        word: str(number)
        for number, word in enumerate(
            words_of("""
                two three four five six seven eight nine ten eleven twelve thirteen
                fourteen fifteen sixteen seventeen eighteen nineteen twenty
            """),
            start=2,
        )
    },
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "seventy": "70",
    "eighty": "80",
    "ninety": "90",
    "%": "percent",
    "&": "and",
    "×": "*",
    "÷": "/",
}
ORDINALS = dict(
    zip(
        words_of("1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th"),
        words_of("first second third fourth fifth sixth seventh eighth ninth tenth"),
        strict=True,
    )
)
IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "geese": "goose",
    "knives": "knife",
    "wives": "wife",
    "lives": "live",
    "wolves": "wolf",
    "halves": "half",
    "shelves": "shelf",
    "leaves": "leaves",
    "criteria": "criterion",
    "phenomena": "phenomenon",
    "movies": "movie",
    "cookies": "cookie",
    "goes": "go",
    "potatoes": "potato",
    "tomatoes": "tomato",
    "heroes": "hero",
    "echoes": "echo",
    "analyses": "analysis",
    "hypotheses": "hypothesis",
    "crises": "crisis",
    "indices": "index",
    "vertices": "vertex",
    "matrices": "matrix",
    "dies": "die",
    "lies": "lie",
    "ties": "tie",
}
# An s at their end makes another word of them, or is no plural.
INVARIABLE = word_set("""
    news goods customs glasses arms pants times works rights lights means manners spirits
    terms savings earnings damages contents sands woods forces waters airs colors brains
    clothes premises grounds looks minutes riches stairs thanks odds ashes guts remains
    regards quarters headquarters barracks surroundings outskirts belongings congratulations
    series species lens always perhaps besides sometimes afterwards towards upwards
    downwards backwards forwards indoors outdoors overseas nowadays across unless less else
    windows jobs wales mars texas kansas arkansas athens naples brussels paris cyprus
    netherlands philippines states nations united kubernetes pandas keras redis jenkins
    canvas atlas christmas texas gas bus yes this is was has does its his hers ours yours
    theirs as us sos ios aws dns https sms gps css os xbox cons pros days diabetes rabies
    measles herpes mumps james charles thomas chris holmes adidas siemens mercedes
    """) - word_set("days states")
SIBILANTS = ("xes", "ches", "shes", "sses", "zes")
NO_PLURAL = ("ss", "us", "is", "ics", "'s")


def canonical(word: str) -> str:
    """The canonical form of a word in small letters."""
    known = _memo.get(word)
    if known is None:
        known = work_out(word)
        if len(_memo) >= MEMO_SIZE:
            _memo.clear()
        _memo[word] = known
    return known


def work_out(word: str) -> str:
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    if word[0].isdecimal():
        return ORDINALS.get(word) or word.replace(",", "")
    if "-" in word and len(word) > 1:
        return compound(word)
    if not word[0].isalpha() or word.endswith(MARK):
        return word
    if "'" in word:
        return in_full(word)
    word = corrected(word)
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    word = american(singular(word))
    return EXCEPTIONS.get(word, word)


def compound(word: str) -> str:
    """Twenty-five is a number; else a hyphen is a space."""
    ten, _, one = word.partition("-")
    if one in NUMBERS and len(NUMBERS[one]) == 1:
        return str(int(NUMBERS[ten]) + int(NUMBERS[one]))
    if one == "one":
        return str(int(NUMBERS[ten]) + 1)
    if word.startswith("e-mail"):
        return "email"
    return " ".join(map(canonical, filter(None, word.split("-"))))


def in_full(word: str) -> str:
    if word.endswith("n't"):
        stem = word[:-3]
        return f"{AGREEMENT.get(stem, stem)} not"
    stem, apostrophe, ending = word.rpartition("'")
    if apostrophe + ending in ENDINGS:
        return f"{canonical(stem)} {ENDINGS[apostrophe + ending]}"
    if ending == "s":
        return f"{canonical(stem)} {'is' if stem in TAKES_IS else OWNS}"
    return word


def singular(word: str) -> str:
    """Without the s of a plural or of a verb after he, she, it."""
    if word[-1] != "s" or len(word) < 4 or word in INVARIABLE:
        return IRREGULAR.get(word, word)
    if word.endswith(NO_PLURAL):
        return word
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    sibilant = word.endswith("es") and word[:-1] not in WORDS
    if sibilant and (word[:-2] in WORDS or word.endswith(SIBILANTS)):
        return word[:-2]
    return word[:-1]


def american(word: str) -> str:
    """The spelling with z and or, if that is a word."""
    for british, spelled in (("ise", "ize"), ("ised", "ized"), ("ising", "izing")):
        if word.endswith(british):
            other = word[: -len(british)] + spelled
            return other if other in WORDS and len(word) > 5 else word
    if "our" in word and len(word) > 5:
        other = word.replace("our", "or")
        return other if other in WORDS else word
    return word


OWNS = "'s"
EXCEPTIONS = CONTRACTIONS | AGREEMENT | SPELLINGS | SYNONYMS | NUMBERS
_memo: dict[str, str] = {}
