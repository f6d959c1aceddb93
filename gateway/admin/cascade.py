"""The policy's page, with what a cascade would come to."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from gateway.cascade_outlook import outlook
from gateway.runtime import snapshot as snapshots
from gateway.runtime.snapshot import InvalidConfiguration
from routing.admin import RoutingPolicyAdmin
from routing.models import RoutingPolicy

admin.site.unregister(RoutingPolicy)


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
