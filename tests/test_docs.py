"""What the code offers is documented, and what is documented exists."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from config.api_urls import urlpatterns
from routing.catalog import Catalog
from tests import ROOT
from tests.harness import serving
from tests.pages import FENCED, PAGES, page

EVERYTHING = "\n".join(PAGES.values())
INLINE = re.compile(r"`([^`\n]+)`")
SETTING = re.compile(r"\b(?:LLM_ROUTER_[A-Z_]*[A-Z]|[A-Z]+_URL)\b")
OWN_HEADER = re.compile(r"x-llm-router-[a-z-]*[a-z]")
# Made anew by each instance: there is no default to write down.
GENERATED = {"LLM_ROUTER_DATA_DIR", "LLM_ROUTER_SECRET_KEY"}
GENERATED |= {"LLM_ROUTER_ENCRYPTION_KEYS"}


def code_in(text: str) -> str:
    """What a page shows as code, inline or in blocks."""
    blocks = FENCED.findall(text)
    return "\n".join((*blocks, *INLINE.findall(FENCED.sub("", text))))


def mentions(text: str, name: str) -> bool:
    """Does `name` stand there by itself, not as a part of a longer name?"""
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.I))


def nodes(*folders: str) -> Iterator[ast.AST]:
    """Every syntax node of our sources in these folders, or of single files."""
    for folder in folders:
        place = ROOT / folder
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        for path in files:
            if "migrations" not in path.parts:
                yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def literal(node: ast.AST | None) -> str:
    """The text of a string or bytes constant, else nothing."""
    value = node.value if isinstance(node, ast.Constant) else ""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


# --- Settings -------------------------------------------------------------------


def settings_read() -> set[str]:
    calls = (n for n in nodes("config/settings.py") if isinstance(n, ast.Call))
    first = {literal(call.args[0]) for call in calls if call.args}
    return {name for name in first if SETTING.fullmatch(name)}


def test_every_setting_has_a_row_and_every_row_a_setting():
    rows = set(re.findall(r"^\| `([A-Z_]+)` \|", page("settings.md"), re.MULTILINE))

    assert rows == settings_read()
    assert len(rows) > 10


def test_documented_defaults_are_those_of_the_code():
    wrong = {}
    for name in settings_read() - GENERATED - os.environ.keys():
        value = getattr(settings, name.removeprefix("LLM_ROUTER_"), None)
        if not isinstance(value, str | int):  # a list: Django's own test set-up adds
            continue
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        if f"| `{name}` | `{shown}`" not in page("settings.md"):
            wrong[name] = shown

    assert wrong == {}


def test_no_page_names_a_setting_that_is_gone():
    test_files = (*ROOT.glob("tests/**/*.py"), ROOT / ".ci/run")
    for_tests = {
        name
        for path in test_files
        for name in SETTING.findall(path.read_text(encoding="utf-8"))
    }
    deployed = "\n".join(path.read_text() for path in ROOT.glob("deploy/*"))
    named = {
        name
        for name in SETTING.findall(EVERYTHING + deployed)
        if name.startswith("LLM_ROUTER_")
    }

    assert named - settings_read() - for_tests == set()


# --- The API --------------------------------------------------------------------


def endpoints() -> set[str]:
    """As `GET /v1/models/{model}`."""
    found = set()
    for pattern in urlpatterns:
        address = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(pattern.callback.cls, method):
                found.add(f"{method.upper()} /{address}")
    return found


def test_every_endpoint_has_a_row_and_every_row_an_endpoint():
    rows = re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", page("api.md"), re.MULTILINE)

    assert set(rows) == endpoints()
    assert len(rows) > 5


def header_literals() -> set[str]:
    """Names of headers that the API reads or writes, in small letters."""
    found = set()
    for node in nodes("gateway/api", "gateway/asgi"):
        text = literal(node)
        is_bytes = isinstance(getattr(node, "value", None), bytes)
        pattern = r"[a-z]+(-[a-z]+)+" if is_bytes else r"x-[a-z]+(-[a-z]+)*"
        if re.fullmatch(pattern, text):
            found.add(text)
    for node in nodes("gateway/api/render.py"):
        # Headers are pairs there; of `yield name, value` only the name is a constant.
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            found.add(literal(node.elts[0]))
    return found - {""}


def test_every_header_is_documented():
    found = header_literals()
    # What only shows that a proxy is there belongs to open mode.
    pages = page("api.md") + page("security.md")

    assert {name for name in found if not mentions(pages, name)} == set()
    assert {"x-llm-router-cache", "x-llm-router-pin", "retry-after"} <= found


def test_no_page_names_a_header_of_ours_that_is_gone():
    named = set(OWN_HEADER.findall(EVERYTHING.lower()))

    assert named - header_literals() == set()


def error_codes() -> dict[str, set[int]]:
    """Each code a client can see, with its statuses where they are told."""
    found: dict[str, set[int]] = {}
    for node in nodes("gateway", "workflows_app"):
        if isinstance(node, ast.keyword) and node.arg == "code":
            found.setdefault(literal(node.value), set())
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if literal(key) == "code":
                    found.setdefault(literal(value), set())
        elif isinstance(node, ast.ClassDef):
            told = dict(assigned(node))
            if code := literal(told.get("code")):
                status = getattr(told.get("status"), "value", None)
                found.setdefault(code, set()).update({status} if status else ())
    found.pop("", None)
    return found


def assigned(body: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """What a class sets, as in `status, code = 404, "not_found"`."""
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield ast.unparse(node.target), node.value
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            names = map(ast.unparse, target.elts)
            yield from zip(names, value.elts, strict=True)
        else:
            yield ast.unparse(target), value


def test_every_error_code_has_a_row_with_its_status_and_every_row_a_code():
    table = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", page("api.md"), re.MULTILINE)
    rows = {code: int(status) for code, status in table}
    codes = error_codes()

    assert rows.keys() == codes.keys()
    assert {
        code: rows[code] for code, told in codes.items() if told - {rows[code]}
    } == {}
    assert len(rows) > 20


def test_the_codes_of_rows_that_are_no_answers_are_documented():
    codes = {
        literal(node.value)
        for node in nodes("gateway")
        if isinstance(node, ast.keyword) and node.arg == "error_code"
    }

    assert {code for code in codes if f"`{code}`" not in page("accounting.md")} <= {""}


# --- Operations -----------------------------------------------------------------


async def test_every_metric_has_a_row_and_every_row_a_metric(tmp_path: Path):
    async with (
        serving(Catalog(), tmp_path) as gateway,
        httpx.AsyncClient() as client,
    ):
        text = (await client.get(f"{gateway.url}/metrics")).text

    exposed = set(re.findall(r"^# TYPE (llm_router_\w+) ", text, re.MULTILINE))
    rows = re.findall(r"^\| `(llm_router_\w+)` \|", page("operations.md"), re.MULTILINE)

    assert set(rows) == {name for name in exposed if not name.endswith("_created")}
    assert len(rows) > 10


def test_every_command_is_documented_with_its_options():
    stock = BaseCommand().create_parser("manage.py", "")._option_string_actions
    shown = code_in(page("operations.md"))
    missing = set()
    for path in ROOT.glob("*/management/commands/[a-z]*.py"):
        app, name = path.parts[-4], path.stem
        if not mentions(shown, f"manage.py {name}"):
            missing.add(name)
        command = load_command_class(app, name)
        options = command.create_parser("manage.py", name)._option_string_actions
        missing |= {
            option
            for option in options.keys() - stock.keys()
            if not mentions(shown, option)
        }

    assert missing == set()


def test_no_page_names_a_command_that_is_gone():
    named = set(re.findall(r"manage\.py (\w+)", code_in(EVERYTHING)))

    assert named - get_commands().keys() == set()


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))


def test_every_make_target_is_documented_and_no_other():
    rows = re.findall(r"^\| `make ([a-z-]+)` \|", page("operations.md"), re.MULTILINE)
    named = set(re.findall(r"\bmake ([a-z-]+)", code_in(EVERYTHING)))

    assert set(rows) == make_targets()
    assert named - make_targets() == set()
