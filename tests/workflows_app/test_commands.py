from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from workflows_app.management.commands.load_workflows import EXAMPLES
from workflows_app.models import Workflow
from workflows_app.reader import read

NAMES = [
    "debate",
    "extract-validate-repair",
    "map-reduce-summary",
    "reason-critique-refine",
    "research",
    "self-consistency",
]


def test_the_examples_are_workflows():
    assert [path.stem for path in sorted(EXAMPLES.glob("*.yaml"))] == NAMES
    for path in EXAMPLES.glob("*.yaml"):
        workflow = read(path.read_text())
        assert workflow.name == path.stem
        assert workflow.description


def load(*files: Path) -> str:
    out = StringIO()
    call_command("load_workflows", *map(str, files), stdout=out)
    return out.getvalue()


def test_workflows_are_loaded_and_a_changed_text_is_a_new_version(db, tmp_path):
    assert load().splitlines() == [f"{name}: version 1" for name in NAMES]
    assert "unchanged" in load()

    changed = tmp_path / "debate.yaml"
    changed.write_text((EXAMPLES / "debate.yaml").read_text() + "# longer\n")
    assert load(changed) == "debate: version 2\n"

    row = Workflow.objects.get(name="debate")
    assert [version.version for version in row.versions.all()] == [2, 1]
    assert row.description.startswith("Two models argue")


def test_a_file_that_is_wrong_is_told_with_its_line(db, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("end_ops: [a]\nops:\n  a: {promt: x}\n")

    with pytest.raises(CommandError, match=r'bad.yaml: line 3: op "a": unknown field'):
        load(path)
    with pytest.raises(CommandError, match="no .yaml file"):
        load(tmp_path / "..")
    assert not Workflow.objects.exists()


@pytest.mark.slow
def test_a_workflow_is_run_in_the_terminal(
    tmp_path, threaded_upstream: ThreadedFaultLLM
):
    instance = Instance(tmp_path, threaded_upstream.url)
    instance.manage("load_config", str(instance.config))
    instance.manage("load_workflows")

    plan = instance.manage("run_workflow", "debate", "--input=x", "--explain")
    done = instance.manage("run_workflow", "debate", "--input", "Cats are better.")
    unknown = instance.manage("run_workflow", "debat", "--input=x")

    assert '"critical_path"' in plan.stdout
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Answer to: You are the judge.")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("0/5 [.....] 5 ops, about ")
    assert "5/5 [#####] succeeded in" in lines[-1]
    assert "There is no stored workflow 'debat'" in unknown.stderr
    rows = instance.query(
        "SELECT status, workflow, version FROM workflows_app_workflowrun"
    )
    assert rows == [("succeeded", "debate", 1)]
