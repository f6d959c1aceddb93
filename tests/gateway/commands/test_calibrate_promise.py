"""`manage.py calibrate --max-worse`: on judgements in the database and in a file."""

import json

import pytest
from django.core.management import CommandError
from django.urls import reverse
from django.utils import timezone

from gateway.runtime.snapshot import build
from routing.chat import Features
from routing.learned.features import prompt_of, row_of
from routing.models import Judgement, RouterModel, RoutingPolicy, Tier
from tests.gateway.commands.calibrating import calibrate
from tests.routing.learned.samples import examples, small_router

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("three_tiers"),
]
HARD, EASY = "derive the integral of lamp cloud", "say hello to lamp cloud"


def row(text):
    return row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))


def keep_judgements(count, *, tier=1, noise=0.0):
    Judgement.objects.bulk_create(
        Judgement(
            request_id=f"r{number}",
            scope="local",
            cheap_tier=tier,
            baseline_tier=3,
            verdict="worse" if line["quality"]["1"] < 0.5 else "equal",
            tokens=20,
            row=row(line["prompt"]).pack(),
        )
        for number, line in enumerate(examples(count, seed=8, noise=noise))
    )


@pytest.fixture
def active():
    RouterModel.keep(small_router().dump(), {"objections": []}).activate()


@pytest.mark.usefixtures("active")
def test_a_promise_is_shown_and_then_kept(admin_client):
    keep_judgements(1000)

    said = calibrate("--max-worse", "0.02")

    assert "at most 2.0% of the requests below tier 3 are answered worse" in said
    assert "judged were worse, at most " in said
    assert "Nothing is changed." in said
    assert RoutingPolicy.load().learned_target == "max_loss"

    calibrate("--max-worse", "0.02", "--apply")

    router = build(timezone.now()).catalog.brain.router
    easy, hard = (
        router.decide(router.judge(row(text), Features(prompt_tokens=8)), (1, 2, 3))
        for text in (EASY, HARD)
    )
    assert (easy, hard) == (1, 3)
    assert router.outlook.top_share < 0.6
    kept = RouterModel.objects.get()
    page = reverse("admin:routing_routermodel_change", args=(kept.pk,))
    shown = admin_client.get(page).content.decode()
    assert f"Since {timezone.now():%Y}" in shown
    assert "judged were worse, at most" in shown
    front = admin_client.get(reverse("admin:index")).content.decode()
    assert (
        "share of worse answers among those of cheaper tiers of at most 2.0%" in front
    )


@pytest.mark.usefixtures("active")
def test_judgements_that_are_too_few_are_refused_with_how_many_are_missing():
    keep_judgements(100)

    with pytest.raises(CommandError, match=r"Tier 1: 100 judgements .* About \d+ more"):
        calibrate("--max-worse", "0.02")
    with pytest.raises(CommandError, match="There is no paired judgement"):
        Judgement.objects.all().delete()
        calibrate("--max-worse", "0.02")


@pytest.mark.usefixtures("active")
def test_a_promise_that_was_not_given_sends_everything_to_the_baseline():
    """A stricter wish in the admin, or another baseline, is not what was shown."""
    keep_judgements(1000)
    calibrate("--max-worse", "0.02", "--apply")
    assert build(timezone.now()).catalog.brain.router.borders

    RoutingPolicy.objects.update(learned_target_value=0.01)
    snapshot = build(timezone.now())
    assert not snapshot.catalog.brain.router.borders
    assert "everything goes to the baseline" in snapshot.notes[0]

    RoutingPolicy.objects.update(
        learned_target_value=0.05, baseline_tier=Tier.objects.get(rank=2)
    )
    assert not build(timezone.now()).catalog.brain.router.borders


def test_a_file_of_judged_prompts_does_as_well(tmp_path):
    data, model = tmp_path / "judged.jsonl", tmp_path / "router"
    model.write_bytes(small_router().dump())
    lines = examples(1500, seed=9, noise=0.0)
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = ("--data", str(data), "--model", str(model))

    said = calibrate("--max-worse", "0.02", "--confidence", "0.9", *asked)

    assert said.startswith("With 90% confidence at most 2.0% of the requests below ti")
    assert "  tier 1: while the gain is at most " in said
    with pytest.raises(CommandError, match="--apply is for judgements of your own"):
        calibrate("--max-worse", "0.02", *asked, "--apply")
    with pytest.raises(CommandError, match="knows no tier '7'"):
        calibrate("--max-worse", "0.02", *asked, "--weak", "7")
    with pytest.raises(CommandError, match="must be two"):
        calibrate("--max-worse", "0.02", *asked, "--weak", "3")
    with pytest.raises(CommandError, match="lie between 0 and 1"):
        calibrate("--max-worse", "0", *asked)
    with pytest.raises(CommandError, match="--data goes with --max-worse"):
        calibrate("--max-loss", "0.1", *asked)


def test_without_a_router_nothing_can_be_promised():
    with pytest.raises(CommandError, match="nobody predicts quality"):
        calibrate("--max-worse", "0.02")
