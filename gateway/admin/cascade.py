"""The pages of the policy and of intents, with what a cascade would come to."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from gateway.cascade_outlook import outlook, outlook_of
from gateway.runtime import snapshot as snapshots
from gateway.runtime.checks import InvalidConfiguration
from routing.intent_admin import IntentAdmin
from routing.models import Intent, RoutingPolicy
from routing.policy_admin import RoutingPolicyAdmin

admin.site.unregister([RoutingPolicy, Intent])

NOTHING_KEPT = (
    "No request was kept that this intent leads: set the policy's learning to watch, "
    "and look again after some traffic."
)


@admin.register(RoutingPolicy)
class PolicyAdmin(RoutingPolicyAdmin):
    readonly_fields = ("expectation",)

    def get_fieldsets(
        self, request: HttpRequest, obj: RoutingPolicy | None = None
    ) -> list[tuple[str | None, dict[str, object]]]:
        return [
            (name, {**options, "fields": ("expectation", *options["fields"])})
            if name == "Cascade"
            else (name, options)
            for name, options in super().get_fieldsets(request, obj)
        ]

    @admin.display(description="Expected")
    def expectation(self, policy: RoutingPolicy) -> str:
        """With the band and check that are saved, whether it is on or not."""
        try:
            catalog = snapshots.build(timezone.now()).catalog
        except InvalidConfiguration as error:
            return str(error)
        return str(outlook(catalog))


@admin.register(Intent)
class KindAdmin(IntentAdmin):
    readonly_fields = ("expectation",)

    @admin.display(description="Expected of its cascade")
    def expectation(self, intent: Intent) -> str:
        """With the check that is saved, whether its cascade is on or not."""
        if intent.pk is None or not intent.active:
            return "Save it as active first: what it leads is reckoned from the log."
        try:
            catalog = snapshots.build(timezone.now()).catalog
            return str(outlook_of(intent, catalog) or NOTHING_KEPT)
        except (InvalidConfiguration, ValueError) as error:
            return str(error)
