import pytest

from gateway.configuration import ConfigurationError, apply, plan
from gateway.configuration.difference import Outcome
from gateway.models import ApiKey
from routing.models import Intent, TrailPin
from tests.gateway.configuration.samples import NOW, TWO_MODELS, load, parsed

pytestmark = pytest.mark.django_db

CHESS = """\
intents:
  - slug: chess
    words: rook, rook takes
    cascade: whole
intent_pins:
  - {intent: chess, backend: large, value: 0.9}
"""


def labels(text: str, outcome: Outcome) -> list[str]:
    changes = plan(parsed(TWO_MODELS + text), NOW).changes
    return [change.label for change in changes if change.outcome is outcome]


def test_a_file_makes_intents_and_pins_and_makes_them_once():
    assert {"intent chess", "pin of chess at large"} <= set(load(TWO_MODELS + CHESS))

    chess = Intent.objects.get(slug="chess")
    assert (chess.words, chess.cascade, chess.active) == (
        "rook, rook takes",
        "whole",
        True,
    )
    pin = TrailPin.objects.get()
    assert (pin.intent, pin.backend, pin.tier, pin.value) == (chess, "large", 2, 0.9)
    assert load(TWO_MODELS + CHESS) == []


def test_an_intent_that_is_named_alone_stays_as_it_is():
    code = Intent.objects.get(slug="code")
    pinned = "intent_pins:\n  - {intent: code, backend: small, value: 1}\n"

    load(TWO_MODELS + "intents:\n  - slug: code\n" + pinned)

    assert Intent.objects.get(slug="code").words == code.words
    assert TrailPin.objects.get().intent == code


def test_what_the_file_leaves_out_is_told_and_stays():
    load(TWO_MODELS + CHESS)
    only = "intents:\n  - slug: chess\nintent_pins:\n"
    other = "  - {intent: chess, backend: small, value: 1}\n"

    assert "intent code" in labels(only + other, Outcome.NOT_IN_FILE)
    assert "pin of chess at large" in labels(only + other, Outcome.NOT_IN_FILE)
    assert labels("", Outcome.NOT_IN_FILE) == []
    load(TWO_MODELS + only + other)
    assert TrailPin.objects.count() == 2


def test_a_pin_follows_a_backend_that_the_file_puts_into_another_tier():
    load(TWO_MODELS + CHESS)
    swapped = TWO_MODELS.replace("tier: 1", "tier: 9").replace("tier: 2", "tier: 1")

    load(swapped.replace("tier: 9", "tier: 2") + CHESS)

    assert TrailPin.objects.filter(backend="large", tier=1, value=0.9).exists()


def test_a_pin_for_a_key_is_by_its_name_and_waits_for_it():
    text = TWO_MODELS + CHESS.replace("value", "scope: key:ci, value")

    assert any(
        "for key:ci, a key that" in note for note in plan(parsed(text), NOW).notes
    )
    assert "intent chess" in load(text)
    key, _ = ApiKey.issue("ci")

    assert load(text) == ["pin of chess at large for key:ci"]
    assert TrailPin.objects.get().scope == key.scope


def test_a_judge_may_come_with_the_file_that_asks_for_it():
    asks = "intents:\n  - {slug: code, cascade_check: judge}\n"

    with pytest.raises(ConfigurationError, match="names no backend that judges"):
        apply(plan(parsed(TWO_MODELS + asks), NOW))

    assert "intent code" in load(TWO_MODELS + "cascade:\n  judge: large\n" + asks)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "{slug: chess, word: a}",
            'unknown key "word" in intents[0]; did you mean "wo',
        ),
        ("{words: a}", "intents[0] has no slug"),
        ("{slug: two words}", "intents[0].slug: Enter a valid"),
        ("{slug: chess, words: one two three}", "'one two three' has more than two"),
        ("{slug: chess, cues: toolz 2}", "'toolz' is no cue; did you mean 'tools'?"),
        ("{slug: chess, cues: tools}", "'tools' is no cue and a number"),
        (
            "{slug: chess, cascade: hole}",
            'unknown cascade "hole" in intents[0]; did you',
        ),
        ("{slug: chess, cascade: taste}", '(known: "", none, whole, all)'),
        ("{slug: chess, bias: yes}", "intents[0].bias must be a number"),
        ("{slug: chess}\n  - {slug: chess}", 'has the same slug "chess" as intents[0]'),
    ],
)
def test_a_mistake_in_an_intent_is_told_with_its_line(entry, told):
    with pytest.raises(ConfigurationError) as caught:
        parsed(f"{TWO_MODELS}intents:\n  - {entry}\n")

    [message] = caught.value.messages
    line = TWO_MODELS.count("\n") + 2 + entry.count("\n")
    assert message.startswith(f"config.yaml:{line}: ")
    assert told in message


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "{intent: ches, backend: large, value: 1}",
            'in intents; did you mean "chess"?',
        ),
        ("{intent: chess, backend: lrge, value: 1}", 'did you mean "large"?'),
        ("{intent: chess, backend: large, value: 1.1}", "less than or equal to 1"),
        (
            "{intent: chess, backend: large, scope: web, value: 1}",
            "intent_pins[0].scope must be team:NAME, key:NAME or local",
        ),
        ("{intent: chess, backend: large}", "intent_pins[0] has no value"),
        (
            "{intent: chess, backend: large, value: 0}\n"
            "  - {intent: chess, backend: large, value: 1}",
            "intent_pins[1] pins what intent_pins[0] does",
        ),
    ],
)
def test_a_mistake_in_a_pin_is_told_with_its_line(entry, told):
    text = f"{TWO_MODELS}intents:\n  - slug: chess\nintent_pins:\n  - {entry}\n"

    with pytest.raises(ConfigurationError) as caught:
        parsed(text)

    [message] = caught.value.messages
    line = TWO_MODELS.count("\n") + 4 + entry.count("\n")
    assert message.startswith(f"config.yaml:{line}: ")
    assert told in message
