"""What a backend can do: by its provider's preset, its model, and what operators say.

An operator's word is a text such as `+responses -tools`, which wins over the preset.
"""

import re

from routing.providers import PROVIDERS

CAPABILITIES: dict[str, str] = {
    "chat": "chat completions at all",
    "tools": "calling tools",
    "images": "images in prompts",
    "files": "documents in prompts",
    "audio": "speech in prompts or answers",
    "json_schema": "answers that follow a JSON schema",
    "thinking": "thinking before the answer",
    "n": "several choices (n above 1)",
    "logprobs": "log probabilities",
    "penalties": "presence and frequency penalties",
    "logit_bias": "logit bias",
    "sampling": "temperature and top_p; left out where it lacks",
    "embeddings": "embeddings (POST /v1/embeddings)",
    "completions": "legacy completions (POST /v1/completions)",
    "responses": "OpenAI's Responses API, untranslated",
    "stored_responses": "keeping responses, for previous_response_id",
}
OTHER_NAMES = {"vision": "images", "documents": "files", "n>1": "n"}
ONLY_COMPLETES = re.compile(r"^(?:davinci|babbage)-002|-turbo-instruct")
SAMPLING = ("n", "logprobs", "penalties", "logit_bias")
WORD = re.compile(r"([+-])([a-z_>1]+)\Z")
# A model is for vectors or for texts, whatever else its provider has.
ONLY_EMBEDS = re.compile(r"embed|minilm|(?:^|/)(?:bge|e5|gte|voyage)-", re.IGNORECASE)


def parse(text: str) -> dict[str, bool]:
    """Whether each named capability is there. Raises ValueError in a sentence."""
    said: dict[str, bool] = {}
    for word in text.replace(",", " ").split():
        match = WORD.match(word)
        name = match and OTHER_NAMES.get(match[2], match[2])
        if match is None or name not in CAPABILITIES:
            raise ValueError(
                f"{word!r} is no capability: write + or - and one of "
                f"{', '.join(CAPABILITIES)}."
            )
        said[name] = match[1] == "+"
    return said


def write(said: dict[str, bool]) -> str:
    """The text that `parse` reads, in the order of the list above."""
    known = ((name, said.get(name)) for name in CAPABILITIES)
    return " ".join(f"{'+' if can else '-'}{n}" for n, can in known if can is not None)


def cannot(provider: str, model: str, said: str) -> frozenset[str]:
    """The capabilities a backend lacks."""
    lacks = {*PROVIDERS[provider].cannot, "embeddings"}
    if ONLY_EMBEDS.search(model):
        lacks = CAPABILITIES.keys() - ({"embeddings"} - PROVIDERS[provider].cannot)
    elif ONLY_COMPLETES.search(model):
        lacks = CAPABILITIES.keys() - {"completions", *SAMPLING}
    for name, can in parse(said).items():
        if can:
            lacks.discard(name)
        else:
            lacks.add(name)
    if "responses" in lacks:
        lacks.add("stored_responses")
    return frozenset(lacks)
