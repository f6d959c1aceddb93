"""A little traffic with the habits of real clients: repeats, bursts, hard questions."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import httpx

from routing.chat import Json

QUESTIONS = (
    "What is the capital of France?",
    "What's France's capital city?",
    "How do I write Go code?",
    "What is 2+2?",
    "Translate 'good morning' into Spanish.",
    "Who wrote Pride and Prejudice?",
    "Write a function that reverses a linked list:\n```python\ndef reverse(head):\n```",
    "Summarise this paragraph in one sentence: " + "The committee met again. " * 60,
    "Analyze step by step the trade-offs of event sourcing. " + "Context. " * 700,
    "Think step by step and prove that the square root of 2 is irrational. "
    + "Background follows. " * 1500,
)
BURST = "Which planets have rings?"
AGENT = [
    {"role": role, "content": "We went through the design once more. " * 100}
    for role in ("user", "assistant") * 8
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "description": "Looks a word up.",
            "parameters": {
                "type": "object",
                "properties": {"word": {"type": "string"}},
            },
        },
    }
]
CHARACTER = "You are a careful assistant. " * 80


def requests(random: Random, count: int) -> Iterator[Json]:
    """Chat bodies; some streamed, some with long instructions or JSON mode."""
    for _ in range(count):
        question = random.choice(QUESTIONS)
        body = chat_of(question)
        if random.random() < 0.25:
            body["messages"].insert(0, {"role": "system", "content": CHARACTER})
        if random.random() < 0.3:
            body["stream"] = True
        if random.random() < 0.1:
            body["temperature"] = 0.9
        if random.random() < 0.15:
            body["response_format"] = {"type": "json_object"}
        if random.random() < 0.1:
            body["messages"] = AGENT + body["messages"]
            body["tools"] = TOOLS
        yield body


def chat_of(question: str) -> Json:
    return {"model": "auto", "messages": [{"role": "user", "content": question}]}


def send_all(base_url: str, count: int = 80, pause_seconds: float = 0.4) -> None:
    """Send them; in between, bursts of one question from many clients at once."""
    random = Random(7)  # noqa: S311 - the same traffic every time
    with (
        httpx.Client(base_url=base_url, timeout=60) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        wait_until_ready(client)
        for number, body in enumerate(requests(random, count)):
            threads.submit(send, client, body)
            if number % 20 == 10:
                burst = chat_of(f"{BURST} ({number})")
                for _ in range(5):
                    threads.submit(send, client, burst)
            time.sleep(pause_seconds)


def wait_until_ready(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)


def send(client: httpx.Client, body: Json) -> None:
    try:
        client.post("/v1/chat/completions", json=body)
    except httpx.TransportError:
        return  # the demo is being stopped
