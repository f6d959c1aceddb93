import pytest

from gateway.configuration import ConfigurationError, read, read_bytes
from gateway.configuration.yaml_source import MAX_BYTES
from tests.gateway.configuration.samples import REFERENCE, TWO_MODELS, parsed


def refusal(path) -> str:
    with pytest.raises(ConfigurationError) as raised:
        read(path, {})
    return str(raised.value)


def test_the_references_own_example_is_read_unchanged():
    config = read_bytes(
        REFERENCE.encode(), "config.yaml", {"ANTHROPIC_API_KEY": "sk-1"}
    )

    assert config.names == ("claude-haiku", "claude-sonnet", "claude-opus")
    assert config.ranks == (1, 2, 3)
    assert config.backends[0].columns == {
        "name": "claude-haiku",
        "provider": "anthropic",
        "model": "claude-haiku-4-5-20251001",
        "base_url": "https://api.anthropic.com",
        "context_window": 200_000,
    }
    assert config.backends[0].prices == {
        "input": 800_000_000,
        "output": 4_000_000_000,
    }
    assert config.thresholds == {1: 30, 2: 70}
    assert config.notes == ()


def test_an_unset_variable_is_one_note_for_all_its_backends_and_no_error():
    config = read_bytes(REFERENCE.encode(), "config.yaml", {"ANTHROPIC_API_KEY": ""})

    assert config.notes == (
        "config.yaml:7: the environment variable ANTHROPIC_API_KEY is not set; "
        "until it is, no requests go to claude-haiku, claude-sonnet, claude-opus"
        "; set it and start again",
    )


def test_a_misspelt_variable_is_told_the_name_of_one_that_is_set():
    content = REFERENCE.replace("$ANTHROPIC_API_KEY", "$ANTHROPC_API_KEY").encode()

    (note,) = read_bytes(
        content, "config.yaml", {"ANTHROPIC_API_KEY": "sk-canary", "PATH": "/bin"}
    ).notes

    assert note.endswith('; did you mean "ANTHROPIC_API_KEY"?')
    assert "canary" not in note


def test_problems_of_all_sections_are_told_at_once():
    with pytest.raises(ConfigurationError) as raised:
        parsed(
            TWO_MODELS.replace("tier: 2", "tire: 2")
            + "cahce: {}\nlogs: {retention_day: 1}\n"
        )

    assert raised.value.messages == (
        "config.yaml:8: models[1] has no tier",
        'config.yaml:14: unknown key "tire" in models[1]; did you mean "tier"?',
        'config.yaml:15: unknown key "cahce" in the file; did you mean "cache"?',
        'config.yaml:16: unknown key "retention_day" in logs; did you mean '
        '"retention_days"?',
    )


@pytest.mark.parametrize("text", ["models:\n", "models: []\n", "cache: {}\n"])
def test_a_file_without_models_is_refused(text):
    with pytest.raises(ConfigurationError, match="give at least one model"):
        parsed(text)


@pytest.mark.parametrize("text", ["hello\n", "- a\n", "models: {a: b}\n"])
def test_a_file_of_another_shape_is_refused(text):
    with pytest.raises(ConfigurationError, match="must be a"):
        parsed(text)


def test_a_file_that_can_not_be_read_is_told(tmp_path):
    path = tmp_path / "config.yaml"

    assert refusal(path) == f"{path}: No such file or directory"
    path.write_bytes(b"models:\n  - \xff\n")
    assert refusal(path) == f"{path}:2: the file is not UTF-8"
    path.write_text("é" * MAX_BYTES)
    assert refusal(path) == f"{path}:1: the file is larger than 256 KB"
    path.write_bytes(b"\xef\xbb\xbf" + TWO_MODELS.encode())
    assert read(path, {}).names == ("small", "large")
