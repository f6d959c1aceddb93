"""Somebody who runs an instance, by Chromium or by hand."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.instance import Instance
from tests.required import missing

NAME, PASSWORD = "operator", "a long enough secret"


def make_administrator(instance: Instance) -> None:
    done = instance.manage(
        "shell",
        "-c",
        "from django.contrib.auth.models import User;"
        f"User.objects.create_superuser({NAME!r}, '', {PASSWORD!r})",
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def chromium_page() -> Iterator:
    """Skips where there is no Chromium, unless services are required."""
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def complaints(page) -> list[str]:
    """What the browser is about to say: dialogs, scripts, refusals by the policy."""
    heard: list[str] = []
    page.on("dialog", lambda one: (heard.append(one.message), one.dismiss()))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on(
        "console",
        lambda line: "Security Policy" in line.text and heard.append(line.text),
    )
    return heard


def log_in(page, url: str) -> None:
    page.goto(f"{url}/admin/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("#login-form [type=submit]").click()
    page.wait_for_url(f"{url}/admin/")


def log_in_without_browser(client: httpx.Client) -> str:
    """The token that its forms need."""
    client.get("/admin/login/")
    given = {
        "username": NAME,
        "password": PASSWORD,
        "csrfmiddlewaretoken": client.cookies["csrftoken"],
    }
    assert client.post("/admin/login/?next=/admin/", data=given).status_code == 302
    return client.cookies["csrftoken"]


def ask(url: str, text: str) -> str:
    body = {"messages": [{"role": "user", "content": text}]}
    reply = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=20)
    assert reply.status_code == 200
    return reply.headers["x-request-id"]
