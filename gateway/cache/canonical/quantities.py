"""Rules about numbers, units, money and sums."""

# ruff: noqa: E501 - a pattern is easier to read on one line

import re

from gateway.cache.canonical.english import words_of
from gateway.cache.canonical.rule import Rule, rewriting, rule

UNITS = {
    "km": "kilometer", "kms": "kilometer", "cm": "centimeter", "mm": "millimeter",
    "kg": "kilogram", "kgs": "kilogram", "kilo": "kilogram", "g": "gram", "mg": "milligram",
    "lb": "pound", "lbs": "pound", "oz": "ounce", "ft": "foot", "mph": "mile per hour",
    "hr": "hour", "hrs": "hour", "mins": "minute", "minimum": "minute", "sec": "second",
    "secs": "second", "yr": "year", "yrs": "year", "yo": "year old", "y o": "year old",
    "c": "celsius", "f": "fahrenheit", "ml": "milliliter",
    "l": "liter", "gb": "gigabyte", "mb": "megabyte", "tb": "terabyte", "kb": "kilobyte",
    "°": "degree", "° c": "celsius", "° f": "fahrenheit", "degree c": "celsius",
    "degree f": "fahrenheit", "degree celsius": "celsius",
    "degree fahrenheit": "fahrenheit", "centigrade": "celsius", "degree centigrade": "celsius",
    "mi": "mile", "yd": "yard", "sq": "square", "pct": "percent",
}  # fmt: skip
CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound", "₹": "rupee", "¥": "yen"}
NUMBER = r"(\d[\d.]*)"
UNIT = re.compile(
    rf"\b{NUMBER} (?:- )?({'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![^ ])"
)
INTO_CELSIUS = re.compile(
    r"\b(celsius|fahrenheit|kelvin|degree) (to|in) (c|f|k|degree celsius|degree fahrenheit)\b"
)


@rule(
    same=(
        ("How long is 5 km in miles?", "How long is 5 kilometers in miles?"),
        ("What is 20% of 80?", "What is 20 percent of 80?"),
        ("What is 1,000 + 1?", "What is 1000+1?"),
        ("What is 100 °C in kelvin?", "What is 100 degrees Celsius in kelvin?"),
        (
            "How do I convert 20 C to F?",
            "How do I convert 20 degrees Celsius to Fahrenheit?",
        ),
        ("Is it safe for a 6-year-old?", "Is it safe for a 6 year old?"),
    ),
    differ=(
        ("What is 15 USD in EUR?", "What is 95 USD in EUR?"),
        ("Is 5 km far?", "Is 5 m far?"),
        ("Is C better than F?", "Is celsius better than fahrenheit?"),
    ),
)
def units(line: str) -> str:
    """Units after a number in full."""
    line = UNIT.sub(lambda found: f"{found[1]} {UNITS[found[2]]}", line)
    return INTO_CELSIUS.sub(lambda m: f"{m[1]} {m[2]} {UNITS.get(m[3], m[3])}", line)


MONEY = re.compile(rf"([$€£₹¥]) {NUMBER}")


@rule(
    words="$ € £ ₹ ¥",
    same=(("Is $20 enough?", "Is 20 dollars enough?"),),
    differ=(("Is $20 enough?", "Is €20 enough?"), ("Is $20 enough?", "Is 20 enough?")),
)
def money(line: str) -> str:
    """The currency after the amount, as a word."""
    return MONEY.sub(lambda found: f"{found[2]} {CURRENCIES[found[1]]}", line)


N = r"(-? ?\d[\d.]*)"


@rule(
    same=(
        ("What is 11 minus 2?", "What is 11 - 2?"),
        ("Subtract 2 from 11.", "What is 11 - 2?"),
        ("Add 15 to 6", "What is 6 + 15?"),
        ("What is 15+6?", "What is 6 + 15?"),
        ("Calculate 2*3", "What is three times two?"),
        ("Divide 6 by 3", "6/3"),
        ("What is the sum of 2 and 3?", "2+3"),
        ("How much is 2+3?", "2+3"),
    ),
    differ=(
        ("What is 2+2?", "What is 2+3?"),
        ("What is 2+2?", "What is 2*2?"),
        ("What is 11 - 2?", "What is 2 - 11?"),
        ("What is 5!?", "What is 5?"),
        ("What is 2+3*4?", "What is 3+2*4?"),
        ("What is 6/3?", "What is 3/6?"),
        ("Is 5 > 3?", "Is 5 < 3?"),
        ("What is x plus y?", "What is x minus y?"),
    ),
)
def sums(line: str) -> str:
    """Operations as operators; the two operands of + and * sorted, if there are no more."""
    if not any(map(str.isdecimal, line)):
        return line
    line = OPERATIONS(line)
    found = SUM.fullmatch(line)
    if found and found[2] in "+*":
        one, other = sorted((found[1], found[3]))
        return f"{one} {found[2]} {other}"
    return line


OPERATIONS = rewriting(
    (
        r"^(?:what is|how much is|what do|how much do|calculate|compute|evaluate|solve|find|work out)(?: the value of)? (?=[(\d-])",
        "",
    ),
    (rf"^subtract {N} from {N}", r"\2 - \1"),
    (rf"^add {N} (?:to|and) {N}", r"\2 + \1"),
    (rf"^multiply {N} (?:by|and|with) {N}", r"\1 * \2"),
    (rf"^divide {N} by {N}", r"\1 / \2"),
    (
        rf"^(?:what is |calculate |compute |find )?(?:the )?sum of {N} and {N}",
        r"\1 + \2",
    ),
    (
        rf"^(?:what is |calculate |compute |find )?(?:the )?product of {N} and {N}",
        r"\1 * \2",
    ),
    (
        rf"^(?:what is |calculate |compute |find )?(?:the )?difference (?:of|between) {N} and {N}$",
        r"\1 - \2",
    ),
    (rf"{N} plus (?=\d)", r"\1 + "),
    (rf"{N} minus (?=\d)", r"\1 - "),
    (rf"{N} (?:times|multiplied by|x|\*) (?=\d)", r"\1 * "),
    (rf"{N} (?:divided by|over) (?=\d)", r"\1 / "),
    (
        r"^(\d[\d.]*(?: [-+*/] \d[\d.]*)+)(?: (?:equal|is|make|=)(?: what| how much)?| =)$",
        r"\1",
    ),
)
SUM = re.compile(r"(\d[\d.]*) ([-+*/]) (\d[\d.]*)")


@rule(
    words="convert change turn how express in to",
    same=(
        ("How many miles are in 15 kilometers?", "Convert 15 km to miles"),
        ("Change 15 kilometers into inches", "Convert 15 km to inches"),
        ("What is 15 km in miles?", "Convert 15 km to miles"),
    ),
    differ=(
        (
            "How many miles are in 15 kilometers?",
            "How many kilometers are in 15 miles?",
        ),
        ("How many days are in 2 months?", "How many days are in 3 months?"),
    ),
)
def conversions(line: str) -> str:
    """A quantity in another unit."""
    return IN_UNITS.sub(r"convert \1 \2 to \3", CONVERSIONS(line))


CONVERSIONS = rewriting(
    (
        rf"^how many (\w+) (?:is|do)(?: there)?(?: in| make up| make)? {NUMBER} (\w+)$",
        r"convert \2 \3 to \1",
    ),
    (
        rf"^how (?:much|many|long|far|tall|heavy|big) is {NUMBER} (\w+) in (\w+)$",
        r"convert \1 \2 to \3",
    ),
    (
        rf"^(?:change|turn|transform|express) {NUMBER} (\w+) (?:to|in|as) (\w+)$",
        r"convert \1 \2 to \3",
    ),
)
UNIT_NAMES = "|".join(
    sorted(
        {
            *UNITS.values(),
            "mile",
            "yard",
            "inch",
            "kelvin",
            "acre",
            "hectare",
            "day",
            "week",
            "month",
            "hour",
            "minute",
            "second",
            "year",
            "dollar",
            "euro",
            "yen",
            "rupee",
            "stone",
            "cup",
            "tablespoon",
            "teaspoon",
            "ounce",
            "gallon",
            "pint",
            "quart",
            "meter",
            "byte",
            "bit",
        },
        key=len,
        reverse=True,
    )
)
IN_UNITS = re.compile(
    rf"^(?:what is |how much is |convert )?{NUMBER} ({UNIT_NAMES}) (?:in|to|as) ({UNIT_NAMES})$"
)
MAGNITUDES = {"k": 3, "hundred": 2, "thousand": 3, "million": 6, "billion": 9}
MAGNITUDE = re.compile(
    rf"\b(?:{NUMBER}|one|a) (k|hundred|thousand|million|billion)\b(?: (thousand|million|billion)\b)?"
)
MONTHS = words_of("""
    january february march april may june july august september october november december
""")
DATE = re.compile(
    rf"\b(\d\d?|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)(?:st|nd|rd|th)?(?: of)? ({'|'.join(MONTHS)}|{'|'.join(month[:3] for month in MONTHS)})\b(?: ,)?"
)
MONTH_FIRST = re.compile(
    rf"\b({'|'.join(MONTHS)}|{'|'.join(month[:3] for month in MONTHS)}) (?:the )?(\d\d?|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)(?:st|nd|rd|th)?\b(?: ,)?"
)
MONTH_NAMES = {month[:3]: month for month in MONTHS}
DAYS = {
    word: str(n)
    for n, word in enumerate(
        words_of("first second third fourth fifth sixth seventh eighth ninth tenth"), 1
    )
}


@rule(
    words="k hundred thousand million billion",
    same=(
        ("Is 2 million a lot?", "Is 2,000,000 a lot?"),
        ("Is a hundred a lot?", "Is 100 a lot?"),
    ),
    differ=(
        ("Is 2 million a lot?", "Is 3 million a lot?"),
        ("Is 2 million a lot?", "Is 2 billion a lot?"),
    ),
)
def magnitudes(line: str) -> str:
    """Large numbers in digits."""
    return MAGNITUDE.sub(in_digits, line)


def in_digits(found: re.Match[str]) -> str:
    zeros = MAGNITUDES[found[2]] + MAGNITUDES.get(found[3], 0)
    whole, _, part = (found[1] or "1").partition(".")
    if "." in part:
        return found[0]
    digits = whole + part.ljust(zeros, "0") if len(part) <= zeros else ""
    return digits or found[0]


@rule(
    words=" ".join((*MONTHS, *MONTH_NAMES)),
    same=(("What happened on 4 July 1776?", "What happened on July 4th, 1776?"),),
    differ=(("What happened on 4 July 1776?", "What happened on 7 April 1776?"),),
)
def dates(line: str) -> str:
    """Month and day, in that order."""
    line = DATE.sub(lambda m: f"{m[2]} {m[1]}", line)
    return MONTH_FIRST.sub(
        lambda m: f"{MONTH_NAMES[m[1][:3]]} {DAYS.get(m[2], m[2])}", line
    )


QUANTITIES: tuple[Rule, ...] = (magnitudes, dates, money, units, sums, conversions)
