"""The provider behind everything measured: nginx where there is one, else our own."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import Tools
from benchmarks.processes import LISTENING, module, running, wait_for_port
from benchmarks.servers.canned import COMPLETION

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{ return 200 '{body}'; }}
  }}
}}
"""


@contextmanager
def whole_answers(folder: Path, tools: Tools) -> Iterator[str]:
    """An upstream that answers at once; yields the base_url of a backend."""
    if tools.nginx is None:
        with stamped_streams(folder, tools) as port:
            yield f"http://127.0.0.1:{port}/v1"
        return
    place = Path(tempfile.mkdtemp(prefix="nginx-", dir=folder))
    port = free_port()
    config = place / "nginx.conf"
    config.write_text(NGINX.format(folder=place, port=port, body=COMPLETION.decode()))
    command = [tools.nginx, "-p", str(place), "-c", str(config)]
    with running(command, place, tools.load_cpus) as server:
        wait_for_port(server, port)
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def stamped_streams(folder: Path, tools: Tools) -> Iterator[int]:
    """Our own upstream, which stamps the chunks of its streams; yields its port."""
    command = module("benchmarks.servers.canned")
    with running(command, folder, tools.load_cpus) as server:
        yield int(server.wait_for(LISTENING)[1])


def stream_url(port: int, chunks: int, gap_ms: int) -> str:
    """The base_url whose answers are streams of so many chunks."""
    return f"http://127.0.0.1:{port}/stream/{chunks}/{gap_ms}"


def free_port() -> int:
    """For servers that can't tell which port they were given."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
