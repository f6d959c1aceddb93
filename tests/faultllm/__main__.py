"""`python -m tests.faultllm --port P --journal FILE` prints `ready PORT` and serves."""

import argparse
import asyncio
import signal
from pathlib import Path

from tests.faultllm.scripts import PREFIX, SCRIPTS
from tests.faultllm.server import FaultLLM


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faultllm")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--journal", type=Path, help="file that gets every attempt")
    parser.add_argument("--seed", type=int, default=0, help="for flaky-N")
    parser.add_argument("--list", action="store_true", help="list the scripts")
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with FaultLLM(
        host=options.host,
        port=options.port,
        journal=options.journal,
        seed=options.seed,
    ) as upstream:
        print(f"ready {upstream.port}", flush=True)
        await stop.wait()


def main() -> None:
    options = arguments()
    if options.list:
        for name, script in SCRIPTS.items():
            print(f"{PREFIX}{name:<26}{script.about}")
    else:
        asyncio.run(serve(options))


if __name__ == "__main__":
    main()
