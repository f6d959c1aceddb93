"""Workflows as an operator sees them: edited, drawn, started, watched, done again."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from tests.operators import log_in, make_administrator

pytestmark = pytest.mark.browser

PANEL = """\
inputs: [topic]
end_ops: [judge]
ops:
  pro:
    template: "For {{inputs.topic}}: {{input}}"
    tier: 1
  contra:
    template: "Against {{inputs.topic}}: {{input}}"
    tier: 1
    cache: "off"
  judge:
    prompt: Judge.
    tier: 2
    input_ops: [pro, contra]
"""
SUCCEEDED, FAILED, RUNNING = "#16a34a", "#dc2626", "#2563eb"
STORE = f"""
from workflows_app.models import Workflow
row = Workflow(name="panel", text={PANEL!r})
row.full_clean()
row.save()
"""


@pytest.fixture
def said(page) -> list[str]:
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda line: line.type == "error" and heard.append(line.text))
    return heard


@pytest.fixture
def url(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page, said
) -> Iterator[str]:
    """An instance with one workflow and somebody at its admin."""
    instance = Instance(tmp_path, threaded_upstream.url)
    with instance.serving() as url:
        make_administrator(instance)
        stored = instance.manage("shell", "-v0", "-c", STORE)
        assert stored.returncode == 0, stored.stderr
        log_in(page, url)
        yield url
    assert said == []


def run(url: str, text: str) -> int:
    body = {"workflow": "panel", "input": text, "inputs": {"topic": "cats"}}
    return httpx.post(f"{url}/v1/workflows", json=body, timeout=20).status_code


def open_run(page, url: str, number: int) -> None:
    page.goto(f"{url}/admin/workflows_app/workflowrun/{number}/change/")


def fits_a_phone(page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_workflow_is_checked_and_drawn_while_it_is_typed(page, url):
    page.goto(f"{url}/admin/workflows_app/workflow/")
    page.get_by_role("link", name="panel").first.click()
    text = page.get_by_label("Text")
    picture = page.get_by_role("img", name="Graph of the ops")
    picture.get_by_text("judge", exact=True).wait_for()

    text.fill(PANEL.replace("prompt:", "promt:"))
    problem = page.locator("#workflow-problem")
    problem.get_by_text("unknown field").wait_for()
    assert page.locator(".workflow-wrong").inner_text() == "12"
    assert text.get_attribute("aria-invalid") == "true"
    problem.get_by_role("button", name="Line 12").click()
    chosen = "t => t.value.slice(t.selectionStart, t.selectionEnd)"
    assert text.evaluate(chosen).strip() == "promt: Judge."

    text.fill(PANEL.replace("[pro, contra]", "[pro, contrary]"))
    problem.get_by_text('did you mean "contra"?').wait_for()
    assert page.locator(".workflow-wrong").inner_text() == "14"

    text.fill(PANEL.replace("judge", "verdict"))
    picture.get_by_text("verdict", exact=True).wait_for()
    assert page.locator("#workflow-check td", has_text="verdict").count() >= 1
    assert problem.inner_text() == ""
    assert page.locator(".workflow-wrong").count() == 0
    fits_a_phone(page)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()


def test_a_run_is_started_by_its_inputs_after_its_cost_was_shown(
    page, url, threaded_upstream
):
    page.goto(f"{url}/admin/workflows_app/workflow/")
    page.get_by_role("link", name="panel").first.click()
    page.get_by_role("link", name="Run it").click()
    page.get_by_label("Input", exact=True).fill("Are they better?")
    page.get_by_label("topic").fill("cats")
    assert page.get_by_role("button", name="Start the run").count() == 0
    page.get_by_role("button", name="Show the plan and its cost").click()
    page.get_by_text("expected").wait_for()
    assert threaded_upstream.attempts == []
    fits_a_phone(page)

    page.get_by_role("button", name="Start the run").click()
    page.get_by_text("starts within a second").wait_for()
    page.get_by_text("succeeded: 3 of 3 ops have ended").wait_for()

    sent = {a.body["messages"][0]["content"] for a in threaded_upstream.attempts}
    assert "For cats: Are they better?" in sent


def test_a_failed_run_is_drawn_explained_resumed_and_done_again(
    page, url, threaded_upstream
):
    threaded_upstream.script = ["ok", "ok", "status-400"]
    assert run(url, "Are they?") == 502

    graph = page.get_by_role("group", name="Graph of the ops")
    reload_until(page, url, graph.get_by_role("link"))
    assert graph.locator(f"rect[stroke='{SUCCEEDED}']").count() == 2
    assert graph.locator(f"rect[stroke='{FAILED}']").count() == 1
    for fact in ("tier 1, small", "$0."):
        assert graph.get_by_text(fact).count() >= 2
    axis = page.get_by_role("img", name="The ops on a time axis")
    assert axis.locator("rect").count() == 3
    assert 1 <= axis.locator("rect[stroke]").count() < 3  # the critical path
    fits_a_phone(page)

    graph.get_by_role("link").first.click()
    page.wait_for_url("**/gateway/requestlog/**")
    open_run(page, url, 1)
    page.get_by_role("button", name="Resume where it failed").click()
    page.get_by_text("goes on within a second").wait_for()
    threaded_upstream.wait_until(lambda: threaded_upstream.total == 4)
    wait_for_end(page, url)
    assert page.locator(f"svg rect[stroke='{SUCCEEDED}']").count() == 3

    page.get_by_label("or from this op on").select_option("contra")
    page.get_by_role("button", name="Run again", exact=True).click()
    threaded_upstream.wait_until(lambda: threaded_upstream.total == 6)
    wait_for_end(page, url)
    asked = [a.body["messages"][0]["content"] for a in threaded_upstream.attempts]
    assert sum(each.startswith("For cats") for each in asked) == 1


def wait_for_end(page, url: str) -> None:
    again = page.get_by_role("button", name="Run again from the start")
    reload_until(page, url, again)


def reload_until(page, url: str, wanted) -> None:
    for _ in range(100):
        open_run(page, url, 1)
        if wanted.count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"There is no {wanted} within 10 seconds.")


def test_a_run_under_way_is_cancelled(page, url, threaded_upstream):
    threaded_upstream.always = "hold"
    body = {"workflow": "panel", "input": "x", "inputs": {"topic": "cats"}}
    httpx.post(f"{url}/v1/workflows", json={**body, "mode": "background"}, timeout=20)
    threaded_upstream.wait_until(lambda: threaded_upstream.holding == 2)

    open_run(page, url, 1)
    page.get_by_role("button", name="Cancel").click()

    page.get_by_text("ends within a second").wait_for()
    threaded_upstream.wait_until(lambda: threaded_upstream.holding == 0)
    wait_for_end(page, url)


def test_a_run_under_way_is_watched_without_reloading(page, url, threaded_upstream):
    threaded_upstream.always = "hold"
    body = {"workflow": "panel", "input": "x", "inputs": {"topic": "cats"}}
    httpx.post(f"{url}/v1/workflows", json={**body, "mode": "background"}, timeout=20)
    threaded_upstream.wait_until(lambda: threaded_upstream.holding == 2)
    open_run(page, url, 1)
    note = page.locator("#run-note")
    note.get_by_text("0 of 3 ops have ended").wait_for()
    note.get_by_text("under way: pro, contra").wait_for()
    live = page.locator("#run-live")
    bars = page.get_by_role("img", name="The ops on a time axis").locator("rect")
    assert live.locator(f"rect[stroke='{RUNNING}']").count() == 2
    assert bars.count() == 2
    page.evaluate("window.stayed = true")

    threaded_upstream.release()
    threaded_upstream.wait_until(lambda: threaded_upstream.holding == 1)
    note.get_by_text("2 of 3 ops have ended").wait_for()
    note.get_by_text("under way: judge").wait_for()
    assert live.locator(f"rect[stroke='{RUNNING}']").count() == 1
    assert live.locator(f"rect[stroke='{SUCCEEDED}']").count() == 2
    assert bars.count() == 3
    story = live.get_by_role("link").first
    story.focus()
    threaded_upstream.release()

    page.get_by_role("button", name="Run again from the start").wait_for()
    note.get_by_text("succeeded: 3 of 3 ops have ended, $0.").wait_for()
    assert live.locator(f"rect[stroke='{SUCCEEDED}']").count() == 3
    assert page.locator("#workflowrun_form").get_by_text("Succeeded").count() == 1
    assert page.get_by_role("button", name="Cancel").count() == 0
    # Nothing was loaded anew: who stood on a link stands there still.
    assert page.evaluate("window.stayed")
    assert story.evaluate("link => link === document.activeElement")
    fits_a_phone(page)


def test_runs_are_filtered_and_two_are_compared(page, url, threaded_upstream):
    assert run(url, "First?") == 200
    assert run(url, "Second?") == 200
    threaded_upstream.always = "status-400"
    assert run(url, "Third?") == 502
    runs = f"{url}/admin/workflows_app/workflowrun/"

    def shown(query: str) -> int:
        page.goto(runs + query)
        return page.locator("#result_list tbody tr").count()

    for _ in range(100):  # a run is written down beside its answer
        if shown("?status__exact=failed") == 1:
            break
        page.wait_for_timeout(100)
    assert shown("?status__exact=failed") == 1
    assert shown("") == 3
    assert shown("?workflow=panel") == 3
    assert shown("?cost=1") == 0
    assert shown("?when=hour") == 3
    assert shown("?when=2000-01-01") == 0
    shown("?status__exact=succeeded")
    for box in page.locator("input[name=_selected_action]").all():
        box.check()
    page.locator("select[name=action]").select_option("compare")
    page.get_by_role("button", name="Run", exact=True).click()

    page.get_by_text("First's output").wait_for()
    for fact in ("panel 1", "judge", "succeeded, tier 2, medium"):
        assert page.get_by_text(fact).count() >= 1
    fits_a_phone(page)


def test_who_leaves_the_editor_is_asked_about_what_was_typed(url: str, page):
    page.goto(f"{url}/admin/workflows_app/workflow/1/change/")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Text").press_sequentially("# more")
    page.get_by_role("link", name="Backends").click()
    kept = page.get_by_label("Text").input_value()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"{url}/admin/workflows_app/workflow/")

    assert asked == ["beforeunload"]
    assert "# more" in kept
