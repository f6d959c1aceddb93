"""`{{name}}` placeholders: replaced in one pass, so what is put in is never scanned.

No template engine: a placeholder is a name and nothing else, and braces around
anything else are text.
"""

import re
from collections.abc import Callable

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)?)\s*\}\}")


def references(text: str) -> list[str]:
    """The names in `text`, each once, in their order."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def fill(text: str, value_of: Callable[[str], str]) -> str:
    return PLACEHOLDER.sub(lambda match: value_of(match[1]), text)


def static_prefix(text: str) -> str:
    """What stands before the first placeholder: equal for every run."""
    first = PLACEHOLDER.search(text)
    return text[: first.start()] if first else text


def block(tag: str, text: str, **attributes: str) -> str:
    """`text` between tags that it can't close itself."""
    shown = "".join(f' {name}="{value}"' for name, value in attributes.items())
    inside = re.sub(rf"</(?={tag}\s*>)", r"<\\/", text, flags=re.IGNORECASE)
    return f"<{tag}{shown}>\n{inside}\n</{tag}>"
