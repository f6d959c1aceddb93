"""How a run goes on, as lines in a terminal."""

from typing import Protocol

from routing.chat import Json
from routing.counting import counted
from workflows_app.run import Run

SHOWN_CHARS = 60
MARKS = {"succeeded": "done", "merged": "same"}


class Out(Protocol):
    def write(self, text: str) -> object: ...


class Progress:
    """One line per thing that happens: 3/5 [####..] and what it was."""

    def __init__(self, run: Run, out: Out) -> None:
        self.run = run
        self.out = out
        self.done = 0

    def show(self, event: Json) -> None:
        match event["type"]:
            case "planned":
                plan = event["plan"]
                self.say(
                    f"{counted(len(plan['order']), 'op')}, about "
                    f"{plan['critical_path_s']:.1f} s and "
                    f"${plan['cost_usd']['expected']:.6f}"
                )
            case "op_started":
                self.say(f"{event['op']} ...")
            case "op_done":
                self.done += 1
                self.say(self.line_of(event))
            case "run_done":
                total = sum(event["costs"].values())
                status = event["status"]
                self.say(f"{status} in {event['total_ms'] / 1000:.1f} s, ${total:.6f}")

    def line_of(self, event: Json) -> str:
        seconds = (event["ended_ms"] - event["started_ms"]) / 1000
        where = f"{event['backend'] or '-'} {event['cache']}".strip()
        text = " ".join(str(event["output"] or event["reason"]).split())
        if len(text) > SHOWN_CHARS:
            text = text[: SHOWN_CHARS - 3] + "..."
        status = MARKS.get(event["status"], event["status"])
        cost = f"${event['cost_usd']:.6f}"
        return f"{event['op']} {status} [{where}, {seconds:.1f} s, {cost}] {text}"

    def say(self, text: str) -> None:
        total = len(self.run.plan.order)
        bar = "#" * self.done + "." * max(0, total - self.done)
        self.out.write(f"{self.done}/{total} [{bar}] {text}")
