"""The groups that come with the gateway, and what each may do.

They are made anew after each `migrate`, so that a model of a later version belongs to
them as well; whoever wants other rules makes a group of another name.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission

OURS = ("routing", "gateway", "workflows_app")
PEOPLE = {("auth", "user"), ("auth", "group")}
ADMIN_LOG = ("admin", "logentry")
TEXTS = ("gateway", "requestcontent")
Rule = Callable[[str, str, str], bool]  # app, model, action


def viewer(app: str, model: str, action: str) -> bool:
    """Sees everything of the gateway but what was said, and changes nothing."""
    return app in OURS and action == "view" and (app, model) != TEXTS


def auditor(app: str, model: str, action: str) -> bool:
    """Sees also people and what they did, and takes the books away."""
    if action == "view":
        return app in OURS or (app, model) in (*PEOPLE, ADMIN_LOG)
    return app in OURS and action == "export"


def operator(app: str, model: str, action: str) -> bool:
    """Runs the gateway: everything but people."""
    return app in OURS


def owner(app: str, model: str, action: str) -> bool:
    """Everything, people included."""
    log = (app, model) == ADMIN_LOG and action == "view"
    return app in OURS or (app, model) in PEOPLE or log


ROLES: dict[str, Rule] = {
    "viewer": viewer,
    "auditor": auditor,
    "operator": operator,
    "owner": owner,
}


def make_roles(app_config: Any, using: str = "default", **_: Any) -> None:
    """After the last app's `post_migrate`: all permissions exist by then."""
    if app_config.label != list(apps.get_app_configs())[-1].label:
        return
    every = Permission.objects.using(using).select_related("content_type")
    found = [(one, *parts(one)) for one in every]
    for name, rule in ROLES.items():
        group, _created = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set([one for one, *what in found if rule(*what)])


def parts(permission: Permission) -> tuple[str, str, str]:
    """App, model and action; `export_requestlog` is the action "export"."""
    kind = permission.content_type
    action = permission.codename.removesuffix(f"_{kind.model}")
    return kind.app_label, kind.model, action
