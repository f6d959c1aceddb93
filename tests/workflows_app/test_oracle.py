"""Any graph gives what a plain evaluation gives: planned, merged and in parallel."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness import serving, three_tiers
from tests.workflows_app.conftest import run_on
from tests.workflows_app.pure_model import pure_model, says
from workflows_app.runs import Runs


@st.composite
def workflows(draw) -> dict:
    """Up to 10 ops; few different prompts, so that some are the same work."""
    count = draw(st.integers(1, 10))
    ops: dict[str, dict] = {}
    for number in range(count):
        earlier = list(ops)
        parents = draw(
            st.lists(st.sampled_from(earlier), unique=True, max_size=3)
            if earlier
            else st.just([])
        )
        op: dict = {"tier": draw(st.integers(1, 2)), "input_ops": parents}
        text = f"Task {draw(st.integers(0, 2))}."
        if draw(st.booleans()):
            op["temperature"] = 0
        if parents and draw(st.booleans()):
            text += "".join(f" {{{{{name}}}}}" for name in parents)
        key = "template" if draw(st.booleans()) else "prompt"
        op[key] = text
        ops[f"o{number}"] = op
    ends = draw(st.lists(st.sampled_from(list(ops)), unique=True, min_size=1))
    return {"end_ops": ends, "ops": ops}


def evaluate(workflow: dict, query: str) -> dict[str, str]:
    """Each op after its inputs, one after the other, nothing left out."""
    outputs: dict[str, str] = {}
    for name, op in workflow["ops"].items():
        text = op.get("template") or op["prompt"]
        blocks = [] if "template" in op else [f"<input>\n{query}\n</input>"]
        for parent in op["input_ops"]:
            place = f"{{{{{parent}}}}}"
            if "template" not in op and place not in text:
                blocks.append(f'<output op="{parent}">\n{outputs[parent]}\n</output>')
        for parent in op["input_ops"]:
            text = text.replace(f"{{{{{parent}}}}}", outputs[parent])
        content = "\n\n".join([text, *blocks])
        outputs[name] = says([{"role": "user", "content": content}])
    return outputs


def needed(workflow: dict) -> set[str]:
    found, todo = set(), list(workflow["end_ops"])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += workflow["ops"][name]["input_ops"]
    return found


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(workflow=workflows(), cached=st.booleans())
async def test_any_workflow_gives_what_a_plain_evaluation_gives(
    tmp_path: Path, database: Path, workflow: dict, cached: bool
):
    expected = evaluate(workflow, "asked")
    alive = needed(workflow)
    async with pure_model() as model:
        catalog = three_tiers(model.url, cache_enabled=cached, sharing_enabled=cached)
        async with serving(catalog, tmp_path / "journal") as gateway:
            answer = await run_on(gateway, workflow, "asked", store=False)
            await Runs.of(gateway.runtime).close()

    assert answer.status == 200, answer.text
    assert answer.json["outputs"] == {
        name: text for name, text in expected.items() if name in alive
    }
    assert answer.json["final_output"] == expected[workflow["end_ops"][-1]]
    assert len(model.prompts) <= len(alive)
