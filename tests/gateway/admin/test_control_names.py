"""What a screen reader calls the controls of each page."""

from html.parser import HTMLParser

import pytest
from django.urls import reverse

from routing.models import Backend
from tests.gateway.admin.every_page import fill, page_urls

pytestmark = pytest.mark.django_db


class Controls(HTMLParser):
    """A control is named by a label, `aria-label`, or what stands in it."""

    def __init__(self) -> None:
        super().__init__()
        self.labelled: set[str] = set()
        self.controls: list[dict[str, str]] = []
        self.within_label = 0

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "label":
            self.within_label += 1
            self.labelled.add(given.get("for", ""))
        if tag in ("input", "select", "textarea") and not self.within_label:
            self.controls.append(given)

    def handle_endtag(self, tag):
        self.within_label -= tag == "label"

    def unnamed(self) -> list[str]:
        return [
            one.get("name", "")
            for one in self.controls
            if one.get("type") not in ("hidden", "submit", "button")
            and one.get("id") not in self.labelled
            and not one.get("aria-label")
            and not one.get("placeholder")
        ]


def controls_of(html: str) -> Controls:
    found = Controls()
    found.feed(html)
    return found


def test_every_control_of_every_page_has_a_name(admin_client):
    fill("plain")

    pages = {url: admin_client.get(url).content.decode() for url in page_urls()}
    unnamed = {url: controls_of(html).unnamed() for url, html in pages.items()}

    assert {url: names for url, names in unnamed.items() if names} == {}


def test_a_control_of_a_list_is_named_after_its_row(admin_client):
    fill("plain")
    Backend.objects.update(name="haiku")

    page = admin_client.get(reverse("admin:routing_backend_changelist"))
    found = controls_of(page.content.decode()).controls

    (state,) = [one for one in found if one.get("name") == "form-0-state"]
    assert state["aria-label"] == "State of haiku"
