"""Errors, headers, both SDKs and the README's snippet."""

import json

import anthropic
import httpx
import openai
import pytest
from anthropic import AsyncAnthropic

from gateway.ledger.books import Caller
from tests import ROOT
from tests.gateway.messages.asking import BOTH, asking, one
from tests.harness import serving


async def test_errors_of_every_kind_come_in_anthropics_shape(upstream, tmp_path):
    """Also without the version's header: the address tells the dialect."""
    keys = {"right": Caller(scope="s", max_in_flight=1)}
    async with (
        serving(
            one(upstream.url, "anthropic"), tmp_path, keys=keys, max_body_bytes=1000
        ) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as http,
    ):
        right = {"x-api-key": "right"}
        bearer = {"authorization": "Bearer right"}
        url = "/v1/messages"
        answers = [
            await http.post(url, json=asking()),
            await http.post(url, json=asking(model="gpt-9"), headers=right),
            await http.post(url, json=asking("x" * 2000), headers=right),
            await http.post(url, content=b"{", headers=right),
            await http.post(url, json=asking(max_tokens=None), headers=bearer),
            await http.get(url, headers=right),
            await http.post(
                url, json=asking(), headers={**right, "anthropic-version": "1999"}
            ),
            await http.post(f"{url}/count_tokens", json={}, headers=right),
        ]
        upstream.always = "status-529"
        overloaded = await http.post(url, json=asking(), headers=right)

    found = [(a.status_code, a.json()["error"]["type"]) for a in answers]
    assert found == [
        (401, "authentication_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (415, "invalid_request_error"),
        (400, "invalid_request_error"),
        (405, "invalid_request_error"),
        (400, "invalid_request_error"),
        (400, "invalid_request_error"),
    ]
    for answer in [*answers, overloaded]:
        body = answer.json()
        assert body["type"] == "error"
        assert body["request_id"] == answer.headers["request-id"]
    assert overloaded.status_code == 529
    assert overloaded.json()["error"]["type"] == "overloaded_error"
    assert int(overloaded.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "betas", ["a b", "é", "a" * 101, ",".join(map(str, range(65)))]
)
async def test_betas_that_are_no_names_are_refused(upstream, gateway, betas):
    headers = {"anthropic-beta": betas.encode("latin-1")}
    async with httpx.AsyncClient() as http:
        url = f"{gateway.url}/v1/messages"
        answer = await http.post(url, json=asking(), headers=headers)

    assert answer.status_code == 400
    assert "anthropic-beta" in answer.json()["error"]["message"]
    assert upstream.attempts == []


async def test_both_headers_carry_the_key(upstream, tmp_path):
    keys = {"right": Caller(scope="s")}
    async with serving(one(upstream.url, "anthropic"), tmp_path, keys=keys) as gateway:
        for credential in ({"api_key": "right"}, {"auth_token": "right"}):
            async with AsyncAnthropic(
                base_url=gateway.url, max_retries=0, **credential
            ) as client:
                await client.messages.create(**asking())


@BOTH
def test_both_sdks_that_wait(threaded_upstream, live_gateway, provider):
    with live_gateway(one(threaded_upstream.url, provider)) as url:
        with anthropic.Anthropic(base_url=url, api_key="any", max_retries=0) as client:
            message = client.messages.create(**asking("One"))
            with client.messages.stream(**asking("Two")) as stream:
                text = "".join(stream.text_stream)
            threaded_upstream.script = ["tool-call", "ok"]
            last = client.beta.messages.tool_runner(
                **asking("Three"), tools=[weather_tool]
            ).until_done()
        with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as chat:
            completion = chat.chat.completions.create(**asking("Four"))
            with chat.chat.completions.stream(**asking("Five")) as events:
                final = events.get_final_completion()

    assert message.content[0].text.startswith("Answer to: One")
    assert text.startswith("Answer to: Two")
    assert last.stop_reason == "end_turn"
    assert completion.choices[0].message.content.startswith("Answer to: Four")
    assert final.choices[0].message.content.startswith("Answer to: Five")


@anthropic.beta_tool
def weather_tool(city: str) -> str:
    """Weather of a city.

    Args:
        city: Its name.
    """
    return f"sunny in {city}"


def test_the_snippet_of_the_readme(threaded_upstream, live_gateway):
    """Word for word, but for the port, and with whatever key the SDK finds."""
    readme = (ROOT / "README.md").read_text()
    snippet = readme.split("```python\nimport anthropic\n")[1].split("```")[0]
    found: dict = {}
    with (
        live_gateway(one(threaded_upstream.url, "anthropic")) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("ANTHROPIC_API_KEY", "any")
        port = url.rpartition(":")[2]
        code = "import anthropic\n" + snippet.replace(":8080", f":{port}")
        exec(code, found)  # noqa: S102 - it is our own page
        found["client"].close()

    assert found["message"].content[0].text.startswith("Answer to: What's France's")


@BOTH
async def test_the_sdks_tool_runner(upstream, gateway, client, provider):
    gateway.serve_catalog(one(upstream.url, provider, "anything"))
    upstream.script = ["tool-call", "ok"]

    @anthropic.beta_async_tool
    async def weather(city: str) -> str:
        """Weather of a city.

        Args:
            city: Its name.
        """
        return f"sunny in {city}"

    runner = client.beta.messages.tool_runner(**asking(), tools=[weather])
    last = await runner.until_done()

    assert last.stop_reason == "end_turn"
    assert len(upstream.attempts) == 2
    sent = json.dumps(upstream.attempts[1].body)
    assert "sunny in Paris" in sent
