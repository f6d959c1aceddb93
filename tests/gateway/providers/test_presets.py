"""How each preset is spoken to: address, key, and the names of fields."""

import orjson
import pytest

from gateway.providers import openai
from gateway.providers.openai import api_url, key_header
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest, Json
from routing.providers import PROVIDERS
from routing.secret import Secret
from tests.pages import page


def backend(provider: str, base_url: str = "") -> Backend:
    return Backend("b", 1, provider, "m", base_url, Secret("k"))


def sent_to(provider: str, body: Json, *, stream: bool = False) -> Json:
    messages = [{"role": "user", "content": "Hi"}]
    chat = ChatRequest({"messages": messages, **body}, "s", "r", stream=stream)
    made = backend(provider, "http://127.0.0.1:1")
    call = openai.prepare(made, chat, Policy(), lambda thought: True)
    return orjson.loads(call.body)


@pytest.mark.parametrize(
    ("provider", "base_url", "url"),
    [
        ("openai", "", "https://api.openai.com/v1/models"),
        ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1/models"),
        ("ollama", "http://localhost:11434", "http://localhost:11434/v1/models"),
        ("ollama", "http://localhost:11434/v1/", "http://localhost:11434/v1/models"),
        (
            "azure-openai",
            "https://me.openai.azure.com/",
            "https://me.openai.azure.com/openai/v1/models",
        ),
    ],
)
def test_an_address_works_with_and_without_its_path(provider, base_url, url):
    assert api_url(backend(provider, base_url), "/models") == url


def test_the_key_travels_in_the_header_of_its_provider():
    assert key_header(backend("openai")) == {"authorization": "Bearer k"}
    assert key_header(backend("anthropic")) == {"x-api-key": "k"}
    assert key_header(backend("azure-openai")) == {"api-key": "k"}


def test_the_limit_of_an_answer_is_sent_by_the_name_that_is_known():
    assert sent_to("openai", {"max_tokens": 5})["max_completion_tokens"] == 5
    assert sent_to("ollama", {"max_completion_tokens": 5})["max_tokens"] == 5
    both = {"max_tokens": 5, "max_completion_tokens": 7}
    assert sent_to("ollama", both)["max_tokens"] == 5
    assert sent_to("openai-compatible", both).items() >= both.items()


def test_a_strict_provider_gets_nothing_it_would_refuse():
    asked = {"store": True, "user": "u", "seed": 3, "temperature": 0}

    sent = sent_to("mistral", asked, stream=True)

    assert sent.keys() == {"model", "messages", "stream", "random_seed", "temperature"}


def test_every_preset_is_documented_and_no_other():
    text = page("providers.md")
    table = text.split("## Presets")[1].split("## Capabilities")[0]
    rows = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]

    assert [row for row in rows if row != "provider"] == list(PROVIDERS)
