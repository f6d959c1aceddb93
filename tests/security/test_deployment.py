"""S26, S32, S33: what a deployment gets when nobody says anything, or nonsense."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.instance import Instance
from tests.security.conftest import TwoTenants

GOOD = "k3yW1thEnoughRandomnessInIt-0123456789-abcdef"
PROBE = """
import django
django.setup()
from django.conf import settings
print(settings.SECRET_KEY, settings.DEBUG, settings.SESSION_COOKIE_SECURE)
"""


def run(data_dir: Path, *command: str, **environ: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LLM_ROUTER")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={
            **kept,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LLM_ROUTER_DATA_DIR": str(data_dir),
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_s26_djangos_own_check_finds_nothing_where_https_is_on(tmp_path: Path):
    command = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    done = run(tmp_path, *command, LLM_ROUTER_HTTPS="1")

    assert done.returncode == 0, done.stderr


def test_s26_debug_is_off_unless_somebody_turns_it_on(tmp_path: Path):
    silent = run(tmp_path, "-c", PROBE)
    loud = run(tmp_path, "-c", PROBE, LLM_ROUTER_DEBUG="1", LLM_ROUTER_HTTPS="1")

    assert silent.stdout.split()[1:] == ["False", "False"]
    assert loud.stdout.split()[1:] == ["True", "True"]


@pytest.mark.parametrize(
    "key", ["changeme", "x", "secret", "change-me-" * 5, "django-insecure-" + GOOD]
)
def test_s32_a_placeholder_for_the_secret_key_stops_the_start(tmp_path: Path, key: str):
    done = run(
        tmp_path,
        *("manage.py", "serve", "--addr", "127.0.0.1:0"),
        LLM_ROUTER_SECRET_KEY=key,
    )

    assert done.returncode != 0
    assert "LLM_ROUTER_SECRET_KEY is too short or a placeholder." in done.stderr
    assert not (tmp_path / "db.sqlite3").exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LLM_ROUTER_MAX_IN_FLIGHT", "0", "LLM_ROUTER_MAX_IN_FLIGHT must be a whole"),
        ("LLM_ROUTER_MAX_BODY_BYTES", "-1", "LLM_ROUTER_MAX_BODY_BYTES must be a"),
        ("LLM_ROUTER_MAX_BODY_BYTES", "lots", "LLM_ROUTER_MAX_BODY_BYTES must be a"),
        ("LLM_ROUTER_PRIVATE_UPSTREAMS", "no", "must be one of allow, deny"),
        ("LLM_ROUTER_ON_STORAGE_FULL", "lose", "must be one of refuse, serve"),
    ],
)
def test_i8_a_bound_that_is_none_stops_the_start(
    tmp_path: Path, name: str, value: str, sentence: str
):
    done = run(tmp_path, "manage.py", "check", **{name: value})

    assert done.returncode != 0
    assert sentence in done.stderr


def test_s32_the_secret_key_of_the_environment_is_the_one_that_acts(tmp_path: Path):
    given = run(tmp_path, "-c", PROBE, LLM_ROUTER_SECRET_KEY=GOOD)
    made = [run(tmp_path, "-c", PROBE).stdout.split()[0] for _ in range(2)]

    assert given.stdout.split()[0] == GOOD
    assert made[0] == made[1] != GOOD
    assert len(made[0]) >= 64
    assert (tmp_path / "secret.key").read_text().strip() == made[0]


def test_s32_each_instance_makes_a_secret_of_its_own(tmp_path: Path):
    keys = {run(tmp_path / n, "-c", PROBE).stdout.split()[0] for n in ("one", "two")}

    assert len(keys) == 2
    for name in ("one", "two"):
        assert (tmp_path / name / "secret.key").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700


def test_s33_a_fresh_instance_has_nobody_and_no_key_in_it(tmp_path: Path):
    instance = Instance(tmp_path, "http://127.0.0.1:1", empty=True)
    with instance.serving():
        links = instance.log.count("/admin/setup/")

    for table in ("auth_user", "gateway_apikey"):
        assert instance.query(f"SELECT count(*) FROM {table}") == [(0,)]
    assert instance.query("SELECT count(*) FROM gateway_setuptoken") == [(links,)]
    assert links == 1


GUESSES = [
    ("admin", "admin"),
    ("admin", "password"),
    ("admin", "changeme"),
    ("root", "root"),
    ("operator", "operator"),
    ("llm-router", "llm-router"),
]


@pytest.mark.parametrize(("name", "password"), GUESSES)
def test_s33_no_well_known_name_gets_in(tenants: TwoTenants, name: str, password: str):
    with tenants.client() as client:
        client.get("/admin/login/")
        form = {
            "username": name,
            "password": password,
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }
        answer = client.post("/admin/login/?next=/admin/", data=form)

    assert answer.status_code == 200  # the form again
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize(
    "key", ["test-token", "admin", "sk-1234", "sk-llmr-demo", "changeme", "local"]
)
def test_s33_no_well_known_key_gets_in(tenants: TwoTenants, key: str):
    with tenants.client(key) as client:
        assert client.get("/v1/models").status_code == 401


SECRET_NAMES = re.compile(r"password|passwd|secret|token|api_?key", re.IGNORECASE)
LOOKS_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[a-zA-Z])[A-Za-z0-9_\-+/=.]{20,}\Z")
PREFIXED = re.compile(r"\A(?:sk|gsk|ghp|xai|glpat)[-_][A-Za-z0-9_-]{8,}\Z")


def literals(tree: ast.AST) -> Iterator[str]:
    """Strings that are given to a name of a secret, or look like one."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if PREFIXED.match(text):
                yield text
            case ast.Assign(value=ast.Constant(value=str(text))):
                names = ", ".join(map(ast.unparse, node.targets))
                if SECRET_NAMES.search(names) and LOOKS_RANDOM.match(text):
                    yield text


def test_s33_no_secret_is_written_in_the_code():
    for app in ("config", "gateway", "routing", "workflows_app"):
        for path in (ROOT / app).rglob("*.py"):
            assert list(literals(ast.parse(path.read_text()))) == [], path


def test_s33_the_check_sees_what_it_is_for():
    code = 'ADMIN_TOKEN = "abcdefghij0123456789xyz"\nx = "sk-abcdef012345"'

    assert len(list(literals(ast.parse(code)))) == 2
