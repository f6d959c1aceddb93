"""Forms and pages that renew themselves, where only a browser shows what they do."""

from pathlib import Path

import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from tests.operators import log_in, make_administrator

pytestmark = pytest.mark.browser


def test_a_double_click_makes_one_api_key_and_shows_its_secret(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page, said
):
    instance = Instance(tmp_path, threaded_upstream.url)
    held = []

    def hold(route):
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    with instance.serving() as url:
        make_administrator(instance)
        log_in(page, url)
        page.route("**/apikey/add/", hold)
        page.goto(f"{url}/admin/gateway/apikey/add/")
        page.locator("[name=name]").fill("app")
        save = page.get_by_role("button", name="Save", exact=True).bounding_box()
        middle = (save["x"] + save["width"] / 2, save["y"] + save["height"] / 2)
        with page.expect_request("**/apikey/add/"):
            page.mouse.click(*middle)
        page.mouse.click(*middle)
        held[0].continue_()
        page.wait_for_selector("text=sk-llmr-")
        title = page.title()

    assert len(held) == 1
    assert title.startswith("The key of app")
    assert said == []


def test_who_is_signed_out_is_told_that_the_dashboard_stands_still(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page, said
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        page.clock.install()
        log_in(page, url)
        page.locator("#live-note").wait_for()
        page.context.clear_cookies()
        page.clock.fast_forward(3_000)
        page.get_by_text("You were signed out").wait_for(timeout=15_000)

    assert said == []


def test_a_moment_in_a_list_stands_in_one_line(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page, said
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        log_in(page, url)
        page.set_viewport_size({"width": 1040, "height": 900})
        page.goto(f"{url}/admin/routing/price/")
        moment = page.locator("td.field-effective_from").first
        lines = moment.evaluate(
            "(cell) => { const range = document.createRange();"
            " range.selectNodeContents(cell); return range.getClientRects().length; }"
        )

    assert lines == 1
    assert said == []


def test_a_switch_shows_that_the_keyboard_is_at_it(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page, said
):
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        log_in(page, url)
        page.goto(f"{url}/admin/gateway/apikey/add/")
        page.locator("[name=max_tier]").focus()
        page.keyboard.press("Tab")
        switch = page.locator("[name=may_pin]:focus")
        outline = switch.evaluate("switch_ => getComputedStyle(switch_).outline")

    assert outline == "rgb(37, 99, 235) solid 2px"
    assert said == []
