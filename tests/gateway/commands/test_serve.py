from io import StringIO

import pytest
from django.core.management import CommandError

from gateway.configuration import import_if_empty
from gateway.management.commands.serve import Command, parse_addr
from tests.gateway.configuration.samples import TWO_MODELS


@pytest.fixture
def path(tmp_path, db):
    file = tmp_path / "config.yaml"
    file.write_text(TWO_MODELS)
    import_if_empty(file)
    return file


def said_of(path) -> list[str]:
    said = StringIO()
    Command(stderr=said).compare(path)
    return said.getvalue().splitlines()


def test_a_file_as_it_was_imported_is_not_worth_a_word(path):
    assert said_of(path) == []


def test_a_file_that_changed_since_is_told_with_the_difference(path):
    path.write_text(TWO_MODELS + "cache: {ttl_sec: 60}\n")

    assert said_of(path) == [
        f"{path} differs from the database, which is what serves (import it with: "
        f"manage.py load_config {path}):",
        "  policy: cache.ttl_sec is 300 in the database, 60 in the file",
    ]


def test_a_file_that_broke_or_went_since_is_told_with_the_reason(path):
    path.write_text(TWO_MODELS + "cahce: {}\n")
    broken = said_of(path)
    path.unlink()
    gone = said_of(path)

    told = f"{path} can't be compared with the database, which serves:"
    assert broken == [
        told,
        f'  {path}:15: unknown key "cahce" in the file; did you mean "cache"?',
    ]
    assert gone == [told, f"  {path}: No such file or directory"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        (":9000", ("0.0.0.0", 9000)),
        ("[::1]:80", ("::1", 80)),
        ("router.example.com:0", ("router.example.com", 0)),
    ],
)
def test_an_address_is_a_host_and_a_port(written, read):
    assert parse_addr(written) == read


@pytest.mark.parametrize("written", ["", "8080", "host", "host:", "host:x", ":65536"])
def test_what_is_none_is_told_with_an_example(written):
    with pytest.raises(CommandError, match="is not HOST:PORT, such as 127.0.0.1:8080"):
        parse_addr(written)
