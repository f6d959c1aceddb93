"""`manage.py demo`: serve with simulated providers and a little traffic."""

import asyncio
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from aiohttp import web
from django.core.management import call_command
from django.utils import timezone

from gateway.configuration.aliases import seed_families
from gateway.management.commands import serve
from gateway.simulator.provider import application
from gateway.simulator.traffic import send_all
from routing.models import Backend, Price, RoutingPolicy, Tier

# Name, tier's last score, and dollars per million tokens in and out.
BACKENDS = (
    ("sim-small", 30, 0.8, 4.0),
    ("sim-medium", 70, 3.0, 15.0),
    ("sim-large", None, 15.0, 75.0),
)


class Command(serve.Command):
    help = "Serve with simulated providers and a little traffic; no API key is needed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--addr", default="127.0.0.1:8080", help="HOST:PORT")
        parser.add_argument("--no-traffic", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        self.traffic = not options["no_traffic"]
        super().handle(*args, **options, config=None, workers=1)

    def prepare(self, config: Path | None) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        install_backends(f"http://127.0.0.1:{start_simulator()}/v1")
        self.stdout.write("Simulated providers: the answers are nonsense.")

    def say_where(self, host: str, port: int) -> None:
        super().say_where(host, port)
        if self.traffic:
            url = f"http://127.0.0.1:{port}"
            threading.Thread(target=send_all, args=(url,), daemon=True).start()


def start_simulator() -> int:
    """Run the simulated provider in a thread of its own; returns its port."""
    started = threading.Event()
    ports: list[int] = []

    async def run() -> None:
        runner = web.AppRunner(application(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        started.set()
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    started.wait(10)
    return ports[0]


def install_backends(base_url: str) -> None:
    """A tier, a backend and a price for each simulated model."""
    RoutingPolicy.load()
    for rank, (name, max_score, price_in, price_out) in enumerate(BACKENDS, 1):
        tier, _ = Tier.objects.get_or_create(
            rank=rank, defaults={"name": name, "max_score": max_score}
        )
        backend, _ = Backend.objects.update_or_create(
            name=name,
            defaults={
                "tier": tier,
                "provider": "openai-compatible",
                "model": name,
                "base_url": base_url,
                "context_window": 200_000,
            },
        )
        if not backend.prices.exists():
            Price.objects.create(
                backend=backend,
                effective_from=timezone.now(),
                input=round(price_in * 1e9),
                output=round(price_out * 1e9),
                cache_read=round(price_in * 1e8),
                cache_write=round(price_in * 1.25e9),
                source="demo",
            )
    seed_families()
