"""What needs a hand, in sentences with a link to where it is mended."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from gateway.admin.overview import near_end
from gateway.asgi.context import runtime_of
from gateway.models import ApiKey
from gateway.runtime import snapshot as snapshots
from gateway.runtime.checks import InvalidConfiguration
from gateway.runtime.runtime import Runtime
from routing.counting import counted
from routing.models import Backend, RouterModel
from routing.retirements import Ending, endings
from routing.review import misconfiguration, price_in_effect, tiers_without_backend

MOST_BUDGETS, MOST_ROUTERS = 10, 5  # told on the first page
KEPT = {
    "max_loss": "loss of quality",
    "top_share": "share of the top tier",
    "max_worse": "share of worse answers among those of cheaper tiers",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """`grave`: something does not work, or is being lost."""

    text: str
    link: str = ""
    link_text: str = ""
    grave: bool = False


def notices(request: HttpRequest) -> list[Notice]:
    """Those that are grave first; none for who may not see what they name."""
    if not request.user.has_perm("routing.view_backend"):
        return []
    runtime = runtime_of(request)
    found = notices_of_process(runtime) if runtime else notices_of_refusal()
    return sorted([*found, *notices_of_rows()], key=lambda notice: not notice.grave)


def notices_of_process(runtime: Runtime) -> Iterator[Notice]:
    """What only the running process knows."""
    backends = reverse("admin:routing_backend_changelist")
    for sentence in runtime.trouble():
        # Each backend without a price has a line of its own, with a link.
        if sentence != runtime.snapshot.without_price:
            yield Notice(sentence, grave=True)
    if lost := runtime.books.unrecorded:
        told = counted(lost, "record")
        text = f"The disk was full: {told} could not be kept."
        yield Notice(text, grave=True)
    for row in runtime.pool.status(runtime.snapshot.catalog):
        if row["status"] == "down":
            text = f"{row['name']} is down. {row['reason']}"
            yield Notice(text, backends, "See the backends", grave=True)


def notices_of_refusal() -> Iterator[Notice]:
    try:
        snapshots.build(timezone.now())
    except InvalidConfiguration as error:
        yield Notice(
            f"What is stored now is refused, and the last good state serves: {error}",
            reverse("admin:routing_tier_changelist"),
            "See the tiers",
            grave=True,
        )


def notices_of_rows() -> Iterator[Notice]:
    if not ApiKey.objects.exists():
        yield Notice(
            "Open mode: there is no API key yet, so every program on this machine may "
            "use the gateway, and no other machine can.",
            reverse("admin:gateway_apikey_add"),
            "Create a key",
        )
    for sentence in islice(near_end(timezone.now()), MOST_BUDGETS):
        link = reverse("admin:gateway_spendday_changelist")
        yield Notice(sentence, link, "See the spending")
    yield from notices_of_routers()
    backends = Backend.objects.exclude(state=Backend.State.DISABLED)
    backends = backends.prefetch_related("prices")
    for ending in endings(backends, timezone.now().date()):
        yield notice_of(ending)
    if not backends:
        add = reverse("admin:routing_backend_add")
        yield Notice("No backend is enabled.", add, "Add a backend", grave=True)
    for backend in backends:
        yield from notices_of(backend)
    for tier in tiers_without_backend():
        yield Notice(
            f"Tier {tier} has no enabled backend: its requests go to a higher tier.",
            reverse("admin:routing_backend_changelist"),
            "See the backends",
        )


def notice_of(ending: Ending) -> Notice:
    """A day that nobody has confirmed is looked up before a model is given up."""
    text = ending.sentence(timezone.now().date())
    if not ending.confirmed:
        row = reverse("admin:routing_retirement_change", args=(ending.told.pk,))
        return Notice(text, row, "See where it is said")
    backend = reverse("admin:routing_backend_change", args=(ending.backend.pk,))
    return Notice(text, backend, "Choose another model")


def notices_of_routers() -> Iterator[Notice]:
    policy = reverse("admin:routing_routingpolicy_changelist")
    active = RouterModel.objects.filter(status=RouterModel.Status.ACTIVE)
    routers = list(active.defer("data").order_by("scope")[:MOST_ROUTERS])
    for router in routers:
        yield Notice(outlook_of(router), policy, "Change its target")
    if any(not router.scope for router in routers):
        return
    where = "Elsewhere the" if routers else "The"
    yield Notice(
        f"{where} router is untrained: the heuristic score decides, which sends most "
        "short prompts to tier 1.",
        policy,
        "Set thresholds or a cold start",
    )


def outlook_of(router: RouterModel) -> str:
    """What the router that decides is expected to do, by today's prices and target."""
    try:
        brain = snapshots.build(timezone.now()).catalog.brain
    except InvalidConfiguration:
        brain = None
    brain = brain and brain.of(router.scope)
    if brain is None or not brain.router or brain.router.version != router.version:
        return f"{router} is active but can't be used: the heuristic decides."
    seen, target = brain.router.outlook, brain.router.target
    kept = KEPT[target.kind]
    return (
        f"{router} decides. Its target is a {kept} of at most {target.value:.1%}; on "
        f"the requests it was measured with that means {seen.top_share:.1%} to the "
        f"top tier, {seen.loss:.1%} of the quality lost and {seen.cost:.1%} of the "
        "top tier's cost."
    )


def notices_of(backend: Backend) -> Iterator[Notice]:
    edit = reverse("admin:routing_backend_change", args=(backend.pk,))
    if problem := misconfiguration(backend, os.environ):
        text = f"{backend} is misconfigured. {problem}"
        yield Notice(text, edit, "Mend it", grave=True)
    if price_in_effect(backend, timezone.now()) is None:
        yield Notice(
            f"{backend} has no price: what it costs is missing from every sum.",
            edit,
            "Add a price",
        )
