"""The playground in a real browser over a real instance; what it gives to copy is
pasted into a shell and into Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance
from tests.operators import log_in, make_administrator

pytestmark = pytest.mark.browser
RED_DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4"
    "z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
TOOLS = [
    {
        "type": "function",
        "function": {"name": "look_up", "parameters": {"type": "object"}},
    }
]
TYPED = 'It\'s "quoted" $(touch x) `id` \\ END\nEND\n{{op}} é 😀'
LONG = "word " * 39_000  # longer than a shell's argument may be


@pytest.fixture
def gateway(threaded_upstream: ThreadedFaultLLM, tmp_path: Path, page):
    instance = Instance(tmp_path, threaded_upstream.url)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with instance.serving() as url:
        make_administrator(instance)
        log_in(page, url)
        page.goto(f"{url}/admin/playground/")
        yield instance
    assert complaints == []


def dry_run(page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Dry run").click()
    page.locator("#results section").first.wait_for()


def pasted(page, name: str, where: str = "#results") -> str:
    """What the terminal prints."""
    shown = page.locator(f"{where} details", has_text=name).first
    shown.locator("summary").click()
    text = shown.locator("pre").inner_text()
    command = [sys.executable, "-"] if name == "As Python" else ["bash", "-s"]
    environ = {**os.environ, "LLM_ROUTER_KEY": "none-in-open-mode"}
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, env=environ, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_policies_are_compared_before_either_is_saved(
    gateway, threaded_upstream, page
):
    rules = "  classifier:\n    tier1_max: 2\n  cache:\n    enabled: false\n"
    dry_run(page, prompt="What is the capital of Peru?", rules=rules)
    saved, other = (
        each.inner_text() for each in page.locator("#results section").all()
    )
    before = len(threaded_upstream.attempts)
    page.get_by_role("button", name="Send").click()
    page.locator("#answers details").nth(5).wait_for()
    answers = [each.inner_text() for each in page.locator("#answers section").all()]

    assert "small (chosen)" in saved
    assert "medium (chosen)" in other
    assert "tier1_max: 30 → 2" in other.replace("->", "→")
    assert "cache.enabled: true" in other
    assert before == 0
    assert {each.body["model"] for each in threaded_upstream.attempts} == {
        "small",
        "medium",
    }
    assert "auto, by the other rules" in answers[1]
    assert page.locator("#results section").count() == 0  # they are of another question
    rows = gateway.query("SELECT max_score FROM routing_tier ORDER BY rank")
    assert rows[0] == (30,)
    kept = "SELECT count(*) FROM routing_historicaltier WHERE max_score = 2"
    assert gateway.query(kept) == [(0,)]


def test_an_image_and_tools_go_where_the_page_says(gateway, threaded_upstream, page):
    dry_run(page, prompt=TYPED, image=RED_DOT, tools=json.dumps(TOOLS))
    assert page.locator("details", has_text="As a workflow").count() == 0
    pasted(page, "As curl")
    pasted(page, "As Python")
    page.get_by_role("button", name="Send").click()
    page.locator("#answers details").first.wait_for()

    # Python asks exactly what curl asked, so the cache answers it.
    assert len(threaded_upstream.attempts) == 2
    for attempt in threaded_upstream.attempts:
        content = attempt.body["messages"][0]["content"]
        assert content[0]["text"] == TYPED
        assert content[1]["image_url"]["url"] == RED_DOT
        assert attempt.body["tools"] == TOOLS


def test_what_is_copied_runs_as_it_is_pasted(gateway, threaded_upstream, page):
    threaded_upstream.always = 'say={"a":1}'
    page.get_by_label("Answer in JSON").check()
    dry_run(page, prompt=TYPED, system="Be brief.", max_tokens="50", temperature="0.2")

    answer = json.loads(pasted(page, "As curl"))
    said = json.loads(pasted(page, "As Python"))
    run = json.loads(pasted(page, "As a workflow"))

    assert answer["choices"][0]["message"]["content"] == '{"a":1}'
    assert said == {"a": 1}
    assert run["final_output"] == '{"a":1}'
    bought, by_op = threaded_upstream.attempts  # the cache answered Python
    assert bought.body["response_format"] == {"type": "json_object"}
    for attempt in threaded_upstream.attempts:
        assert attempt.body["max_tokens"] == 50
        assert attempt.body["messages"][-1]["content"] == TYPED


def test_a_call_of_a_tool_streams_into_the_page(gateway, threaded_upstream, page):
    threaded_upstream.always = "tool-call"
    page.locator("[name=prompt]").fill("Look it up.")
    page.locator("[name=tools]").fill(json.dumps(TOOLS))
    page.get_by_role("button", name="Send").click()
    page.locator("#answers details").first.wait_for()

    shown = page.locator("#answers pre").first.inner_text()
    assert shown.startswith('look_up {"city":')
    assert "tool_calls" in pasted(page, "As Python", "#answers")


def test_a_long_prompt_is_pasted_too(gateway, threaded_upstream, page):
    dry_run(page, prompt=LONG)

    assert "choices" in json.loads(pasted(page, "As curl"))
    assert threaded_upstream.attempts[0].body["messages"][0]["content"] == LONG.strip()


def test_a_mistake_is_told_whichever_button_is_pressed(
    gateway, threaded_upstream, page
):
    page.locator("[name=prompt]").fill("Hi")
    page.locator("[name=rules]").fill("learned: {thresh: 1}\nmodels: []")
    page.get_by_role("button", name="Send").click()
    page.locator("#answers p").first.wait_for()
    sent = page.locator("#answers").inner_text()
    page.get_by_role("button", name="Dry run").click()
    page.get_by_text('did you mean "threshold"?').wait_for()

    assert 'unknown key "thresh" in learned; did you mean "threshold"?' in sent
    assert 'unknown key "models" in the rules' in sent
    assert threaded_upstream.attempts == []
