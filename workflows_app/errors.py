"""What a workflow or a run can fail with, besides the errors of its requests.

BadRequest
`- InvalidWorkflow      400     invalid_workflow
   `- WorkflowCycle     400     workflow_cycle
BadUpstreamResponse
`- Unfit                502     as its parent
WorkflowFailed          502     workflow_failed
|- CostCeiling          402     max_cost_reached
`- RunCancelled         409     run_cancelled
"""

from gateway.errors import BadRequest, BadUpstreamResponse, GatewayError
from routing.chat import Json


class InvalidWorkflow(BadRequest):
    """The definition can't be run; one message that names the op and its line."""

    code = "invalid_workflow"

    def __init__(self, message: str, line: int = 0, op: str = "") -> None:
        self.line, self.op, self.reason = line, op, message
        place = [f"line {line}"] if line else []
        if op:
            place.append(f'op "{op}"')
        super().__init__(": ".join([*place, message]), param="workflow")


class WorkflowCycle(InvalidWorkflow):
    code = "workflow_cycle"


class Unfit(BadUpstreamResponse):
    """An answer came, and is paid for, and would not do."""


class WorkflowFailed(GatewayError):
    """A run ended without its outputs. `report` is what it has: see Run.report."""

    status, code = 502, "workflow_failed"
    should_retry = False

    def __init__(self, message: str, report: Json | None = None) -> None:
        super().__init__(message)
        self.report: Json = report or {}


class CostCeiling(WorkflowFailed):
    status, code, type = 402, "max_cost_reached", "invalid_request_error"


class RunCancelled(WorkflowFailed):
    status, code, type = 409, "run_cancelled", "conflict_error"
