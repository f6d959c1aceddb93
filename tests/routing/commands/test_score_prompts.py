import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from routing.models import RouterModel
from tests import ROOT
from tests.routing.learned.samples import small_router


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "asked.jsonl"
    lines = [
        {"id": "a", "prompt": "say hello to lamp cloud"},
        {"id": "b", "prompt": "derive the integral of lamp cloud"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def score(path, *options: str) -> list[dict]:
    out = StringIO()
    call_command("score_prompts", "--input", str(path), *options, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.django_db
def test_the_active_router_answers_when_no_file_is_named(asked):
    RouterModel.keep(small_router().dump(), {"objections": []}).activate()

    easy, hard = score(asked)

    assert hard["score"] > easy["score"]
    assert (easy["tier"], hard["tier"]) == ("1", "3")
    gap = hard["quality"]["3"] - hard["quality"]["1"]
    assert hard["score"] == pytest.approx(gap, abs=0.05)


@pytest.mark.django_db
def test_any_two_tiers_can_be_compared(asked, tmp_path):
    path = tmp_path / "router"
    path.write_bytes(small_router().dump())

    easy, hard = score(asked, "--model", str(path), "--weak", "2", "--strong", "3")

    assert hard["score"] > easy["score"]
    assert hard["tier"] in ("2", "3")
    with pytest.raises(CommandError, match="knows no tier '9'. It knows: 1, 2, 3"):
        score(asked, "--model", str(path), "--strong", "9")
    with pytest.raises(CommandError, match="must be two"):
        score(asked, "--model", str(path), "--weak", "3")


@pytest.mark.django_db
def test_without_a_router_it_says_how_to_get_one(asked, tmp_path):
    (settings.DATA_DIR / "router.npz").unlink(missing_ok=True)
    with pytest.raises(CommandError, match="Train one with manage.py train_router"):
        score(asked)
    with pytest.raises(CommandError, match="no router's file"):
        score(asked, "--model", str(asked))


def test_a_wrong_line_leaves_no_scores_of_those_before_it(asked, tmp_path):
    path = tmp_path / "router"
    path.write_bytes(small_router().dump())
    asked.write_text(asked.read_text() + '{"id": "c"}\n')
    out = StringIO()

    with pytest.raises(CommandError, match="Line 3: there is neither"):
        call_command("score_prompts", input=asked, model=path, stdout=out)

    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["calibrate", "--strong-share", "0.3"], "500 requests are needed"),
        (["calibrate", "--max-worse", "0.02"], "there is no judgement of an answer"),
        (["check_intents", "--data", "x"], "the intents are kept there"),
        (["learn"], "nobody has voted yet"),
    ],
)
def test_what_reads_stored_requests_says_that_there_are_none(tmp_path, command, reason):
    """In a folder of its own without a database: processes, as an operator would."""
    manage = ROOT / "manage.py"
    environment = os.environ | {"LLM_ROUTER_DATA_DIR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)

    done = subprocess.run(
        [sys.executable, manage, *command],
        env=environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database is empty, and")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
