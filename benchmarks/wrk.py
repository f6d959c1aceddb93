"""wrk with a script of its own, so that every request has its own prompt."""

import json
import subprocess
import tempfile

from benchmarks.client import Order
from benchmarks.errors import BenchmarkError
from benchmarks.prompts import AFTER, BEFORE, STRIDE

SCRIPT = """
local frames = {{ {frames} }}
local index, cycle = {first}, {cycle}
local before, after = {before}, {after}
local head = {head}

function request()
  local number = index
  if cycle > 0 then number = index * {stride} % cycle end
  index = index + 1
  local frame = frames[number % #frames + 1]
  local text = frame[1] .. string.format("%d", number) .. frame[2]
  local body = before .. text .. after
  return head .. #body .. "\\r\\n\\r\\n" .. body
end
{delay}
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "errors": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def run(wrk: str, order: Order) -> dict[str, float]:
    """Run wrk on one thread: a second one would compete with the upstream."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script(order))
        file.flush()
        command = [
            wrk,
            "-t1",
            f"-c{order.connections}",
            f"-d{max(1, round(order.seconds))}s",
            "--timeout=30s",
            f"--script={file.name}",
            f"http://127.0.0.1:{order.port}",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"wrk failed:\n{(done.stdout + done.stderr)[-1500:]}")
    seen: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return seen


def script(order: Order) -> str:
    frames = order.prompts.frames
    pause = order.pause_ms
    return SCRIPT.format(
        frames=", ".join(f"{{{quoted(b)}, {quoted(a)}}}" for b, a in frames),
        first=order.prompts.first,
        cycle=order.prompts.cycle,
        stride=STRIDE,
        before=quoted(BEFORE),
        after=quoted(AFTER),
        head=quoted(order.head),
        delay=f"function delay() return {pause} end" if pause else "",
    )


def quoted(text: str) -> str:
    """As a Lua string; JSON's escapes of plain ASCII are Lua's too."""
    return json.dumps(text)
