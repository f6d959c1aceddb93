from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.gateway.configuration.samples import TWO_MODELS, load

pytestmark = pytest.mark.django_db


def test_it_prints_or_writes_the_same_text(tmp_path):
    load(TWO_MODELS)
    out = StringIO()

    call_command("dump_config", stdout=out)
    call_command("dump_config", str(tmp_path / "dump.yaml"))

    assert (tmp_path / "dump.yaml").read_text() == out.getvalue()
    assert out.getvalue().startswith("models:\n  - name: small\n")


def test_a_file_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("# mine\n")

    with pytest.raises(CommandError, match="exists already"):
        call_command("dump_config", str(path))
    assert path.read_text() == "# mine\n"

    call_command("dump_config", str(path), "--force")
    assert path.read_text().startswith("routing:\n")


def test_a_place_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("dump_config", str(tmp_path / "nowhere" / "config.yaml"))
