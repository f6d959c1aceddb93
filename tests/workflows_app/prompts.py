"""What ops were asked, in their order."""

DIAMOND = {
    "end_ops": ["d"],
    "ops": {
        "a": {"prompt": "Op a."},
        "b": {"prompt": "Op b.", "input_ops": ["a"]},
        "c": {"prompt": "Op c.", "input_ops": ["a"]},
        "d": {"prompt": "Op d.", "input_ops": ["b", "c"]},
    },
}


def prompts(upstream) -> list[str]:
    return [attempt.body["messages"][-1]["content"] for attempt in upstream.attempts]


def ops_called(upstream) -> list[str]:
    return [prompt.split(".")[0].removeprefix("Op ") for prompt in prompts(upstream)]
