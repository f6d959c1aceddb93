"""Pages that change a row."""

from django.contrib import admin
from django.urls import reverse

from gateway.models import CachePurge
from routing.models import Price
from routing.read_only_admin import ReadOnlyAdmin

# Written once, by forms that only add.
NEVER_EDITED = {CachePurge, Price}


EDITABLE = [
    model
    for model, page in admin.site._registry.items()
    if not isinstance(page, ReadOnlyAdmin) and model not in NEVER_EDITED
]


def change_url(row) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.pk,))
