"""S14, S15, S38: every page in a real browser, whatever strangers wrote in rows."""

import json
from pathlib import Path

import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.gateway.admin import test_cache_browser_in_chromium as chromium
from tests.gateway.admin.test_cache_browser_in_chromium import (
    ask,
    log_in,
    make_administrator,
)
from tests.instance import Instance

pytestmark = pytest.mark.browser
page = chromium.page

POLYGLOT = (  # as long as the shortest field that takes it whole
    "jaVasCript:alert(1)//\"'><svg/onload=alert(2)><script>alert(3)</script>"
    "</textArea></titLe>{{7*7}}"
)
FILL = f"""
from tests.gateway.admin.every_page import fill, page_urls
from routing.models import Backend, Tier
import json
Backend.objects.all().delete()
Tier.objects.all().delete()
fill({POLYGLOT!r})
print(json.dumps(page_urls()))
"""
OWN = ("/admin/?days=30", "/admin/configuration/", "/admin/playground/")
UNNAMED = """
() => ["input", "select", "textarea", "button"]
  .flatMap((name) => [...document.querySelectorAll("main " + name)])
  .filter((e) => e.type !== "hidden" && e.offsetParent !== null)
  .filter((e) => !(e.labels && e.labels.length) && !e.getAttribute("aria-label")
    && !e.textContent.trim() && !e.title)
  .map((e) => e.outerHTML.slice(0, 120))
"""


@pytest.fixture
def said(page) -> list[str]:
    """Whatever the browser complains of: dialogs, scripts, refusals by the policy."""
    heard: list[str] = []
    page.on("dialog", lambda one: (heard.append(one.message), one.dismiss()))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on(
        "console",
        lambda line: "Security Policy" in line.text and heard.append(line.text),
    )
    return heard


def test_hostile_text_in_every_field_runs_on_no_page(
    threaded_upstream: ThreadedFaultLLM,
    tmp_path: Path,
    page,
    said,
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        # The gateway refuses these rows and serves on; the pages show them.
        filled = instance.manage("shell", "-v0", "-c", FILL)
        assert filled.returncode == 0, filled.stderr
        urls = json.loads(filled.stdout.splitlines()[-1])
        log_in(page, url)
        for path in (*urls, *OWN):
            page.goto(url + path, wait_until="load")
        page.wait_for_timeout(200)

    assert len(urls) > 80
    assert said == []


def test_own_pages_fit_a_phone_in_dark_and_light_and_name_their_controls(
    threaded_upstream: ThreadedFaultLLM,
    tmp_path: Path,
    page,
    said,
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        ask(url, "What is the capital of France?")
        log_in(page, url)
        page.goto(f"{url}/admin/gateway/requestlog/")
        request = page.locator("#result_list tbody a").first.get_attribute("href")
        history = page.request.get(f"{url}/admin/routing/backend/1/history/")
        assert history.ok
        colours = set()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for path in (*OWN, request, "/admin/routing/backend/1/history/"):
                page.set_viewport_size({"width": 390, "height": 800})
                page.goto(url + path)
                width = page.evaluate("document.documentElement.scrollWidth")
                assert width <= 390, path
                assert page.evaluate(UNNAMED) == [], path
                for picture in page.locator("svg[role=img]").all():
                    assert picture.get_attribute("aria-label")
            colours.add(page.evaluate("getComputedStyle(document.body).color"))

    assert len(colours) == 2
    assert said == []


def test_the_dashboard_renews_itself_and_the_playground_streams(
    threaded_upstream: ThreadedFaultLLM,
    tmp_path: Path,
    page,
    said,
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        log_in(page, url)
        step = page.locator("[data-step='5']")
        assert step.get_attribute("data-done") == "no"
        before = page.locator("#live tbody tr", has_text="small").inner_text()
        ask(url, "What is the capital of France?")
        page.wait_for_selector("[data-step='5'][data-done='yes']", timeout=15_000)
        after = page.locator("#live tbody tr", has_text="small").inner_text()

        page.goto(f"{url}/admin/playground/")
        page.get_by_label("Prompt", exact=True).fill("Hello")
        page.get_by_label("Beside it").fill("tier-3")
        page.keyboard.press("Enter")  # by keyboard alone: the first button, a dry run
        page.get_by_role("region", name="Candidates for auto").wait_for()
        page.get_by_role("button", name="Send").press("Enter")
        page.wait_for_selector(".playground-answer:nth-child(2) a", timeout=15_000)
        texts = page.locator(".playground-text").all_inner_texts()

    assert before != after
    assert all(texts)
    assert said == []
