"""The cache browser in a real browser, over a real instance."""

from pathlib import Path

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from tests.operators import ask, log_in, make_administrator

pytestmark = pytest.mark.browser
CONFIG = """
cache: {learn_aliases: true, judge: large, persist: true, ttl_sec: 3600}
"""
EGG = "How long should I boil an egg for a soft yolk?"
COOKED = "How long should I cook an egg for a soft yolk?"


def test_an_operator_looks_a_text_up_and_purges_an_answer(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page
):
    threaded_upstream.always = "say=NO"
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda line: line.type == "error" and said.append(line.text))
    instance = Instance(tmp_path, threaded_upstream.url, extra_config=CONFIG)
    with instance.serving() as url:
        make_administrator(instance)
        going = ask(url, EGG)
        ask(url, EGG)
        ask(url, "<img src=x onerror=alert(1)> Is 7 a prime number?")
        log_in(page, url)
        page.goto(f"{url}/admin/gateway/cacheentry/")
        listed = page.locator("#entries tbody tr").count()

        look = page.locator("section", has_text="Look up a text").first
        look.get_by_label("Text").fill(COOKED)
        look.get_by_label("Scope").fill("local")
        look.get_by_role("button", name="Look it up").click()
        near = page.locator("#near").inner_text()
        verdict = page.locator("#looked").inner_text()

        page.get_by_label(f"Choose {going}").check()
        page.get_by_role("button", name="Purge the chosen").click()
        asked = page.locator("#purges").inner_text()
        page.get_by_role("button", name="Purge", exact=True).click()
        page.get_by_text("Purged: within a second by every worker.").wait_for()
        left = page.locator("#entries tbody").inner_text()

        for theme, colours in (("light", "light"), ("dark", "dark")):
            page.emulate_media(color_scheme=colours)
            page.set_viewport_size({"width": 390, "height": 844})
            page.reload()
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, theme  # tables scroll in their own frame
        again = httpx.post(
            f"{url}/v1/chat/completions",
            json={"messages": [{"role": "user", "content": EGG}]},
        )

    assert listed == 2
    assert "no guard refuses" in near
    assert "Miss" in verdict
    assert going in asked
    assert going not in left
    assert again.headers["x-llm-router-cache"] == "MISS"
    assert said == []
