import pytest

from routing.capabilities import CAPABILITIES, cannot, parse, write
from routing.catalog import Backend
from routing.providers import PROVIDERS


def test_an_operators_word_wins_over_the_preset():
    assert "images" not in cannot("openai", "gpt-4o", "")
    assert "images" in cannot("openai", "gpt-4o", "-images")
    assert "n" not in cannot("ollama", "llama3.2", "+n")


def test_the_other_names_of_a_capability_mean_the_same():
    assert parse("-vision +documents -n>1") == {
        "images": False,
        "files": True,
        "n": False,
    }
    assert write(parse("-n>1, -vision")) == "-images -n"


def test_an_unknown_word_is_refused_naming_the_known_ones():
    with pytest.raises(ValueError, match="'-visoin' is no capability: .*images"):
        parse("-visoin")
    with pytest.raises(ValueError, match="'tools' is no capability"):
        parse("tools")


def test_a_model_for_embeddings_can_do_nothing_else():
    lacks = cannot("openai", "text-embedding-3-small", "")

    assert lacks == CAPABILITIES.keys() - {"embeddings"}
    assert "chat" not in cannot("openai", "text-embedding-3-small", "+chat")


def test_who_does_not_offer_responses_keeps_none():
    assert "stored_responses" in cannot("openai", "gpt-4o", "-responses")
    assert "stored_responses" not in cannot("openai", "gpt-4o", "")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_preset_speaks_of_known_capabilities_only(provider):
    assert PROVIDERS[provider].cannot <= CAPABILITIES.keys()
    assert Backend("a", 1, provider, "m").cannot >= PROVIDERS[provider].cannot


@pytest.mark.parametrize("model", ["bge-m3", "BAAI/bge-m3", "voyage-3", "all-minilm"])
def test_models_for_vectors_are_known_by_their_names(model):
    assert "embeddings" not in cannot("openai-compatible", model, "")


def test_a_model_for_texts_makes_no_vectors_unless_an_operator_says_so():
    assert "embeddings" in cannot("openai", "gpt-4o", "")
    assert cannot("vllm", "my-own", "+embeddings -chat") >= {"chat"}
    assert "embeddings" not in cannot("vllm", "my-own", "+embeddings -chat")


def test_a_model_without_chat_completes_texts_only():
    lacks = cannot("openai", "gpt-3.5-turbo-instruct", "")

    assert "chat" in lacks and "completions" not in lacks
    assert "completions" in cannot("openai", "gpt-4o", "")
    assert "completions" not in cannot("vllm", "gpt-4o", "")


def test_a_provider_without_embeddings_has_no_model_for_them():
    assert cannot("groq", "text-embedding-3-small", "") == CAPABILITIES.keys()
