import pytest

from gateway.configuration import ConfigurationError
from gateway.configuration.document import KeyReference
from routing.secret import Secret
from tests.gateway.configuration.samples import models, parsed

HEAD = "models:\n  - name: m\n    provider: ollama\n    model: x\n    tier: 1\n"


def only(line: str):
    return parsed(HEAD + f"    {line}\n").backends[0]


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        parsed(text)
    return str(raised.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("$KEY_1", KeyReference(env="KEY_1")),
        ("${KEY_1}", KeyReference(env="KEY_1")),
        ("sk-literal$5", KeyReference(literal=Secret("sk-literal$5"))),
        ('""', KeyReference()),
    ],
)
def test_a_key_is_a_variable_or_a_literal(written, read):
    assert only(f"api_key: {written}").api_key == read


def test_no_key_is_not_the_same_as_an_empty_one():
    assert only("weight: 2").api_key is None


@pytest.mark.parametrize("secret", ["$1-canary", "$$canary", "12345678", "can ary"])
def test_a_key_that_is_refused_is_never_repeated(secret):
    told = refusal(HEAD + f"    api_key: {secret}\n")

    assert told.startswith("config.yaml:6: models[0].api_key")
    assert secret not in told


def test_a_literal_key_does_not_show_itself():
    assert "canary" not in repr(parsed(HEAD + "    api_key: sk-canary\n"))


def test_prices_come_in_pairs():
    assert refusal(HEAD + "    cost_per_1k_in: 0.1\n") == (
        "config.yaml:6: models[0] has cost_per_1k_in but no cost_per_1k_out; give both"
    )
    assert "no cost_per_1k_in" in refusal(HEAD + "    cost_per_1k_cache_read: 0.1\n")


def test_an_unknown_provider_is_told_with_what_was_meant():
    assert refusal(HEAD.replace("ollama", "olama")).startswith(
        'config.yaml:3: unknown provider "olama" in models[0]; did you mean "ollama"?'
    )


def test_a_missing_key_is_told_at_its_model():
    assert refusal(HEAD.replace("    model: x\n", "")) == (
        "config.yaml:2: models[0] has no model"
    )


def test_two_models_of_one_name_are_told_with_both_lines():
    told = refusal(models(1, 1).replace("m2", "m1"))

    assert told == (
        'config.yaml:3: models[1] has the same name "m1" as models[0] on line 2'
    )


def test_a_gap_in_the_tiers_is_told():
    assert refusal(models(1, 3)).startswith(
        "config.yaml:3: tier 2 has no backend, but tier 3 has"
    )
    assert refusal(models(0)) == "config.yaml:2: models[0].tier must be 1 or more"


def test_what_the_admin_refuses_the_file_refuses_too():
    assert "has a meaning of its own" in refusal(HEAD.replace("name: m", "name: auto"))
    assert "Credentials belong in the API key" in refusal(
        HEAD + "    base_url: https://me:pw@example.com\n"
    )
    assert refusal(HEAD + "    base_url: http://169.254.169.254/v1\n") == (
        "config.yaml:6: models[0].base_url: The gateway never connects there: "
        "link-local and metadata addresses are never allowed."
    )
    assert "config.yaml:2: models[0].base_url: openai-compatible has no address" in (
        refusal(HEAD.replace("ollama", "openai-compatible"))
    )
