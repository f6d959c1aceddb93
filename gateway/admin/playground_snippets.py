"""A request of the playground as commands that can be pasted: curl, Python, and a
workflow."""

import json
import shlex

from routing.chat import Json


def snippets(url: str, body: Json) -> list[tuple[str, str]]:
    """Names and texts of those that can say this request."""
    found = (
        ("As curl", curl(url, body)),
        ("As Python", python(url, body)),
        ("As a workflow", workflow(url, body)),
    )
    return [(name, text) for name, text in found if text]


def curl(url: str, body: Json) -> str:
    return posting(f"{url}/chat/completions", body)


def posting(url: str, body: Json) -> str:
    """A command for a shell, whatever stands in the body: nothing is expanded in it.

    From its input, as systems bound the length of an argument (Linux: 128 KiB). No
    line of JSON is the word that ends it.
    """
    text = json.dumps(body, ensure_ascii=False, indent=1)
    return (
        f"curl {shlex.quote(url)} \\\n"
        '  -H "authorization: Bearer $LLM_ROUTER_KEY" \\\n'
        "  -H 'content-type: application/json' \\\n"
        f"  --data-binary @- <<'END'\n{text}\nEND"
    )


def workflow(url: str, body: Json) -> str:
    """As a workflow of one op that is given the prompt; "" where an op can't say it:
    ops have neither images nor tools."""
    *system, asked = body["messages"]
    if not isinstance(asked["content"], str) or "tools" in body:
        return ""
    op: Json = {"template": "{{input}}", **target(body["model"])}
    if system:
        op["system"] = system[0]["content"]
    op |= {name: body[name] for name in ("max_tokens", "temperature") if name in body}
    if "response_format" in body:
        op["json_schema"] = {"type": "object"}
    graph = {"end_ops": ["answer"], "ops": {"answer": op}}
    run = {"workflow": graph, "input": asked["content"]}
    return posting(f"{url}/workflows", run)


def target(model: str) -> Json:
    """The name of a model as an op says it."""
    if model == "auto":
        return {"auto": True}
    rank = model.removeprefix("tier-")
    if rank != model and rank.isdecimal():
        return {"tier": int(rank)}
    return {"model": model}


def python(url: str, body: Json) -> str:
    """With OpenAI's SDK. Every value is written by `repr`, so none is run."""
    arguments = "".join(f"    {name}={value!r},\n" for name, value in body.items())
    # With tools the answer may be calls instead of a text.
    shown = "message" if "tools" in body else "message.content"
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f"client = OpenAI(base_url={url!r}, api_key=os.environ['LLM_ROUTER_KEY'])\n"
        f"answer = client.chat.completions.create(\n{arguments})\n"
        f"print(answer.choices[0].{shown})"
    )
