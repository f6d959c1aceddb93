import pytest

from gateway.configuration import ConfigurationError, drift, import_if_empty
from routing.models import Backend, ModelAlias
from tests.gateway.configuration.samples import REFERENCE, TWO_MODELS

pytestmark = pytest.mark.django_db
ENVIRON = {"ANTHROPIC_API_KEY": "sk-1"}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(REFERENCE, encoding="utf-8")
    return file


def test_the_first_start_imports_and_tells_what(path):
    lines = import_if_empty(path, ENVIRON)

    assert Backend.objects.count() == 3
    assert any(line.startswith("+ backend claude-haiku: ") for line in lines)
    assert drift(path, ENVIRON) == []


def test_a_later_start_imports_nothing_and_tells_the_differences(path):
    import_if_empty(path, ENVIRON)
    path.write_text(REFERENCE.replace("ttl_sec: 300", "ttl_sec: 60"), encoding="utf-8")

    assert import_if_empty(path, ENVIRON) == ()
    assert drift(path, ENVIRON) == [
        "policy: cache.ttl_sec is 300 in the database, 60 in the file"
    ]


def test_a_broken_file_stops_the_first_start_and_no_later_one(path):
    path.write_text("models: 1\n")
    with pytest.raises(ConfigurationError, match="models must be a list"):
        import_if_empty(path, ENVIRON)
    path.write_text(TWO_MODELS)
    import_if_empty(path, ENVIRON)

    path.write_text("models: 1\n")

    assert import_if_empty(path, ENVIRON) == ()
    with pytest.raises(ConfigurationError, match=":1: models must be a list; begin"):
        drift(path, ENVIRON)


def test_deleted_aliases_are_no_drift(path):
    import_if_empty(path, ENVIRON)
    ModelAlias.objects.all().delete()

    assert drift(path, ENVIRON) == []
