"""`manage.py run_workflow NAME --input TEXT`: run one here and watch it."""

import asyncio
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.asgi.lifespan import Lifespan
from gateway.errors import GatewayError
from gateway.ledger.books import LOCAL_SCOPE, Caller
from gateway.runtime import logs
from routing.chat import Json
from workflows_app import planner, prompt, request
from workflows_app.definition import Value
from workflows_app.progress import Progress
from workflows_app.run import Options, Run
from workflows_app.runs import Runs

CALLER = Caller(scope=LOCAL_SCOPE, key_name="run_workflow")


class Command(BaseCommand):
    help = "Run a stored workflow, or one in a file, and show how it goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", help="a stored workflow's name, or a file")
        parser.add_argument("--input", help="the input; without it standard input")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a named input; may be repeated",
        )
        parser.add_argument("--max-cost", type=float, help="a ceiling in dollars")
        parser.add_argument("--explain", action="store_true", help="only the plan")

    def handle(self, *args: Any, **options: Any) -> None:
        logs.configure("ERROR")  # standard output is the answer's
        named = dict(pair_of(each) for each in options["set"])
        text = options["input"]
        if text is None:
            text = "" if named or sys.stdin.isatty() else sys.stdin.read()
        try:
            report = asyncio.run(self.run(options, text, named))
        except GatewayError as error:
            raise CommandError(error.message) from error
        self.stdout.write(prompt.as_text(report))

    async def run(self, options: Json, text: str, named: dict[str, str]) -> Value:
        """The final output, or the plan. Raises GatewayError."""
        path = Path(options["workflow"])
        source = path.read_text() if path.is_file() else options["workflow"]
        definition, stored = await request.find_definition(source)
        inputs = prompt.read_inputs(text, named)
        wishes = Options(max_cost_nano=planner.nano(options["max_cost"]))
        lifespan = Lifespan()
        await lifespan.open()
        runs = Runs.of(lifespan.runtime)
        try:
            run = planner.make_run(definition, inputs, CALLER, wishes, runs.desk)
            run.workflow = stored
            if options["explain"]:
                return prompt.as_text(run.plan.to_json())
            await self.watch(run, runs)
            return run.final_output()
        finally:
            await runs.close()
            await lifespan.close()

    async def watch(self, run: Run, runs: Runs) -> None:
        progress = Progress(run, self.stderr)
        queue = run.follow()
        task = asyncio.create_task(runs.finish(run))
        while event := await queue.get():
            progress.show(event)
        await task


def pair_of(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandError(f"--set takes NAME=VALUE, not {text!r}.")
    return name, value
