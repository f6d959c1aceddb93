"""Text -> words in small letters, and the material that no rule touches.

Material is what a question is about and must be equal byte for byte: code, what is in
quotation marks, and what follows a colon or the first line unless that is prose.
"""

# ruff: noqa: E501 - a pattern is easier to read on one line

import re
from typing import NamedTuple

FENCE = re.compile(r"\s*```.*?(?:```|\Z)\s*", re.DOTALL)
QUOTE = re.compile(
    r"""  "+[^"\n]+"+ | «[^»\n]*» | `[^`\n]+` | (?<!\w)'[^'\n]+'(?!\w) """,
    re.VERBOSE,
)
# As in "Quick question: ...": what comes after it is no material.
INTRODUCTION = re.compile(
    r"(?:(?:just )?(?:a |an |one |my |i have an? |another )?(?:quick |small |short |"
    r"simple |general |stupid |dumb |honest |serious |little )?"
    r"(?:question|q|curiosity|one|query)|hi|hello|hey|please|dear \w+|"
    r"(?:i am |i'm |just )?(?:curious|wondering)|help|tell me|i wonder|"
    r"(?:please )?(?:answer|answer this|help me|help me with this))[^\w:\n]*",
    re.IGNORECASE,
)
# A sentence with nothing in it that code or data would have.
PROSE = re.compile(
    r"\s*(?:[-*•] )?[^\W\d_][^{}<>=\[\]|\\`\t;_]* [^{}<>=\[\]|\\`\t;_]*[.!?,]\s*"
)
# As in "Computer science: What is a hash?".
TOPIC = re.compile(r"[A-Z][\w&()'-]*(?: (?:of|and|in|for|the|[A-Z(][\w&()'-]*))*")
QUESTION = re.compile(
    r"(?:What|Which|Who|Whom|Whose|When|Where|Why|How|Is|Are|Do|Does|Did|Can|Should|Will)\b[^\n]*\?\s*$"
)
BULLET = re.compile(r"^\s*[-*•] ", re.MULTILINE)
# Words that a capital makes another word of; in capitals all over, nothing can tell.
# An identifier, as in "getName", is one as well.
CASED = re.compile(
    r"\b(?:US|IT|WHO|Turkey|Polish|March|AIDS|[kKMGT]b|[a-z]{2,}[A-Z]\w*)\b"
)
LONE_NAME = re.compile(
    r"((?:\b[Ww]h(?:at|o)(?:'s| is| are| was| were)|\b[Dd]efine|\b[Ee]xplain|\b[Aa]bout)"
    r" |[a-z] The )([A-Z][a-z]+)(?=\W*$| (?:is|are|was)\W*$)"
)
MATERIAL_STARTS = re.compile(r"\n|:(?=\s|$)")
SENTENCE_START = re.compile(r"[A-Z][a-z]* [^{}<>=\[\]|\\`\t\n;_]+$|I ")
GAP = "\ue000"  # a space within a quotation: a line's words are separated by spaces
CODE = "\ue001"  # where a block of code stood
MARK = "ʹ"  # a letter to `TOKEN`, at the end of words whose capital counts
TYPOGRAPHIC = str.maketrans("’‘ʼ´“”–—−…\u00a0\u202f", "''''\"\"---.  ")

TOKEN = re.compile(
    r"""
      "[^"]*" | `[^`]*`
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
    words: list[str]
    material: str


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
    prose = prose.translate(TYPOGRAPHIC)
    prose, quoted = unquoted(prose)
    words = TOKEN.findall(marked(prose).lower())
    if quoted:
        words = restored(words, quoted)
    return Prompt(words, "\n".join(material))


def split(text: str) -> tuple[str, str]:
    """The prose of a text and its material."""
    if "\n" not in text and ": " not in text and text[-1:] != ":":
        return text, ""
    for end in MATERIAL_STARTS.finditer(text):
        head, rest = text[: end.start()], text[end.end() :].strip()
        if (
            INTRODUCTION.fullmatch(head)
            or TOPIC.fullmatch(head)
            and QUESTION.match(rest)
        ):
            return split(f"{head}, {rest}")
        if end.group() == "\n" and is_prose(rest):
            lines = BULLET.sub("", rest).split("\n")
            return split(
                " ".join((head if head[-1:] in ".!?:," else head + ".", *lines))
            )
        return head, lowered_start(rest)
    return text, ""


def is_prose(text: str) -> bool:
    return all(PROSE.fullmatch(line) for line in text.split("\n") if line.strip())


def lowered_start(material: str) -> str:
    """Whether a sentence begins with a capital says nothing about it."""
    if SENTENCE_START.match(material) and not CASED.match(material):
        return material[0].lower() + material[1:]
    return material


def unquoted(prose: str) -> tuple[str, list[str]]:
    """Quotations become numbers in quotation marks, so that no rule sees them."""
    quoted: list[str] = []

    def keep(match: re.Match[str]) -> str:
        quoted.append(match.group()[1:-1].replace(" ", GAP))
        return f' "{len(quoted) - 1}" '

    return QUOTE.sub(keep, prose), quoted


def restored(words: list[str], quoted: list[str]) -> list[str]:
    return [
        f'"{quoted[int(word[1:-1])]}"'
        if word[:1] == '"' and word[1:-1].isdecimal()
        else word
        for word in words
    ]


def marked(prose: str) -> str:
    """With a mark at each word that is another one in small letters."""
    if prose.isupper():
        return prose
    if CASED.search(prose):
        prose = CASED.sub(rf"\g<0>{MARK}", prose)
    if name := LONE_NAME.search(prose):
        prose = prose[: name.end(2)] + MARK + prose[name.end(2) :]
    return prose


def is_word(token: str) -> bool:
    return token[0].isalpha()


def is_number(token: str) -> bool:
    return token[0].isdecimal()
