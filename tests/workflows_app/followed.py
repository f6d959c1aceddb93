"""Runs in the background, as a client sees them."""

import time

import httpx


def look(url: str, run_id: str) -> dict:
    try:
        return httpx.get(f"{url}/v1/workflows/runs/{run_id}", timeout=20).json()
    except httpx.TransportError:
        return {"status": "running"}  # the worker that was asked has just died


def wait_for_end(url: str, run_id: str) -> dict:
    deadline = time.monotonic() + 60
    while (found := look(url, run_id))["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
