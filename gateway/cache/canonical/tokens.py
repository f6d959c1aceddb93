"""Text -> words in small letters, and the material that no rule touches.

Material is what a question is about and must be equal byte for byte: code, and what
follows a colon or the first line unless that is prose. A quotation is a word of its
own.
"""

import re
from typing import NamedTuple

from gateway.cache.canonical.english import REMARK_STARTS, REMARKS
from gateway.cache.canonical.typos import WORDS

GAP = "\ue000"  # a space within a quotation: the words of a line are separated by them
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

# Words that a capital makes another word of, and identifiers such as "getName".
CASED = re.compile(r"[AIKMTUWGk](?<!\w.)(?:S|T|HO|urkey|IDS|b|bps)(?!\w)")
CAMEL = re.compile(r"[a-z][A-Z]")
IDENTIFIER = re.compile(r"\b[a-z]{2,}[A-Z]\w*")
TITLE = re.compile(r"(?<=[a-z] The )[A-Z][a-z]+(?=\W*$)")
BEFORE_A_LONE_NAME = ("hat is", "hat's", "hat are", "ho is", "ho's", "what", "who")

TOKEN = re.compile(
    r"""
      [a-z]+(?![^\s,?]) | "[^"]*"  # the first is a short cut for most words
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
    """With a mark at each word that is another one in small letters."""
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


def mark_common(name: re.Match[str]) -> str:
    """A common word after a capital "The" is a title: who made The Wall?"""
    return name[0] + MARK if name[0].lower() in WORDS else name[0]


def is_word(token: str) -> bool:
    return token[0].isalpha()
