"""The promise of `manage.py calibrate --max-worse`, from rows or from a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from gateway.runtime import snapshot as snapshots
from gateway.runtime.checks import InvalidConfiguration
from routing.management.model_file import find_model
from routing.management.tables import need_tables
from routing.models import RouterModel, RoutingPolicy

if TYPE_CHECKING:
    from routing.learned.promise import Judged, Promise
    from routing.learned.router import Router


def calibrate(options: dict[str, Any], out: OutputWrapper) -> None:
    """Show the promise, or refuse and say what is missing."""
    if not 0 < options["max_worse"] < 1 or not 0 < options["confidence"] < 1:
        raise CommandError("--max-worse and --confidence lie between 0 and 1.")
    if options["data"]:
        if options["apply"]:
            raise CommandError("--apply is for judgements of your own traffic.")
        tell(on_data(options), out)
        return
    need_tables("there is no judgement of an answer yet")
    router = active_router(options["scope"])
    found = on_rows(router, options["max_worse"], options["confidence"])
    tell(found, out)
    if not options["apply"]:
        out.write("Nothing is changed. Add --apply to make it the policy.")
        return
    RouterModel.objects.get(version=router.version).give(found.as_json())
    policy = RoutingPolicy.load()
    policy.learned_target = "max_worse"
    policy.learned_target_value = options["max_worse"]
    policy.save(update_fields=["learned_target", "learned_target_value"])
    out.write("It is the policy now.")


def active_router(scope: str) -> "Router":
    try:
        brain = snapshots.build(timezone.now()).catalog.brain
    except InvalidConfiguration as error:
        raise CommandError(str(error)) from None
    brain = brain and brain.named(scope)
    if brain is None or brain.router is None:
        raise CommandError(
            "No router is active, so nobody predicts quality. Train one "
            "(manage.py train_router)."
        )
    return brain.router


def on_rows(router: "Router", limit: float, confidence: float) -> "Promise":
    """From stored judgements. Tiers are told by their rank from here on."""
    from routing.judged import stored

    baseline = router.baseline
    columns = router.columns
    if baseline not in columns:
        raise CommandError(
            f"The router knows no tier {baseline}, the baseline that answers are "
            "compared with."
        )
    judged = stored(router.model, columns, baseline)
    names = {router.model.tiers[place]: str(rank) for rank, place in columns.items()}
    return promised(judged, router.model, columns[baseline], limit, confidence, names)


def on_data(options: dict[str, Any]) -> "Promise":
    """From a file's lines, which the router must not have been trained on."""
    from routing.judged import from_lines
    from routing.learned.dataset import BadLine, read
    from routing.learned.pairs import UnknownTier, place_of

    path: Path = options["data"]
    model = find_model(options["model"])
    try:
        baseline = options["strong"] or model.pair[1]
        place = place_of(baseline, model)
        cheap = [tier for tier in model.tiers if tier != baseline]
        if weak := options["weak"]:
            cheap = [model.tiers[place_of(weak, model)]]
        if baseline in cheap:
            raise UnknownTier("The weak and the strong tier must be two.")
        judged = from_lines(read(path, labelled=True), model, cheap, baseline)
    except BadLine as error:
        raise CommandError(f"{path}: {error}") from None
    except (UnknownTier, OSError) as error:
        raise CommandError(str(error)) from None
    names = {tier: tier for tier in model.tiers}
    limit, confidence = options["max_worse"], options["confidence"]
    return promised(judged, model, place, limit, confidence, names)


def promised(
    judged: "list[Judged]",
    model: Any,
    baseline: int,
    limit: float,
    confidence: float,
    names: dict[str, str],
) -> "Promise":
    from routing.learned.promise import promise

    if not judged:
        raise CommandError(
            "There is no paired judgement of a cheaper tier and the baseline."
        )
    held_out = model.sample.astype(float)
    gain = held_out[:, [baseline]] - held_out
    found = promise(
        judged, gain, model.tiers, model.tiers[baseline], limit, confidence
    ).named(names)
    if not found.borders:
        reasons = " ".join(str(each) for each in found.shortfalls)
        raise CommandError(
            f"It can't be promised that at most {limit:.1%} are worse. {reasons}"
        )
    return found


def tell(promise: "Promise", out: OutputWrapper) -> None:
    out.write(
        f"With {promise.confidence:.0%} confidence at most {promise.limit:.1%} of the "
        f"requests below tier {promise.baseline} are answered worse than there:"
    )
    for each in promise.borders:
        out.write(
            f"  tier {each.tier}: while the gain is at most {each.threshold:.4f}; "
            f"{each.worse} of {each.judged} judged were worse, at most "
            f"{each.bound:.2%} are; {each.share:.1%} of the judged requests."
        )
    for shortfall in promise.shortfalls:
        out.write(f"  {shortfall}")
