"""A row of everything the admin shows."""

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core import serializers

from gateway.roles import OURS


def stored() -> str:
    """Everything of ours and all people, as text; who logged in when left out."""
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    rows = [row for model in models for row in model._default_manager.order_by("pk")]
    people = User.objects.order_by("pk").values_list("username", "is_superuser", "pk")
    groups = [
        (group.name, sorted(group.permissions.values_list("codename", flat=True)))
        for group in Group.objects.order_by("name")
    ]
    return serializers.serialize("json", rows) + repr(list(people)) + repr(groups)
