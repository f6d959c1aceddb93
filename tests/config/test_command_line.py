"""What the command line says when an operator has to mend something."""

from pathlib import Path

import pytest

from tests.instance import Instance


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path, "http://127.0.0.1:1", empty=True)


@pytest.mark.parametrize("command", ["serve", "create_key ci", "dump_config", "check"])
def test_a_data_folder_that_cannot_be_made_is_one_sentence(instance, command):
    instance.data_dir.write_text("a file, not a folder")
    done = instance.manage(*command.split())
    assert done.returncode == 1
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"The data folder can't be used: {instance.data_dir}: ")


def test_a_database_that_cannot_be_reached_is_told_without_a_traceback(instance):
    (instance.data_dir / "db.sqlite3").mkdir(parents=True)  # where a file belongs
    said = {
        command: instance.manage(*command.split())
        for command in ("serve", "create_key ci", "dump_config")
    }
    assert {done.returncode for done in said.values()} == {1}
    assert {done.stderr for done in said.values()} == {
        "CommandError: A start needs the database: unable to open database file\n",
        "The database can't be used: unable to open database file\n",
    }


def test_a_database_file_that_was_damaged_is_told_without_a_traceback(instance):
    instance.data_dir.mkdir(exist_ok=True)
    (instance.data_dir / "db.sqlite3").write_bytes(b"no database" * 400)
    said = {
        command: instance.manage(*command.split())
        for command in ("serve", "create_key ci", "dump_config")
    }
    assert {done.returncode for done in said.values()} == {1}
    assert {done.stderr for done in said.values()} == {
        "The database can't be used: file is not a database\n"
    }


def test_who_looks_for_a_bug_gets_the_traceback(instance):
    instance.data_dir.write_text("a file, not a folder")
    done = instance.manage("check", "--traceback")
    assert "Traceback" in done.stderr
