"""OpenAI's chat-completion body as a request for Anthropic's Messages API.

Nothing that could change the answer is dropped in silence: what Anthropic can't do
raises NotExpressible with the field's name. Left out are only notes to the provider
(metadata, prompt caching hints), images' `detail`, and what vendors add to an
assistant's past messages.
"""

from typing import Any

from gateway.dialects.anthropic_messages import system_and_messages, text_block
from gateway.dialects.anthropic_thinking import add_thinking
from gateway.errors import NotExpressible
from routing.chat import Json

JSON_INSTRUCTION = (
    "Answer with one valid JSON object and nothing else: no prose, no code fence."
)
# Anthropic's own parameters, which have no counterpart in the common language.
NATIVE = ("top_k", "top_p", "thinking", "cache_control")
TRANSLATED = frozenset(
    {
        "messages",
        "model",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "stop",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "user",
        "safety_identifier",
        "service_tier",
        *NATIVE,
    }
)
NOTES = frozenset(
    {"metadata", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"}
)
# Values that ask for nothing: what Anthropic does anyway.
DEFAULTS: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "verbosity": ("medium",),
    "store": (False,),
    "functions": ([],),
    "function_call": ("auto", "none"),
}
SERVICE_TIERS = {"auto": "auto", "default": "standard_only"}


def to_messages_request(body: Json, model: str, default_max_tokens: int) -> Json:
    """The request to send. `body` has been validated, and is left as it is."""
    refuse_inexpressible(body)
    blocks, messages = system_and_messages(body["messages"])
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    request: Json = {
        "model": model,
        "max_tokens": limit or default_max_tokens,
        "messages": messages,
    }
    if (body.get("response_format") or {}).get("type") == "json_object":
        blocks = [*blocks, text_block(JSON_INSTRUCTION)]
    if blocks:
        request["system"] = joined(blocks)
    for field in NATIVE:
        if body.get(field) is not None:
            request[field] = body[field]
    add_sampling(request, body)
    add_tools(request, body)
    add_format(request, body)
    add_thinking(request, body.get("reasoning_effort"), limited=limit is not None)
    add_labels(request, body)
    return request


def refuse_inexpressible(body: Json) -> None:
    for field, value in body.items():
        if value is None or field in TRANSLATED or field in NOTES:
            continue
        if value not in DEFAULTS.get(field, ()):
            raise NotExpressible(
                f"Anthropic's models can't honour {field!r}. Leave it out, or name a "
                "model of another provider.",
                param=field,
            )


def joined(system: list[Json]) -> str | list[Json]:
    """One text; blocks only where cache marks would be lost."""
    if any("cache_control" in block for block in system):
        return system
    return "\n\n".join(block["text"] for block in system)


def add_sampling(request: Json, body: Json) -> None:
    if (temperature := body.get("temperature")) is not None:
        request["temperature"] = min(temperature, 1)  # Anthropic's scale ends at 1
    stop = body.get("stop") or []
    sequences = [stop] if isinstance(stop, str) else stop
    if not all(sequence.strip() for sequence in sequences):
        raise NotExpressible(
            "Anthropic accepts no stop sequence of white space only.", param="stop"
        )
    if sequences:
        request["stop_sequences"] = sequences
    if body.get("stream"):
        request["stream"] = True


def add_tools(request: Json, body: Json) -> None:
    tools = body.get("tools") or []
    if tools:
        request["tools"] = [
            to_tool(f"tools[{i}]", tool) for i, tool in enumerate(tools)
        ]
    choice = to_tool_choice(body.get("tool_choice"), bool(tools))
    if tools and body.get("parallel_tool_calls") is False:
        choice = choice or {"type": "auto"}
        if choice["type"] != "none":
            choice["disable_parallel_tool_use"] = True
    if choice:
        request["tool_choice"] = choice


def to_tool(param: str, tool: Json) -> Json:
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, dict):
        raise NotExpressible(
            "Only tools of type function exist at Anthropic.", param=f"{param}.type"
        )
    if not isinstance(function.get("name"), str):
        raise NotExpressible("A tool needs a name.", param=f"{param}.function.name")
    parameters = function.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise NotExpressible(
            "A tool's parameters are a schema.", param=f"{param}.function.parameters"
        )
    schema = {"type": "object", **parameters}
    translated: Json = {"name": function["name"], "input_schema": schema}
    for field in ("description", "strict"):
        if function.get(field):
            translated[field] = function[field]
    if tool.get("cache_control"):
        translated["cache_control"] = tool["cache_control"]
    return translated


def to_tool_choice(choice: Any, has_tools: bool) -> Json | None:
    match choice:
        case None:
            return None
        case "auto" | "none":  # without tools both are true already
            return {"type": choice} if has_tools else None
        case "required":
            return {"type": "any"}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case _:
            raise NotExpressible(
                "Anthropic's tool choice is none, auto, required or one function.",
                param="tool_choice",
            )


def add_format(request: Json, body: Json) -> None:
    wanted = body.get("response_format") or {"type": "text"}
    match wanted:
        case {"type": "text" | "json_object"}:
            return
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            request["output_config"] = {
                "format": {"type": "json_schema", "schema": schema}
            }
        case _:
            raise NotExpressible(
                "response_format must be text, json_object, or json_schema with a "
                "schema.",
                param="response_format",
            )


def add_labels(request: Json, body: Json) -> None:
    user = body.get("user") or body.get("safety_identifier")
    if isinstance(user, str) and user:
        request["metadata"] = {"user_id": user}
    tier = body.get("service_tier")
    if tier is None:
        return
    if not isinstance(tier, str) or tier not in SERVICE_TIERS:
        raise NotExpressible(
            f"Anthropic has no service tier {tier!r}.", param="service_tier"
        )
    request["service_tier"] = SERVICE_TIERS[tier]
