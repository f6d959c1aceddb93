"""Settings from the environment: each wrong value stops the start with a sentence."""

import os
import re
import runpy
from base64 import b64encode
from shutil import copy

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests import ROOT

SETTINGS = ROOT / "config" / "settings.py"
READ = re.compile(r'"(LLM_ROUTER_[A-Z_]+|DATABASE_URL|REDIS_URL)"')


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Run the settings file afresh, with these variables and no others of ours."""
    for name in READ.findall(SETTINGS.read_text()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLM_ROUTER_DATA_DIR", str(tmp_path / "data"))

    def load(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return load


def test_nothing_needs_to_be_set(load, tmp_path):
    settings = load()
    assert settings["DEBUG"] is False
    assert settings["ADDR"] == "127.0.0.1:8080"
    assert settings["DATA_DIR"] == tmp_path / "data"
    assert settings["JOURNAL_DIR"] == tmp_path / "data" / "journal"
    assert settings["DATABASES"]["default"]["NAME"] == f"{tmp_path}/data/db.sqlite3"
    assert (
        settings["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    )
    assert settings["ON_STORAGE_FULL"] == "refuse"
    assert settings["PRIVATE_UPSTREAMS"] == "allow"


def test_what_it_makes_is_the_owners_alone(load, tmp_path):
    load()
    folder = tmp_path / "data"
    assert folder.stat().st_mode & 0o777 == 0o700
    secrets = sorted(folder.glob("*.key"))
    assert [path.name for path in secrets] == ["encryption.key", "secret.key"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in secrets)
    before = os.umask(0o077)
    os.umask(before)
    assert before == 0o077


def test_generated_secrets_survive_a_restart_and_differ(load):
    first, second = load(), load()
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["ENCRYPTION_KEYS"] == second["ENCRYPTION_KEYS"]
    assert first["SECRET_KEY"] not in first["ENCRYPTION_KEYS"]


@pytest.mark.parametrize(
    "secret", ["brief", "django-insecure-0123456789-0123456789", "Change" + "x" * 40]
)
def test_a_placeholder_of_a_secret_key_is_refused(load, secret):
    with pytest.raises(ImproperlyConfigured, match="LLM_ROUTER_SECRET_KEY") as error:
        load(LLM_ROUTER_SECRET_KEY=secret)
    assert secret not in str(error.value)


def test_secrets_can_be_given(load, tmp_path):
    settings = load(
        LLM_ROUTER_SECRET_KEY="0123456789" * 4,
        LLM_ROUTER_ENCRYPTION_KEYS="newest,older",
    )
    assert settings["SECRET_KEY"] == "0123456789" * 4
    assert settings["ENCRYPTION_KEYS"] == ["newest", "older"]
    assert list((tmp_path / "data").glob("*.key")) == []


@pytest.mark.parametrize("value", ["0", "-5", "many", "1.5", ""])
@pytest.mark.parametrize(
    "name",
    [
        "LLM_ROUTER_JOURNAL_MAX_BYTES",
        "LLM_ROUTER_DRAIN_SECONDS",
        "LLM_ROUTER_MAX_BODY_BYTES",
        "LLM_ROUTER_MAX_IN_FLIGHT",
        "LLM_ROUTER_MAX_HELD_BYTES",
    ],
)
def test_a_bound_that_is_no_positive_number_is_refused(load, name, value):
    with pytest.raises(ImproperlyConfigured) as error:
        load(**{name: value})
    assert str(error.value) == f"{name} must be a whole number above 0."


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("LLM_ROUTER_ON_STORAGE_FULL", "refuse, serve"),
        ("LLM_ROUTER_PRIVATE_UPSTREAMS", "allow, deny"),
        ("LLM_ROUTER_LOG_LEVEL", "INFO, DEBUG, WARNING, ERROR, CRITICAL"),
    ],
)
def test_an_unknown_choice_is_refused_with_the_known_ones(load, name, options):
    with pytest.raises(ImproperlyConfigured) as error:
        load(**{name: "perhaps"})
    assert str(error.value) == f"{name} must be one of {options}."


@pytest.mark.parametrize("name", ["LLM_ROUTER_DEBUG", "LLM_ROUTER_HTTPS"])
def test_a_switch_is_on_or_off_and_a_slip_of_the_pen_is_told(load, name):
    short = name.removeprefix("LLM_ROUTER_")
    assert [load(**{name: on})[short] for on in ("true", "True", "1")] == [True] * 3
    assert [load(**{name: off})[short] for off in ("false", "0", "")] == [False] * 3
    with pytest.raises(ImproperlyConfigured) as error:
        load(**{name: "ture"})
    assert str(error.value) == f"{name} must be true or false."


@pytest.mark.parametrize(
    "url", ["router", "mysql://a:hidden@b/c", "postgres://a:hidden@b:port/c"]
)
def test_an_address_of_no_database_of_ours_is_refused_and_not_repeated(load, url):
    with pytest.raises(ImproperlyConfigured, match="^DATABASE_URL must be") as error:
        load(DATABASE_URL=url)
    assert "hidden" not in str(error.value)


def test_a_postgresql_that_a_network_swallowed_is_not_waited_for_long(load):
    options = load(DATABASE_URL="postgres://a:b@c/d")["DATABASES"]["default"]["OPTIONS"]
    assert options["connect_timeout"] == 10
    assert options["tcp_user_timeout"] == 20_000  # milliseconds, for what was sent
    idle, interval, count = (
        options[f"keepalives_{name}"] for name in ("idle", "interval", "count")
    )
    assert idle + interval * count == 25  # seconds, for what is awaited


def test_the_address_of_the_database_may_say_otherwise(load):
    url = "postgres://a:b@c/d?connect_timeout=3&sslmode=require"
    options = load(DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]
    assert options["connect_timeout"] == 3
    assert options["sslmode"] == "require"
    assert options["keepalives_idle"] == 10


def test_what_is_set_to_nothing_is_as_if_it_were_not_set(load, tmp_path, monkeypatch):
    settings = load(DATABASE_URL="")
    assert settings["DATABASES"]["default"]["NAME"] == f"{tmp_path}/data/db.sqlite3"

    checkout = tmp_path / "config"
    checkout.mkdir()
    monkeypatch.setenv("LLM_ROUTER_DATA_DIR", "")
    settings = runpy.run_path(str(copy(SETTINGS, checkout)))
    assert settings["DATA_DIR"] == tmp_path / "var"


@pytest.mark.parametrize("inside", ["", "secret.key", "encryption.key", "static"])
def test_a_data_folder_that_cannot_be_used_is_told_in_a_sentence(
    load, tmp_path, inside
):
    taken = tmp_path / "data" / inside
    if inside.endswith(".key"):
        taken.mkdir(parents=True)  # where a file belongs; and the other way round
    else:
        taken.parent.mkdir(exist_ok=True)
        taken.write_text("a file")
    with pytest.raises(ImproperlyConfigured) as error:
        load()
    assert str(error.value).startswith(f"The data folder can't be used: {taken}: ")
    assert str(error.value).endswith("a folder that can be made and written.")


@pytest.mark.parametrize("prefix", ["", "whsec_"])
def test_a_secret_of_webhooks_is_read_as_their_libraries_read_it(load, prefix):
    key = bytes(range(32))
    settings = load(
        LLM_ROUTER_WEBHOOK_HOSTS="hooks.example.com",
        LLM_ROUTER_WEBHOOK_SECRET=prefix + b64encode(key).decode(),
    )
    assert settings["WEBHOOK_KEY"] == key


@pytest.mark.parametrize(
    "secret", ["", "no base64, however long it may be", b64encode(b"x" * 23).decode()]
)
def test_a_secret_of_webhooks_that_is_none_or_too_short_is_refused(load, secret):
    with pytest.raises(ImproperlyConfigured, match="LLM_ROUTER_WEBHOOK_SECRET"):
        load(
            LLM_ROUTER_WEBHOOK_HOSTS="hooks.example.com",
            LLM_ROUTER_WEBHOOK_SECRET=secret,
        )


def test_numbers_and_choices_are_taken(load):
    settings = load(
        LLM_ROUTER_MAX_IN_FLIGHT="5",
        LLM_ROUTER_PRIVATE_UPSTREAMS="deny",
        LLM_ROUTER_ON_STORAGE_FULL="serve",
        LLM_ROUTER_ALLOWED_HOSTS="router.example.com,localhost",
    )
    assert settings["MAX_IN_FLIGHT"] == 5
    assert settings["PRIVATE_UPSTREAMS"] == "deny"
    assert settings["ON_STORAGE_FULL"] == "serve"
    assert settings["ALLOWED_HOSTS"] == ["router.example.com", "localhost"]


def test_postgresql_is_one_variable_away(load):
    database = load(DATABASE_URL="postgres://me:pw@db.example.com:5433/router")
    chosen = database["DATABASES"]["default"]
    assert chosen["ENGINE"] == "django.db.backends.postgresql"
    assert (chosen["HOST"], chosen["PORT"], chosen["NAME"]) == (
        "db.example.com",
        5433,
        "router",
    )
    assert "transaction_mode" not in chosen.get("OPTIONS", {})


def test_https_makes_cookies_secure(load):
    assert load()["SESSION_COOKIE_SECURE"] is False
    settings = load(LLM_ROUTER_HTTPS="true")
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["CSRF_COOKIE_SECURE"] is True
    assert settings["SECURE_HSTS_SECONDS"] > 0
