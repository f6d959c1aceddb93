"""Preview as an operator sees it: a progress bar, a result, and the form untouched."""

from pathlib import Path

import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from tests.operators import ask, log_in, make_administrator

pytestmark = pytest.mark.browser


def test_a_preview_comes_into_the_page_and_the_form_stays_as_typed(
    threaded_upstream: ThreadedFaultLLM,
    tmp_path: Path,
    page,
):
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: line.type == "error" and said.append(line.text))
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        for number in range(5):
            ask(url, f"Analyze step by step: case {number}")
        instance.wait_for_requests(5)
        log_in(page, url)
        page.goto(f"{url}/admin/routing/tier/")
        page.locator("#result_list tbody a").first.click()
        border = page.get_by_label("Max score")
        border.fill("10")
        page.get_by_role("spinbutton", name="Days").fill("3")
        page.get_by_role("button", name="Preview").click()
        result = page.locator("#what-if-result")
        result.get_by_text("5 would change").wait_for()

        told = result.inner_text()
        assert "would change" in told
        assert "as it was decided" in told
        assert "Not replayed: budgets near their end; hits by learned aliases" in told
        assert page.locator("#what-if-status").inner_text() == "Done."
        assert border.input_value() == "10"
        rows = instance.query("SELECT max_score FROM routing_tier WHERE rank = 1")
        assert rows == [(30,)]

        border.fill("999")
        page.get_by_role("button", name="Preview").click()
        result.get_by_role("alert").wait_for()
    assert said == []
