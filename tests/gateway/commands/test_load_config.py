from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from routing.models import Backend, ModelAlias, Price, RoutingPolicy
from tests.gateway.configuration.samples import TWO_MODELS

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("BIG_KEY", "sk-canary")
    file = tmp_path / "config.yaml"
    file.write_text(TWO_MODELS)
    return file


def run(path, *options: str) -> list[str]:
    out = StringIO()
    call_command("load_config", str(path), *options, stdout=out)
    return out.getvalue().splitlines()


def test_it_shows_what_changes_and_imports_it(path):
    lines = run(path)

    assert lines[2].startswith("+ backend small: provider ollama, model llama3.2")
    assert lines[-1] == "Imported; running workers see it within a second."
    assert "canary" not in str(lines)
    assert Backend.objects.count() == 2


def test_a_second_load_says_that_there_is_nothing_to_change(path):
    run(path)

    assert run(path)[-1] == "Nothing to change."
    assert Price.objects.count() == 2


def test_a_dry_run_shows_the_same_and_writes_nothing(path):
    lines = run(path, "--dry-run")

    assert lines[-1] == "Dry run: nothing was written."
    assert not Backend.objects.exists()
    assert not RoutingPolicy.objects.exists()
    assert lines[:-1] == run(path)[:-1]


def test_pruning_disables_what_the_file_does_not_have(path):
    run(path)
    Backend.objects.filter(name="small").update(name="old")

    assert "- backend old: not in the file, stays as it is" in run(path)
    assert "- backend old: not in the file, will be disabled" in run(path, "--prune")
    assert Backend.objects.get(name="old").state == "disabled"


def test_pruning_tells_what_it_deletes(path):
    run(path)
    path.write_text(TWO_MODELS + "aliases: [{pattern: 'gpt-*', tier: 1}]\n")

    assert "- alias o1*: not in the file, will be deleted" in run(path, "--prune")
    assert [row.pattern for row in ModelAlias.objects.all()] == ["gpt-*"]
    assert run(path, "--prune")[-1] == "Nothing to change."


def test_a_mistake_stops_it_with_every_message_and_no_row(path):
    path.write_text(TWO_MODELS.replace("tier: 2", "tier: two") + "cahce: {}\n")

    with pytest.raises(CommandError) as raised:
        run(path)

    assert str(raised.value).splitlines() == [
        f"{path}:14: models[1].tier must be a whole number",
        f'{path}:15: unknown key "cahce" in the file; did you mean "cache"?',
    ]
    assert raised.value.returncode == 1
    assert not Backend.objects.exists()
