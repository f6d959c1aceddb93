"""S14, S15, S38: every page in a real browser, whatever strangers wrote in rows."""

import json
from pathlib import Path

import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.gateway.admin.every_page import POLYGLOT
from tests.gateway.admin.widths import outside
from tests.instance import Instance
from tests.operators import ask, log_in, make_administrator

pytestmark = pytest.mark.browser

FILL = f"""
from tests.gateway.admin.every_page import fill, map_urls, page_urls
from routing.models import Backend, Tier
import json
Backend.objects.all().delete()
Tier.objects.all().delete()
fill({POLYGLOT!r})
print(json.dumps(page_urls() + map_urls()))
"""
OWN = (
    *("/admin/?days=30", "/admin/?by=tag&show=requests", "/admin/?by=key&show=latency"),
    *("/admin/configuration/", "/admin/playground/"),
)
UNNAMED = """
() => ["input", "select", "textarea", "button"]
  .flatMap((name) => [...document.querySelectorAll("main " + name)])
  .filter((e) => e.type !== "hidden" && e.offsetParent !== null)
  .filter((e) => !(e.labels && e.labels.length) && !e.getAttribute("aria-label")
    && !e.textContent.trim() && !e.title)
  .map((e) => e.outerHTML.slice(0, 120))
"""


def test_hostile_text_in_every_field_runs_on_no_page_and_widens_none(
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
        broken, wide = [], []
        for path in (*urls, *OWN):
            status = page.goto(url + path, wait_until="load").status
            if status not in (200, 403):  # nobody adds what the gateway writes
                broken.append(path)
            wide += outside(page)
        page.wait_for_timeout(200)

    assert len(urls) > 80
    assert said == []
    assert broken == []
    assert wide == []


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
        instance.wait_for_requests(1)
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
        for answer in (1, 2):
            finished = f".playground-answer:nth-child({answer}) a"
            page.wait_for_selector(finished, timeout=15_000)
        texts = page.locator(".dash-text").all_inner_texts()

    assert before != after
    assert all(texts)
    assert said == []


def test_the_chart_over_time_is_chosen_by_links_without_any_script(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        ask(url, "What is the capital of France?")
        instance.wait_for_requests(1)
        context = page.context.browser.new_context(java_script_enabled=False)
        plain = context.new_page()
        log_in(plain, url)
        plain.get_by_role("link", name="7 days").click()
        split = plain.get_by_role("navigation", name="What to split it by")
        split.get_by_role("link", name="Tier", exact=True).click()
        measures = plain.get_by_role("navigation", name="What to show")
        measures.get_by_role("link", name="Requests", exact=True).click()

        chart = plain.get_by_role("img", name="Requests over time, by tier")
        said = chart.locator("title").all_text_contents()
        plain.get_by_text("This chart as a table").click()
        table = plain.get_by_role("region", name="Requests over time, by tier").last
        told = table.locator("tbody tr").all_inner_texts()
        period = plain.get_by_role("navigation", name="Period")
        current = period.locator("[aria-current]").inner_text()

    assert len(said) == 7
    # By itself, the day before when midnight has come since.
    counted = [title for title in said if title.endswith(": 1 - tier-1 1")]
    assert counted in ([said[-1]], [said[-2]])
    assert [row.split("\t")[1:] for row in told].count(["1"]) == 1
    assert current == "7 days"


def test_what_needs_attention_comes_and_goes_while_the_page_is_open(
    threaded_upstream: ThreadedFaultLLM,
    tmp_path: Path,
    page,
    said,
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        page.clock.install()
        log_in(page, url)
        notices = page.locator("#notices")
        assert "Open mode" in notices.inner_text()
        made = instance.manage("create_key", "app")
        assert made.returncode == 0, made.stderr
        page.clock.fast_forward(31_000)
        notices.get_by_text("Open mode").wait_for(state="hidden", timeout=15_000)

    assert said == []
