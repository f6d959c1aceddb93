import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from routing.models import Intent, IntentCheck
from tests.routing.learned.samples import examples

pytestmark = pytest.mark.django_db


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "judged.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in examples(1200)))
    return path


def check(path) -> str:
    out = StringIO()
    call_command("check_intents", "--data", str(path), stdout=out)
    return out.getvalue()


def intents(*words: str) -> None:
    Intent.objects.all().delete()
    for number, text in enumerate(words):
        Intent.objects.create(slug=f"i{number}", words=text)


def test_intents_that_beat_static_tiers_may_decide(data):
    intents("prove, derive, show", "hello, spell, colour, plural")

    said = check(data)

    assert "i0: " in said
    assert "against static tiers +0." in said
    assert "against the heuristic +0." in said
    assert said.endswith("the policy's switch is free.\n")
    assert IntentCheck.why_not() == ""


def test_those_that_tell_nothing_may_not_and_the_reason_is_kept(data):
    intents("zebra", "yak")

    with pytest.raises(CommandError, match="must not decide. It does not beat static"):
        check(data)

    assert IntentCheck.why_not().startswith("It does not beat static tiers")


def test_bad_input_gets_one_clear_error(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        check(tmp_path / "none.jsonl")
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    with pytest.raises(CommandError, match='Line 1: "id" must be'):
        check(bad)
    intents("one two three")
    bad.write_text("")
    with pytest.raises(CommandError, match="more than two words"):
        check(bad)
