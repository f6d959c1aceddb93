"""Names of tools that OpenAI's limit would refuse: shortened, and given back."""

from hashlib import sha256

from routing.chat import Json

MAX_CHARS = 64
DIGEST_CHARS = 8


def short_name(name: str) -> str:
    """The same for the same name, and for no other."""
    if len(name) <= MAX_CHARS:
        return name
    digest = sha256(name.encode()).hexdigest()[:DIGEST_CHARS]
    return f"{name[: MAX_CHARS - DIGEST_CHARS - 1]}_{digest}"


def original_names(body: Json) -> dict[str, str]:
    """What each shortened name of this request's tools stands for."""
    functions = [tool.get("function") for tool in body.get("tools") or ()]
    names = [function.get("name") for function in functions if function]
    return {
        short_name(name): name
        for name in names
        if isinstance(name, str) and len(name) > MAX_CHARS
    }
