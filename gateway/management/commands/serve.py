"""`manage.py serve`: bring the database up to date, say where everything is, serve."""

import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from gateway import configuration
from gateway.models import ApiKey
from gateway.occupancy import Occupied, occupy
from gateway.runtime import logs
from gateway.runtime.assembly import is_loopback
from gateway.serving import DrainingServer, uvicorn_config
from gateway.setup_link import first_time_link
from gateway.workers import Workers
from routing.models import Backend, RouterModel, RoutingPolicy


class Command(BaseCommand):
    help = "Migrate, import the configuration when the database is empty, and serve."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--config", type=Path, help="config.yaml to import")
        parser.add_argument(
            "--addr", default="127.0.0.1:8080", help="HOST:PORT; :PORT is every address"
        )
        parser.add_argument("--workers", type=int, default=1, help="processes")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = parse_addr(options["addr"])
        if options["workers"] < 1:
            raise CommandError("--workers must be at least 1.")
        settings.ADDR = os.environ["LLM_ROUTER_ADDR"] = f"{host}:{port}"
        # Each worker reads the settings anew.
        settings.WORKERS = max(options["workers"], settings.WORKERS)
        os.environ["LLM_ROUTER_WORKERS"] = str(settings.WORKERS)
        leave = enter(settings.DATA_DIR)
        self.prepare(options["config"])
        with listen(host, port) as listener:
            self.say_where(host, listener.getsockname()[1])
            self.run_server(listener, options["workers"], leave)

    def prepare(self, config: Path | None) -> None:
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            raise CommandError(f"A start needs the database: {error}") from error
        RoutingPolicy.load()
        if config is None:
            return
        try:
            report = configuration.import_if_empty(config)
        except configuration.ConfigurationError as error:
            raise CommandError(str(error)) from error
        for line in report:
            self.stdout.write(f"  {line}")
        if not report:
            self.compare(config)

    def compare(self, config: Path) -> None:
        """A file that changed or broke since is told, and keeps nobody from serving."""
        lines: Sequence[str]
        try:
            lines = configuration.drift(config)
            told = (
                f"{config} differs from the database, which is what serves "
                f"(import it with: manage.py load_config {config}):"
            )
        except configuration.ConfigurationError as error:
            lines = error.messages
            told = f"{config} can't be compared with the database, which serves:"
        for line in (told, *(f"  {line}" for line in lines)) if lines else ():
            self.stderr.write(line)

    def say_where(self, host: str, port: int) -> None:
        shown = "127.0.0.1" if host in ("", "0.0.0.0") else host  # noqa: S104
        base = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
        say = self.stdout.write
        say(f"llm-router serves {base}/v1 (OpenAI) - admin: {base}/admin/")
        if link := first_time_link(base):
            say(f"First time? Make the administrator here, within a day:\n  {link}")
        if ApiKey.objects.exists():
            say("Requests need an API key (manage.py create_key NAME makes another).")
        elif is_loopback(settings.ADDR):
            say("Open mode: this machine needs no key until the first one exists.")
        else:
            say("No API key exists yet, so nobody can call: manage.py create_key NAME")
        active = RouterModel.objects.filter(status=RouterModel.Status.ACTIVE).first()
        say(
            f"{active} decides (docs/routing.md)."
            if active
            else "The router is untrained: the heuristic score decides, which sends "
            "most short prompts to tier 1. Calibrate its thresholds (manage.py "
            "calibrate) or set cold_start to baseline (docs/routing.md)."
        )
        for name in Backend.objects.filter(prices=None).values_list("name", flat=True):
            say(f"Warning: {name} has no price; its costs are counted as unpriced.")
        self.stdout.flush()

    def run_server(
        self, listener: socket.socket, workers: int, leave: Callable[[], None]
    ) -> None:
        connections.close_all()
        logs.configure(settings.LOG_LEVEL)
        config = uvicorn_config(workers)
        if workers > 1:
            Workers(config, [listener], leave).run()
            return
        server = DrainingServer(config, leave)
        server.run(sockets=[listener])
        if not server.started:
            sys.exit(3)


def parse_addr(addr: str) -> tuple[str, int]:
    """HOST:PORT; an empty host means every address of this machine."""
    host, colon, port = addr.rpartition(":")
    if not (colon and port.isdecimal()) or not 0 <= int(port) <= 65535:
        raise CommandError(f"--addr {addr!r} is not HOST:PORT, such as 127.0.0.1:8080.")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - as asked


def enter(folder: Path) -> Callable[[], None]:
    """Be the only server of this folder, until what is returned is called."""
    try:
        return occupy(folder)
    except Occupied as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{folder} can't be written: {error.strerror}.") from error


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = f"Can't listen on {host}:{port}: {error.strerror}."
        raise CommandError(reason) from error
