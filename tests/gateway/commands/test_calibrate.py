import pytest
from django.core.management import CommandError
from django.utils import timezone

from gateway.models import RequestLog
from gateway.runtime.snapshot import build
from routing.learned.features import prompt_of, row_of
from routing.models import Lesson, RouterModel, RoutingPolicy, Tier
from tests.gateway.commands.calibrating import calibrate
from tests.log_rows import log_row
from tests.routing.learned.samples import examples, small_router

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("three_tiers"),
]


def keep_lessons(count: int) -> None:
    for number, line in enumerate(examples(count, seed=8)):
        body = {"messages": [{"role": "user", "content": line["prompt"]}]}
        Lesson.objects.create(
            request_id=f"r{number}",
            at=timezone.now(),
            scope="local",
            tier=1,
            chance=1.0,
            tokens=20,
            row=row_of(prompt_of(body)).pack(),
        )


def keep_scores(scores: list[int]) -> None:
    RequestLog.objects.bulk_create(
        log_row(f"r{number}", score=score) for number, score in enumerate(scores)
    )


def test_a_target_is_shown_with_intervals_and_becomes_the_policy_when_asked():
    RouterModel.keep(small_router().dump(), {"objections": []}).activate()
    keep_lessons(500)

    said = calibrate("--strong-share", "0.2")

    assert said.startswith("Router 1 on 500 stored requests:\n  to the top tier: ")
    assert "expected loss of quality: " in said
    assert "Nothing is changed." in said
    assert RoutingPolicy.load().learned_target == "max_loss"

    calibrate("--strong-share", "0.2", "--apply")

    router = build(timezone.now()).catalog.brain.router
    assert (router.target.kind, router.target.value) == ("top_share", 0.2)
    assert len(router.seen.tokens) == 500
    assert 0.1 < router.outlook.top_share <= 0.2


def test_too_little_traffic_is_refused():
    RouterModel.keep(small_router().dump(), {"objections": []}).activate()
    keep_lessons(20)

    with pytest.raises(CommandError, match="There are 20 feature rows .* at least 500"):
        calibrate("--max-loss", "0.02")


def test_without_a_router_the_border_of_the_score_is_calibrated():
    keep_scores([5] * 300 + [15] * 150 + [25] * 150)

    said = calibrate("--strong-share", "0.3", "--apply")

    assert "a highest score of 15 for" in said
    assert "leaves 25.0% [" in said
    borders = list(Tier.objects.values_list("max_score", flat=True))
    assert borders == [14, 15, None]


def test_without_a_router_nobody_predicts_quality():
    with pytest.raises(CommandError, match="nobody predicts quality"):
        calibrate("--max-loss", "0.02")
    with pytest.raises(CommandError, match="There are 0 scored requests"):
        calibrate("--strong-share", "0.3")
    with pytest.raises(CommandError, match="a number from 0 to 1"):
        calibrate("--strong-share", "30")


def test_a_scopes_own_router_is_calibrated_on_its_own_requests():
    own = RouterModel.keep(small_router().dump(), {"objections": []}, scope="local")
    own.activate()
    keep_lessons(520)
    Lesson.objects.filter(request_id__in=["r0", "r1"]).update(scope="key:1")

    said = calibrate("--strong-share", "0.2", "--scope", "local")

    assert said == calibrate("--strong-share", "0.2")  # it is the only one
    assert "on 518 stored requests" in said
    with pytest.raises(CommandError, match="No router is active"):
        calibrate("--max-loss", "0.02", "--scope", "key:1")


def test_a_file_s_options_without_the_file_are_refused():
    for option in ("--model", "--weak", "--strong"):
        with pytest.raises(CommandError, match="go with --data"):
            calibrate("--max-worse", "0.1", option, "x")
