"""Rules about what is to be worked out: sums and conversions."""

import re

from gateway.cache.canonical.english import one_of
from gateway.cache.canonical.numbers import DIGIT, NUMBER, UNIT_NAMES, UNITS
from gateway.cache.canonical.rule import Rule, rewriting, rule

WORK_OUT = one_of("what_is how_much_is calculate compute evaluate solve find")
OPERATIONS = rewriting(
    (rf"^subtract {NUMBER} from {NUMBER}", r"\2 - \1"),
    (rf"^add {NUMBER} (?:to|and) {NUMBER}", r"\2 + \1"),
    (rf"^multiply {NUMBER} (?:by|and|with) {NUMBER}", r"\1 * \2"),
    (rf"^divide {NUMBER} by {NUMBER}", r"\1 / \2"),
    (rf"^(?:{WORK_OUT} )?sum of {NUMBER} and {NUMBER}", r"\1 + \2"),
    (rf"^(?:{WORK_OUT} )?product of {NUMBER} and {NUMBER}", r"\1 * \2"),
    (rf"^(?:{WORK_OUT} )?difference (?:of|between) {NUMBER} and {NUMBER}$", r"\1 - \2"),
    (r"(?<=\d) squared$", " ^ 2"),
    (r"(?<=\d) cubed$", " ^ 3"),
    (r"(?<=\d) to power of (?=\d)", " ^ "),
    (r"(?<=\d) plus (?=\d)", " + "),
    (r"(?<=\d) minus (?=\d)", " - "),
    (r"(?<=\d) (?:times|multiplied by|x) (?=\d)", " * "),
    (r"(?<=\d) (?:divided by|over) (?=\d)", " / "),
    (r"^(?:calculate|compute|evaluate|determine) (?=[a-z])", "what is "),
    (rf"^{WORK_OUT} (?:value of )?(?=[(\d-])", ""),
    (r"^(\d[\d.]*(?: [-+*/] \d[\d.]*)+)(?: (?:equal|is|make)(?: what)?| =)$", r"\1"),
)
SUM = re.compile(rf"{NUMBER} ([+*]) {NUMBER}")


@rule(
    words="+ - * / = x plus minus times multiplied divided over percent subtract add "
    "multiply divide sum product difference squared cubed power ^ "
    "calculate compute evaluate determine",
    same=(
        ("What is 11 minus 2?", "What is 11 - 2?"),
        ("Subtract 2 from 11.", "What is 11 - 2?"),
        ("Add 15 to 6", "What is 6 + 15?"),
        ("What is 1,000 + 1?", "What is 1000+1?"),
        ("Calculate 2*3", "What is three times two?"),
        ("Divide 6 by 3", "6/3"),
        ("What is the sum of 2 and 3?", "2+3"),
        ("What is 12 squared?", "12^2"),
        ("How much is 20% of 80?", "Compute 20% of 80"),
    ),
    differ=(
        ("What is 2+2?", "What is 2+3?"),
        ("What is 2+2?", "What is 2*2?"),
        ("What is 11 - 2?", "What is 2 - 11?"),
        ("What is 5!?", "What is 5?"),
        ("What is 2+3*4?", "What is 3+2*4?"),
        ("What is (2+3)*4?", "What is 2+3*4?"),
        ("What is 6/3?", "What is 3/6?"),
        ("What is 2 to the power of 3?", "What is 3 to the power of 2?"),
        ("Is 5 > 3?", "Is 5 < 3?"),
        ("What is x plus y?", "What is x minus y?"),
    ),
)
def sums(line: str) -> str:
    """Operations as operators; two operands of + or * alone may come in any order."""
    if not DIGIT.search(line):
        return line
    line = OPERATIONS(line)
    if found := SUM.fullmatch(line):
        one, other = sorted((found[1], found[3]))
        return f"{one} {found[2]} {other}"
    return line


SHORT_UNITS = "|".join(unit for unit in UNITS if unit.isalpha())
CONVERSIONS = rewriting(
    (
        rf"^how many (\w+) (?:is|do)(?: there)?(?: in| make up| make)? {NUMBER} (\w+)$",
        r"convert \2 \3 to \1",
    ),
    (
        rf"^how (?:much|many|long|far|tall|heavy|large) is {NUMBER} (\w+) in (\w+)$",
        r"convert \1 \2 to \3",
    ),
    (
        rf"^(?:how to )?(?:convert|change|turn|express) {NUMBER} (\w+)"
        r" (?:to|in|as) (\w+)$",
        r"convert \1 \2 to \3",
    ),
    (
        rf"^(?:(?:what|how much) is )?{NUMBER} ({UNIT_NAMES}) (?:in|to|as)"
        rf" ({UNIT_NAMES}|{SHORT_UNITS})$",
        r"convert \1 \2 to \3",
    ),
)


@rule(
    words="convert change turn how express in to as",
    same=(
        ("How many miles are in 15 kilometers?", "Convert 15 km to miles"),
        ("Change 15 kilometers into inches", "Convert 15 km to inches"),
        ("What is 15 km in miles?", "Convert 15 km to miles"),
        ("How do I convert 15 km to miles?", "Convert 15 km to miles"),
    ),
    differ=(
        ("How many miles are in 15 km?", "How many kilometers are in 15 miles?"),
        ("How many days are in 2 months?", "How many days are in 3 months?"),
        ("What are 5 steps to success?", "Convert 5 steps to success"),
    ),
)
def conversions(line: str) -> str:
    """A quantity in another unit."""
    if not DIGIT.search(line):
        return line
    converted = CONVERSIONS(line)
    if not converted.startswith("convert "):
        return line
    quantity, _, unit = converted.rpartition(" ")
    return f"{quantity} {UNITS.get(unit, unit)}"


INTO = re.compile(
    rf"^(.*\b{one_of('convert change turn translate transform split divide express')} "
    r"(?:\S+ )+?)into (?=\w)"
)


@rule(
    words="into",
    same=(("Turn 15 km into miles", "Convert 15 km to miles"),),
    differ=(("How do I get into Harvard?", "How do I get to Harvard?"),),
)
def into(line: str) -> str:
    """What becomes something turns to or into it; elsewhere they are two ways."""
    return INTO.sub(r"\1to ", line)


SUMS: tuple[Rule, ...] = (into, sums, conversions)
