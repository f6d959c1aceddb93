"""What can be counted about a request: one pass over its whole conversation."""

import re
from json import dumps
from typing import Any

from routing.chat import ChatRequest, Features, Json
from routing.needs import needs_of

# Media have no characters to count. An image of about a megapixel is 700-1600 tokens
# at today's providers, a minute of speech about 600, a two-page document about 3000.
PART_TOKENS = {"image_url": 1000, "input_audio": 600, "file": 3000}

REASONING_CUES = (
    "step by step",
    "step-by-step",
    "analyze",
    "analyse",
    "trade-off",
    "trade-offs",
    "tradeoff",
    "tradeoffs",
    "pros and cons",
    "compare and contrast",
    "think through",
    "reason through",
    "explain why",
    "evaluate",
    "critique",
    "prove",
    "derive",
    "root cause",
)

CODE_MARKS = (
    "```",
    "~~~\n",
    "#include <",
    "#!/",
    "console.log(",
    "System.out.",
    "printf(",
    "public static ",
    "function(",
    "=> {",
    ") {\n",
    "):\n",
    "};\n",
    "</div>",
    "SELECT * FROM",
    "Traceback (most recent call last)",
)
# Each begins with a literal, which `re` finds quickly, and the bound keeps it linear.
CODE_SEARCHES = tuple(
    re.compile(pattern).search
    for pattern in (
        r"def \w{1,64}\(",
        r"func \w{1,64}\(",
        r"fn \w{1,64}\(",
        r"function \w{1,64}\(",
        r"class \w{1,64}[({]",
    )
)


def features_of(chat: ChatRequest) -> Features:
    """The features of a request, counted now unless they were before."""
    if chat.features is None:
        chat.features = extract(chat.body)
        chat.features.ways = chat.ways
    return chat.features


def extract(body: Json) -> Features:
    """The features of an OpenAI chat-completion body."""
    system: list[str] = []
    user: list[str] = []
    other: list[str] = []  # what assistants and tools said
    media: list[str] = []
    exchanged = turns = 0
    for message in body["messages"]:
        role = message.get("role")
        if role == "user":
            texts, turns = user, exchanged
            exchanged += 1
        elif role == "system" or role == "developer":
            texts = system
        else:
            texts = other
            exchanged += role == "assistant"
        read_content(message.get("content"), texts, media)
        read_calls(message, texts)

    asked = "\n".join((*system, *user))
    answered = "\n".join(other)
    tools = [*(body.get("tools") or ()), *(body.get("functions") or ())]
    response_format = body.get("response_format") or {}
    eighths = weigh(asked) + weigh(answered)
    for schema in (tools, response_format):
        if schema:
            eighths += weigh(dumps(schema))
    return Features(
        prompt_tokens=-(-eighths // 8) + sum(PART_TOKENS[kind] for kind in media),
        max_output=body.get("max_completion_tokens") or body.get("max_tokens") or 0,
        turns=turns,
        system_chars=sum(map(len, system)),
        json_mode=response_format.get("type") in ("json_object", "json_schema"),
        tools=len(tools),
        code=has_code(asked) or has_code(answered),
        reasoning_cues=cues_in(asked),
        needs=frozenset(needs_of(body, media, bool(tools))),
    )


def read_content(content: Any, texts: list[str], media: list[str]) -> None:
    if isinstance(content, str):
        texts.append(content)
        return
    for part in content or ():
        kind = part.get("type")
        if kind in PART_TOKENS:
            media.append(kind)
        else:
            texts.append(part.get("text") or part.get("refusal") or "")


def read_calls(message: Json, texts: list[str]) -> None:
    """What the assistant asked its tools, the deprecated form included."""
    calls = [call.get("function") for call in message.get("tool_calls") or ()]
    for function in (*calls, message.get("function_call")):
        if function:
            texts += (function.get("name") or "", function.get("arguments") or "")


def weigh(text: str) -> int:
    """Eighths of a token: a character of ASCII is a quarter of a token.

    Beyond ASCII each further byte of UTF-8 adds three eighths, which makes a Cyrillic
    letter five eighths and a Chinese or Japanese character one whole token.
    """
    if text.isascii():
        return 2 * len(text)
    extra_bytes = len(text.encode("utf-8", "surrogatepass")) - len(text)
    return 2 * len(text) + 3 * extra_bytes


def has_code(text: str) -> bool:
    """Does it hold code itself? Words about code are not enough."""
    if not text:
        return False
    for mark in CODE_MARKS:  # a plain loop: it runs for every request
        if mark in text:
            return True
    return any(search(text) for search in CODE_SEARCHES)


def cues_in(text: str) -> tuple[str, ...]:
    flat = text.lower().replace("\n", " ")
    there = [cue for cue in REASONING_CUES if cue in flat]
    return tuple(cue for cue in there if has_words(flat, cue)) if there else ()


def has_words(text: str, words: str) -> bool:
    """Do `words` stand in `text` with no letter or digit right before or after?"""
    start = text.find(words)
    while start >= 0:
        end = start + len(words)
        before, after = text[start - 1 : start], text[end : end + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        start = text.find(words, end)
    return False
