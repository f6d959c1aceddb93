"""Text -> tokens. Nothing but spaces is lost.

A token is a plain string: a word, a number (`15`, `1.5`), a quotation with its quote
marks, or a single mark; "." and "?" stand for the ends of sentences. What follows a
colon or the first line is the payload: material the question is about, kept as it is.
"""

import re
from typing import NamedTuple

from gateway.cache.canonical.english import word_set

TOKEN = re.compile(
    r"""
      (?P<quote> "[^"\n]*" | “[^”\n]*” | `[^`\n]+` | (?<!\w)'[^'\n]+'(?!\w) )
    | (?P<payload> \n | :(?=\s|$) )
    | (?P<number> \d+(?:,\d{3})*(?:\.\d+)? !? )  # 5! is a factorial
    | (?P<word> [^\W\d_]+ (?:['’-][^\W\d_]+)* )
    | (?P<end> (?<=\S)[.!?…]+(?=\s|$) )
    | (?P<loose_end> [.!?…]+(?=\s|$) )
    | (?P<mark> \S )
    """,
    re.VERBOSE,
)

# "What is ?" asks about the mark; "What is it ?" ends with it.
NEEDS_MORE = word_set("is are does do and or of a an the between than by with")


class Prompt(NamedTuple):
    tokens: list[str]
    payload: str


def tokenise(text: str) -> Prompt:
    tokens: list[str] = []
    payload = ""
    for match in TOKEN.finditer(text.strip()):
        kind, token = match.lastgroup, match.group()
        if kind == "loose_end" and tokens and tokens[-1] not in NEEDS_MORE:
            kind = "end"
        if kind == "payload":
            payload = match.string[match.end() :].strip()
            break
        if kind == "end":
            token = "?" if "?" in token else "."
        elif kind == "number":
            token = token.replace(",", "")
        elif kind == "loose_end":
            token = f"`{token}`"
        elif kind == "word":
            token = token.replace("’", "'")
        tokens.append(token)
    return Prompt(tokens, payload)


def is_word(token: str) -> bool:
    return token[0].isalpha()


def is_number(token: str) -> bool:
    return token[0].isdecimal()
