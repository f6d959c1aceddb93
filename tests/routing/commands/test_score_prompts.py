import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from routing.models import RouterModel
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
