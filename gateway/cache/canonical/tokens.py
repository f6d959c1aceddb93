"""Text -> words in small letters, and the material that no rule touches.

Material is what a question is about and must be equal byte for byte: code, and what
follows a colon or the first line unless that is prose. A quotation is a word of its
own.
"""

import re
from typing import NamedTuple

from gateway.cache.canonical.english import COMMON, REMARK_STARTS, REMARKS, word_set
from gateway.cache.canonical.typos import WORDS

GAP = "\ue000"  # a space within a quotation: the words of a line are separated by them
ASIDE = 0xE100  # a mark that is asked about, so many characters further on
CODE = "\ue001"  # where a block of code stood
MARK = "ʹ"  # a letter to `TOKEN`, at the end of words whose capital counts

TYPOGRAPHIC = str.maketrans("’‘ʼ´“”–—−…？！，\u00a0\u202f", "''''\"\"---.?!,  ")
FENCE = re.compile(r"\s{0,4}```.*?(?:```|\Z)\s{0,4}", re.DOTALL)
QUOTE = re.compile(
    r"""  "{1,2}[^"\n]+"{1,2} | «[^»\n]*» | `[^`\n]+` | (?<!\w)'[^'\n]+'(?!\w) """,
    re.VERBOSE,
)
MATERIAL_STARTS = re.compile(r"\n|:(?=\s|$)")
LONGEST_REMARK = 9  # words
CHOICE = re.compile(r"[^\n:]{1,60} or [^\n:]{1,60}\?\s*$")  # what is better: a or b?
# As in "Computer Science: What is a hash?".
TOPIC = re.compile(
    r"[A-Z][\w&()'-]*(?: (?:of|and|in|for|the|[A-Z(][\w&()'-]*))*",
)
QUESTION = re.compile(
    r"(?:Wh(?:at|ich|om?|ose|en|ere|y)|How|Is|Are|Do|Does|Did|Can|Should|Will)\b"
    r"[^\n]*\?\s*$"
)
CODE_MARK = re.compile(r"[{}<>=\[\]|\\`\t;_]")
BULLET = re.compile(r"^ *- ", re.MULTILINE)
SENTENCE_START = re.compile(r"(?:[A-Z][a-z]*|I) [^\n]+$")

# Words that a capital makes another word of, and identifiers such as "getName". Names
# that are common words in small letters count amid a sentence: Rust isn't rust.
CASED = re.compile(
    r"[A-Zk](?<!\w.)(?:(?<=[AIKMTUWGk])(?:S|T|HO|urkey|IDS|b|bps)(?!\w)|"
    r"(?<=[a-z,] .)(?:(?<=R)(?:ust|eading)|(?<=G)(?:o|ap)|(?<=F)lask|(?<=Z)oom|"
    r"(?<=S)(?:wift|pring|ignal|cratch|hell|plit)|(?<=W)(?:indows(?! \d)|ord)|"
    r"(?<=E)(?:xcel|xpress|dge)|(?<=A)ccess|(?<=T)(?:eams|arget)|(?<=N)ice|(?<=B)ath|"
    r"(?<=M)(?:obile|ercury)|(?<=C)(?:ork|ologne|hina)|(?<=J)ob)(?!\w))"
)
# So are these of a few capitals, as REST and SOAP.
CAPITALS = re.compile("[A-Z][A-Z]")
ACRONYM = re.compile(r"[A-Z](?<![\w.].)(?<![A-Z'][ -].)[A-Z]{1,4}(?![\w'.]| [A-Z]{2})")
CAMEL = re.compile(r"[a-z][A-Z]")
IDENTIFIER = re.compile(r"\b[a-z]{2,}[A-Z]\w*")
NO_ACRONYMS = word_set("it us who usa uk tv pc app apps html http sql api web os ms ok")
TITLE = re.compile(r"(?<=[a-z] The )[A-Z][a-z]+(?=\W*$)")
BEFORE_A_LONE_NAME = ("hat is", "hat's", "hat are", "ho is", "ho's", "what", "who")

# A command's switch and a negative name: "ls -A", "-x". The capital counts.
SWITCH = re.compile(r"(?<![^\s(])(--?)([a-z][\w-]*|[A-Z](?!\w))")
ESCAPED = re.compile(r"(?<=\\)[A-Z]")
FACTORIAL = re.compile(r"(?<=[\d)])!(?!=)|(?<=(?<![\w'])[A-Za-z])!(?!=)")
# Of which small letters make another unit.
CASED_UNIT = re.compile(r"\d ?(?:[MG]|[kKMGT]b(?:ps)?|m[WVA])(?!\w)")
# Marks that are asked about: "what does ( mean?" and "when do I use ;?"
LONE_MARK = re.compile(" [,.;:!()-]")
ASKED_MARK = re.compile(
    r"\b((?:do|does|the|an?|use|type|is|write|escape|and|or|between) )([,.;:!()-]{1,3})"
    r"(?=\s+[^\W\d]|\?+\s*$)"
)

TOKEN = re.compile(
    r"""
      [a-z]+(?![^\s,?]) | "[^"]*"  # the first is a short cut for most words
    | 0[xbo][0-9a-f]+\b | (?<=\ba\ )\d+x\d+\b
    | \d+(?:,\d{3})+(?:\.\d+)? | \d+(?:st|nd|rd|th)\b
    | \d+(?:\.\d+)*(?:!(?=\s*[?+\-*/=\w]))?  # 5! is a factorial
    | (?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)-[a-z]+ | e-mails?
    | (?:[^\W\d_]\.){2,} | [^\W\d_]+\.[a-z]{2,3}(?![^\W\d_]) | c\+\+ | c\#
    | [^\W\d_]+(?:'[^\W\d_]+)*
    | \.\.+ | (?!(?<=[^\W\d_]{2})-(?=\w)|(?<=\w)-(?=[^\W\d_]{2}))\S
    """,
    re.VERBOSE,
)


class Prompt(NamedTuple):
    """`quotes` tells whether any word is a quotation, `"like this"` with `GAP`s."""

    words: list[str]
    material: str = ""
    quotes: bool = False


def tokenise(text: str) -> Prompt:
    text = text.strip()
    if text.isupper() and "`" not in text:
        text = text.lower()
    material: list[str] = []
    if "```" in text:
        material += [block.strip("`\n ") for block in FENCE.findall(text)]
        text = FENCE.sub(f" {CODE} ", text).strip()
    prose, rest = split(text)
    if rest:
        material.append(rest)
    if not prose.isascii():
        prose = prose.translate(TYPOGRAPHIC)
    quoted: list[str] = []
    if '"' in prose or "'" in prose or "`" in prose or "«" in prose:
        prose = unquoted(prose, quoted)
    words = TOKEN.findall(marked(prose).lower())
    if quoted:
        words = [restored(word, quoted) for word in words]
    return Prompt(words, "\n".join(material), bool(quoted))


def split(text: str) -> tuple[str, str]:
    """The prose of a text and its material."""
    if "\n" not in text and ": " not in text and text[-1:] != ":":
        return text, ""
    for end in MATERIAL_STARTS.finditer(text):
        head, rest = text[: end.start()], text[end.end() :].strip()
        if head.count("`") % 2 or head.count('"') % 2:
            continue  # within a quotation
        if is_remark(head):
            return split(rest)
        if is_topic(head, rest) or is_choice(head, rest):
            return split(f"{head}, {rest}")
        if end.group() == "\n" and is_prose(rest):
            lines = BULLET.sub("", rest).split("\n")
            start = head if head[-1:] in ".!?:," else head + "."
            return split(" ".join((start, *lines)))
        return head, lowered_start(rest)
    return text, ""


def is_remark(head: str) -> bool:
    """As in "Quick question: ...": what comes after it is no material."""
    words = head.lower().replace(",", " ").replace("!", " ").split()
    if not words or len(words) > LONGEST_REMARK:
        return False
    if words[0] in ("can", "could") and words[-1] in ("this", "question", "me"):
        words = words[1:-1]
    return REMARKS.issuperset(words) and (
        words[0] in REMARK_STARTS or words[0] == "you"
    )


def is_choice(head: str, rest: str) -> bool:
    return head.startswith(("What ", "Which ", "Who ")) and bool(CHOICE.match(rest))


def is_topic(head: str, rest: str) -> bool:
    return bool(QUESTION.match(rest) and TOPIC.fullmatch(head))


def is_prose(text: str) -> bool:
    """Sentences, each with its end and without what code or data would have."""
    lines = [line.strip().removeprefix("- ") for line in text.split("\n")]
    return not CODE_MARK.search(text) and all(
        line[0].isalpha() and line[-1] in ".!?," and " " in line
        for line in lines
        if line
    )


def lowered_start(material: str) -> str:
    """Whether a sentence begins with a capital says nothing about it."""
    if CODE_MARK.search(material) or CASED.match(material):
        return material
    if SENTENCE_START.match(material):
        return material[0].lower() + material[1:]
    return material


def unquoted(prose: str, quoted: list[str]) -> str:
    """Quotations become numbers in quotation marks, so that no rule sees them."""

    def keep(match: re.Match[str]) -> str:
        quoted.append(match.group()[1:-1].replace(" ", GAP))
        return f' "{len(quoted) - 1}" '

    return QUOTE.sub(keep, prose)


def restored(word: str, quoted: list[str]) -> str:
    number = word[1:-1]
    if word[0] == '"' and number.isascii() and number.isdecimal():
        return f'"{quoted[int(number)]}"'
    return word


def marked(prose: str) -> str:
    """With a mark at each word that is another one in small letters, and with signs
    that count as characters that no rule takes for punctuation."""
    if " -" in prose or "(-" in prose:
        prose = SWITCH.sub(named_switch, prose)
    if "\\" in prose:
        prose = ESCAPED.sub(rf"\g<0>{MARK}", prose)
    if "!" in prose:
        prose = FACTORIAL.sub("！", prose)
    if LONE_MARK.search(prose):
        prose = ASKED_MARK.sub(kept_mark, prose)
    prose = CASED_UNIT.sub(rf"\g<0>{MARK}", prose)
    if CAPITALS.search(prose):
        prose = ACRONYM.sub(mark_acronym, prose)
    prose = CASED.sub(rf"\g<0>{MARK}", prose)
    if CAMEL.search(prose):
        prose = IDENTIFIER.sub(rf"\g<0>{MARK}", prose)
    if " The " in prose:
        prose = TITLE.sub(mark_common, prose)
    head, _, name = prose.rstrip(" ?.!").rpartition(" ")
    if name in ("is", "are", "was"):  # "tell me what Discord is"
        head, _, name = head.rpartition(" ")
    alone = head.endswith(BEFORE_A_LONE_NAME)
    if alone and name.isalpha() and name.istitle() and name[-1] != MARK:
        at = len(head) + 1 + len(name)
        prose = prose[:at] + MARK + prose[at:]
    return prose


def named_switch(found: re.Match[str]) -> str:
    name = found[2]
    return "−" * len(found[1]) + (name if name.islower() else name + MARK)


def kept_mark(found: re.Match[str]) -> str:
    return found[1] + " ".join(chr(ASIDE + ord(mark)) for mark in found[2])


def mark_acronym(found: re.Match[str]) -> str:
    """A common word in capitals is another one, unless it only is stressed."""
    word = found[0].lower()
    stressed = (
        (word not in WORDS and word != "ad") or word in COMMON or word in NO_ACRONYMS
    )
    return found[0] if stressed else found[0] + MARK


def mark_common(name: re.Match[str]) -> str:
    """A common word after a capital "The" is a title: who made The Wall?"""
    return name[0] + MARK if name[0].lower() in WORDS else name[0]


def is_word(token: str) -> bool:
    return token[0].isalpha()
