"""Other gateways, installed by package name in environments of their own."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.load import Target
from benchmarks.machine import Tools
from benchmarks.processes import running, wait_for_port
from benchmarks.upstream import free_port

INSTALL_SECONDS = 900
# Without OpenTelemetry each of its requests pays for an import that fails.
LITELLM = ("litellm[proxy]", "opentelemetry-api", "opentelemetry-sdk")
PORTKEY = "@portkey-ai/gateway"
LITELLM_CONFIG = """
model_list:
  - model_name: auto
    litellm_params: {{model: openai/canned, api_base: "{upstream}", api_key: none}}
general_settings: {{master_key: "{key}"}}
litellm_settings: {{telemetry: false}}
"""


def cache_folder() -> Path:
    """Where they stay installed from one run to the next."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "llm-router-benchmarks"


@contextmanager
def litellm(upstream: str, folder: Path, tools: Tools) -> Iterator[Target]:
    """LiteLLM's proxy, one worker, with a key as it demands one."""
    place = cache_folder() / "litellm"
    program = place / "bin" / "litellm"
    if not program.exists():
        install([sys.executable, "-m", "venv", str(place)])
        install([str(place / "bin" / "pip"), "install", "--quiet", *LITELLM])
    key = f"sk-{secrets.token_hex(16)}"
    own = Path(tempfile.mkdtemp(prefix="litellm-", dir=folder))
    config = own / "config.yaml"
    config.write_text(LITELLM_CONFIG.format(upstream=upstream, key=key))
    port = free_port()
    command = [str(program), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1"]
    environ = {
        **os.environ,
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no download at its start
    }
    with running(command, own, tools.server_cpus, environ) as server:
        wait_for_port(server, port)
        yield Target(port, server, {"Authorization": f"Bearer {key}"})


@contextmanager
def portkey(upstream: str, folder: Path, tools: Tools) -> Iterator[Target]:
    """Portkey's gateway, which is one Node process and keeps no keys."""
    place = cache_folder() / "portkey"
    program = place / "node_modules" / PORTKEY / "build" / "start-server.js"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        npm = [found("npm"), "install", "--silent", "--no-audit", "--no-fund"]
        install([*npm, "--prefix", str(place), PORTKEY])
    port = free_port()
    command = [found("node"), str(program), f"--port={port}", "--headless"]
    headers = {
        "Authorization": "Bearer none",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": upstream,
    }
    with running(command, folder, tools.server_cpus) as server:
        wait_for_port(server, port)
        yield Target(port, server, headers)


def found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise BenchmarkError(f"{program} is not installed, which this rival needs.")
    return path


def install(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkError("Installing it took too long.") from None
    if done.returncode:
        raise BenchmarkError(f"It can't be installed: {done.stderr.strip()[-300:]}")
