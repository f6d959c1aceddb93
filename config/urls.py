"""URLs of the stock Django side: the admin. `/v1` lives in config/api_urls.py."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from gateway.admin.configuration import configuration_page, export_configuration
from gateway.admin.dashboard.attention import attention
from gateway.admin.dashboard.first_steps import make_tiers
from gateway.admin.dashboard.live import live
from gateway.admin.playground import playground, playground_stream
from gateway.admin.setup import setup, setup_link
from gateway.admin.what_if import MODELS, what_if

urlpatterns = [
    path("admin/setup/", setup, name="setup"),
    path("admin/setup/<slug:token>/", setup_link, name="setup_link"),
    path("admin/live/", live, name="live"),
    path("admin/attention/", attention, name="attention"),
    path("admin/playground/", playground, name="playground"),
    path("admin/playground/stream/", playground_stream, name="playground_stream"),
    path("admin/first-steps/tiers/", make_tiers, name="make_tiers"),
    path(
        "admin/configuration/",
        admin.site.admin_view(configuration_page),
        name="configuration",
    ),
    path(
        "admin/configuration/export/",
        admin.site.admin_view(export_configuration),
        name="configuration_export",
    ),
    *(
        path(f"admin/what-if/{model}/{rest}", what_if, {"model": model}, name)
        for model in MODELS
        for rest, name in (
            ("", f"what_if_{model}"),
            ("<path:object_id>/", f"what_if_{model}_row"),
        )
    ),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
handler404 = "gateway.api.not_found.not_found"
