"""Rules about numbers and what they count: units, money, large numbers, dates."""

import re

from gateway.cache.canonical.english import one_of, word_set, words_of
from gateway.cache.canonical.rule import Rule, rule

DIGIT = re.compile(r"\d")
NUMBER = r"(\d[\d.]*)"
# The same at the start of a word: a digit is found sooner than the start of one.
NEW_NUMBER = r"(\d(?<!\w\d)[\d.]*)"
UNITS = {
    "km": "kilometer", "kms": "kilometer", "cm": "centimeter", "mm": "millimeter",
    "kg": "kilogram", "kgs": "kilogram", "kilo": "kilogram", "g": "gram",
    "mg": "milligram", "lbs": "lb", "oz": "ounce", "ft": "foot",
    "mph": "mile per hour", "hr": "hour", "hrs": "hour", "mins": "minute",
    "minimum": "minute", "sec": "second", "secs": "second", "yr": "year",
    "yrs": "year", "yo": "year old", "y o": "year old", "c": "celsius",
    "f": "fahrenheit", "ml": "milliliter", "l": "liter", "gb": "gigabyte",
    "mb": "megabyte", "tb": "terabyte", "kb": "kilobyte", "°": "degree",
    "° c": "celsius", "° f": "fahrenheit", "degree c": "celsius",
    "degree f": "fahrenheit", "degree celsius": "celsius",
    "degree fahrenheit": "fahrenheit", "centigrade": "celsius",
    "degree centigrade": "celsius", "mi": "mile", "yd": "yard", "pct": "percent",
}  # fmt: skip
UNIT_NAMES = one_of(
    """
    inch yard mile kelvin acre hectare stone pound lb gbp cup tablespoon teaspoon
    gallon pint quart
    meter day week month dollar euro yen rupee byte bit
    """
    + " ".join(name for name in UNITS.values() if " " not in name)
)
UNIT = re.compile(
    rf"{NEW_NUMBER} (?:- )?"
    rf"({'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![^ ])"
)
DEGREES = frozenset({"celsius", "fahrenheit", "kelvin"})
TO_DEGREES = re.compile(
    r"\b(celsius|fahrenheit|kelvin) (to|in) (c|f|degree celsius|degree fahrenheit)\b"
)


@rule(
    same=(
        ("How long is 5 km in miles?", "How long is 5 kilometers in miles?"),
        ("What is 20% of 80?", "What is 20 percent of 80?"),
        ("What is 100 °C in kelvin?", "What is 100 degrees Celsius in kelvin?"),
        ("How do I convert 20 C to F?", "Convert 20 degrees Celsius to Fahrenheit."),
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
    if not DIGIT.search(line):
        return line
    line = UNIT.sub(lambda found: f"{found[1]} {UNITS[found[2]]}", line)
    if DEGREES.isdisjoint(line.split(" ")):
        return line
    return TO_DEGREES.sub(lambda m: f"{m[1]} {m[2]} {UNITS[m[3]]}", line)


# A yuan is written as a yen is.
CURRENCIES = {"$": "dollar", "€": "euro", "£": "gbp", "₹": "rupee", "¥": "¥"}
MONEY = re.compile(rf"([$€£₹¥]) {NUMBER}")
RUPEES = re.compile(
    rf"(?<![^ ])(?:(?:rs|inr)(?: \.)? {NUMBER}(?! rupee)(?: / -)?"
    rf"|{NUMBER} (?:rs|inr)(?![^ ]))"
)


@rule(
    words="$ € £ ₹ ¥ rs inr",
    same=(
        ("Is $20 enough?", "Is 20 dollars enough?"),
        ("Is Rs. 20 enough?", "Is 20 rupees enough?"),
        ("Is INR 20 enough?", "Is 20INR enough?"),
    ),
    differ=(
        ("Is $20 enough?", "Is €20 enough?"),
        ("Is $20 enough?", "Is 20 enough?"),
        ("Is Rs 20 enough?", "Is 20 enough?"),
    ),
)
def money(line: str) -> str:
    """The currency after the amount, as a word."""
    line = RUPEES.sub(lambda found: f"{found[1] or found[2]} rupee", line)
    return MONEY.sub(lambda found: f"{found[2]} {CURRENCIES[found[1]]}", line)


ZEROS = {"k": 3, "hundred": 2, "thousand": 3, "million": 6, "billion": 9}
MAGNITUDE = re.compile(
    rf"\b(?:{NUMBER} |one )?((?<=\d )k|hundred|thousand|million|billion)\b(?! of)"
    r"(?: (thousand|million|billion)\b)?"
)


@rule(
    words="k hundred thousand million billion",
    same=(
        ("Is 2 million a lot?", "Is 2,000,000 a lot?"),
        ("Is 1.5 million a lot?", "Is 1,500,000 a lot?"),
        ("Is a hundred a lot?", "Is 100 a lot?"),
    ),
    differ=(
        ("Is 2 million a lot?", "Is 3 million a lot?"),
        ("Is 2 million a lot?", "Is 2 billion a lot?"),
        ("Are hundreds of people a lot?", "Are 100 people a lot?"),
    ),
)
def magnitudes(line: str) -> str:
    """Large numbers in digits."""
    return MAGNITUDE.sub(in_digits, line)


def in_digits(found: re.Match[str]) -> str:
    zeros = ZEROS[found[2]] + ZEROS.get(found[3], 0)
    whole, _, part = (found[1] or "1").partition(".")
    if len(part) > zeros or "." in part:
        return found[0]
    return whole + part.ljust(zeros, "0")


MONTHS = words_of("""
    january february march april may june july august september october november
    december
""")
MONTH_NAMES = {month[:3]: month for month in MONTHS}
MONTH = f"({'|'.join((*MONTHS, *MONTH_NAMES))})"
ORDINALS = words_of("first second third fourth fifth sixth seventh eighth ninth tenth")
DAYS = {word: str(number) for number, word in enumerate(ORDINALS, start=1)}
DAY = rf"(\d\d?|{'|'.join(ORDINALS)})(?:st|nd|rd|th)?"
DAY_FIRST = re.compile(rf"\b{DAY}(?: of)? {MONTH}\b")
# "May second cousins marry?" asks for no day.
MONTH_FIRST = re.compile(
    rf"\b(?!may (?:{'|'.join(ORDINALS)}) (?!in |and |to |or |of |\d)){MONTH} {DAY}\b"
)


@rule(
    words=" ".join((*MONTHS, *MONTH_NAMES)),
    same=(
        ("What happened on 4 July 1776?", "What happened on July 4th, 1776?"),
        ("What happened on Dec 3?", "What happened on the third of December?"),
    ),
    differ=(
        ("What happened on 4 July 1776?", "What happened on 7 April 1776?"),
        ("What happened on 4 July?", "What happened in July?"),
    ),
)
def dates(line: str) -> str:
    """Month and day, in that order."""
    line = DAY_FIRST.sub(r"\2 \1", line)
    return MONTH_FIRST.sub(
        lambda m: f"{MONTH_NAMES[m[1][:3]]} {DAYS.get(m[2], m[2])}", line
    )


MASSES = word_set("kilogram gram ounce stone milligram weigh weight heavy lose gain")
MONEYS = word_set("dollar euro yen rupee cost price salary earn pay euros")


@rule(
    words="pound",
    same=(
        ("Convert 10 lbs to kg", "Convert 10 pounds to kilograms"),
        ("Convert £10 to euros", "Convert 10 pounds to euros"),
    ),
    differ=(
        ("Is £100 a lot?", "Is 100 lbs a lot?"),
        ("Is 100 pounds a lot?", "Is 100 lbs a lot?"),
    ),
)
def pounds(line: str) -> str:
    """A pound is money or a weight, when something says which."""
    unique = set(line.split(" "))
    weighs, pays = not MASSES.isdisjoint(unique), not MONEYS.isdisjoint(unique)
    if weighs == pays:
        return line
    return POUND.sub("lb" if weighs else "gbp", line)


POUND = re.compile(r"(?<![^ ])pound(?![^ ])")

NUMBERS: tuple[Rule, ...] = (magnitudes, dates, money, units, pounds)
