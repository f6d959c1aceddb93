"""What tests of whole processes ask of them."""

import threading
import time
from collections import Counter
from pathlib import Path

import httpx

CHAT = "/v1/chat/completions"


def chat(text: str, **fields: object) -> dict:
    return {"messages": [{"role": "user", "content": text}], **fields}


def send_until(url: str, stop: threading.Event, statuses: Counter[int]) -> None:
    """Requests one after the other, whole and streamed, until told to stop."""
    name = threading.get_ident()
    number = 0
    with httpx.Client(timeout=20) as client:
        while not stop.is_set():
            number += 1
            body = chat(f"Question {number} of {name}", stream=number % 3 == 0)
            try:
                statuses[client.post(url + CHAT, json=body).status_code] += 1
            except httpx.TransportError:
                return


def status_of(url: str) -> int:
    return httpx.get(url).status_code


def contents(folder: Path) -> bytes:
    """Every byte that is stored there."""
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def wait_until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
