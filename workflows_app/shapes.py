"""JSON schemas of what runs workflows, for the OpenAPI document."""

from gateway.api.described import FLAG, TEXT, a_list, an_object, one_of, words
from gateway.api.schemas import AMOUNT
from workflows_app.request import MODES

WORKFLOW = one_of({"type": "string", "minLength": 1}, {"type": "object"})
INPUT = one_of(TEXT, {"type": "array"}, {"type": "object"})
HOW = {
    "mode": words(*MODES),
    "stream": FLAG,
    "max_cost_usd": AMOUNT,
    "deadline_s": AMOUNT,
}
RUN = {
    **an_object(
        ("workflow",),
        workflow=WORKFLOW,
        input=INPUT,
        inputs={"type": "object"},
        deltas=FLAG,
        store=FLAG,
        webhook=TEXT,
        **HOW,
    ),
    "additionalProperties": False,
}
BATCH = {
    **an_object(
        ("workflow",),
        workflow=WORKFLOW,
        inputs=a_list(INPUT),
        jsonl=TEXT,
        **HOW,
    ),
    "additionalProperties": False,
}
