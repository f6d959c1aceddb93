"""Two people, one row: the second is told what the first changed, on every page."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User

from routing.history_admin import UNSEEN
from tests.gateway.admin.changes import EDITABLE, change_url
from tests.gateway.admin.every_page import fill
from tests.routing.admin_forms import form_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", EDITABLE, ids=lambda model: model.__name__)
def test_whoever_saves_second_is_told_and_saves_nothing(admin_client, model):
    fill("plain")
    Group.objects.create(name="aaa")
    row = model.objects.order_by("pk").first()
    url = change_url(row)
    first, second = admin_client.get(url), admin_client.get(url)
    if model in (User, Group):  # told by the log of the admin
        assert admin_client.post(url, form_of(first)).status_code == 302
    else:
        row.save()
    entries = LogEntry.objects.count()

    seen = second.context["seen_version"]
    assert f'name="seen_version" value="{seen}"' in second.content.decode()
    refused = admin_client.post(url, form_of(second, seen_version=seen))

    assert refused.status_code == 200
    told = refused.context["adminform"].form.non_field_errors()
    assert told[0] == UNSEEN
    assert len(told) == 2
    assert LogEntry.objects.count() == entries


def test_a_change_of_a_role_is_told_with_its_author(admin_client):
    person = User.objects.create_user("ann", is_staff=True)
    url = change_url(person)
    first, second = admin_client.get(url), admin_client.get(url)
    admin_client.post(url, form_of(first, first_name="Ann"))

    mine = form_of(second, seen_version=second.context["seen_version"])
    refused = admin_client.post(url, mine | {"last_name": "Lee"})
    told = refused.context["adminform"].form.non_field_errors()
    again = {
        **mine,
        "last_name": "Lee",
        "seen_version": refused.context["seen_version"],
    }
    admin_client.post(url, again)

    assert "admin at " in told[1] and "Changed First name." in told[1]
    person.refresh_from_db()
    assert person.last_name == "Lee"
