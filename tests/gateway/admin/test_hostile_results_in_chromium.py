"""S14, S15: what forms answer, in a real browser, with what strangers wrote in it.

The rows are valid, so that the gateway serves with them: prompts, answers, tiers,
models, teams, tags, intents and runs that would rather be scripts.
"""

from collections.abc import Iterator

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.gateway.admin.every_page import POLYGLOT
from tests.gateway.admin.widths import outside
from tests.instance import Instance
from tests.operators import chromium_page, complaints, log_in, make_administrator

pytestmark = pytest.mark.browser

CONFIG = """
cache: {learn_aliases: true, judge: large, ttl_sec: 3600}
"""
HOSTILE = f"""
from gateway.models import ApiKey
from routing.models import Backend, Intent, Tier, Trail
from tests.gateway.admin.every_page import write_workflows
text = {POLYGLOT!r}
for tier in Tier.objects.all():
    tier.name = f"{{tier.rank}} {{text}}"[:64]
    tier.save()
Backend.objects.update(model=text)
intent = Intent.objects.create(slug=text[:40], description=text, words=text)
Trail.objects.create(scope=text, intent=intent, tier=1, backend="small",
    day="2026-11-26", votes=1, weight=1, reward=1)
write_workflows(text)
print(ApiKey.issue(text, team=text)[1])
"""


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """A page of somebody at the admin, its address, and what the browser complains of.
    One instance for all: nothing here changes what the others see."""
    folder = tmp_path_factory.mktemp("hostile")
    with ThreadedFaultLLM() as upstream, chromium_page() as page:
        instance = Instance(folder, upstream.url, extra_config=CONFIG)
        with instance.serving() as url:
            make_administrator(instance)
            stored = instance.manage("shell", "-v0", "-c", HOSTILE)
            assert stored.returncode == 0, stored.stderr
            ask_often(url, stored.stdout.split()[-1])
            instance.wait_for_requests(3)
            heard = complaints(page)
            log_in(page, url)
            yield page, url, heard


@pytest.fixture
def page(operator) -> Iterator:
    page, _, heard = operator
    yield page
    page.wait_for_timeout(200)
    assert heard == []


@pytest.fixture
def url(operator) -> str:
    return operator[1]


def ask_often(url: str, key: str) -> None:
    for number in range(3):
        reply = httpx.post(
            f"{url}/v1/chat/completions",
            json={"messages": [{"role": "user", "content": f"{POLYGLOT} {number}"}]},
            headers={
                "authorization": f"Bearer {key}",
                "x-llm-router-tags": POLYGLOT[:64],
            },
        )
        assert reply.status_code == 200, reply.text


def test_the_playground_shows_prompts_and_answers_as_text(page, url):
    def fill() -> None:
        page.goto(f"{url}/admin/playground/")
        page.get_by_label("System prompt").fill(POLYGLOT)
        page.get_by_label("Prompt", exact=True).fill(POLYGLOT)
        page.get_by_label("Beside it").fill(POLYGLOT)

    fill()
    page.get_by_role("button", name="Dry run").click()
    page.get_by_role("region", name="Candidates for auto").wait_for()
    assert "<svg/onload=alert(2)>" in page.locator("pre").first.text_content()
    assert outside(page) == []

    fill()
    page.get_by_role("button", name="Send").click()
    # The other model's answer, beside it, may well come first.
    answer = page.locator(".playground-answer").first
    answer.locator("a").wait_for()
    assert POLYGLOT in answer.locator(".dash-text").inner_text()
    assert outside(page) == []

    fill()
    # As without a script: the answer comes with a page of its own.
    page.locator("#playground").evaluate(
        "form => { const send = document.createElement('input'); send.name = 'send';"
        " send.value = '1'; form.append(send); form.submit(); }"
    )
    page.get_by_role("region", name="Result of auto").wait_for()
    assert POLYGLOT in page.locator(".dash-text").first.inner_text()
    assert outside(page) == []


@pytest.mark.parametrize(
    "form",
    ["tier/1/change/", "backend/1/change/", "routingpolicy/1/change/", "price/add/"],
)
def test_a_preview_shows_names_as_text_in_the_page_and_on_its_own(page, url, form):
    page.goto(f"{url}/admin/routing/{form}")
    if form == "price/add/":
        page.get_by_label("Backend").select_option(index=1)
        for side in ("Input", "Output", "Cache read", "Cache write"):
            page.get_by_label(side, exact=False).first.fill("1")
    button = page.get_by_role("button", name="Preview")
    button.click()
    page.locator("#what-if-status", has_text="Done.").wait_for()
    assert "requests in 7 days" in page.locator("#what-if-result").inner_text()
    assert outside(page) == []

    button.evaluate(
        "button => { const form = button.form; form.action = button.formAction;"
        " form.noValidate = true; form.submit(); }"
    )
    page.get_by_text("Nothing was saved.").wait_for()
    assert outside(page) == []


def test_a_looked_up_text_and_its_neighbours_are_text(page, url):
    page.goto(f"{url}/admin/gateway/cacheentry/")
    look = page.locator("section", has_text="Look up a text").first
    look.get_by_label("Text").fill(f"{POLYGLOT} 1")
    look.get_by_label("Scope").fill(POLYGLOT)
    look.get_by_role("button", name="Look it up").click()

    page.locator("#looked").wait_for()
    assert outside(page) == []


def test_the_heat_map_and_the_price_tables_show_names_as_text(page, url):
    page.goto(f"{url}/admin/routing/intent/map/")
    page.get_by_label("Scope").select_option(POLYGLOT)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("region", name="Heat map").get_by_text("1 vote").wait_for()
    assert outside(page) == []

    page.goto(f"{url}/admin/routing/price/refresh/")
    assert page.get_by_text(POLYGLOT).count() == 3
    assert outside(page) == []


def test_two_compared_runs_show_what_they_said_as_text(page, url):
    page.goto(f"{url}/admin/workflows_app/workflowrun/")
    for box in page.locator("input[name=_selected_action]").all():
        box.check()
    page.locator("select[name=action]").select_option("compare")
    page.get_by_role("button", name="Run", exact=True).click()

    page.get_by_text("First's output").wait_for()
    assert page.get_by_text(POLYGLOT).count() > 5
    assert outside(page) == []
