"""Imports point one way: config -> workflows_app -> gateway -> routing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

LAYERS = ("routing", "gateway", "workflows_app", "config")  # lowest first
HTTP = {"aiohttp", "httpx", "httptools", "uvicorn", "rest_framework", "asgiref"}
# What the story hands values to; they never call back up to it.
LEAVES = ("cache", "dialects", "inflight", "ledger", "providers", "shared")
LEAVES += ("shared_call",)
STORY = {
    "gateway.admin",
    "gateway.api",
    "gateway.asgi",
    "gateway.crossing",
    "gateway.deciding",
    "gateway.delivery",
    "gateway.order",
    "gateway.pipeline",
    "gateway.purchase",
    "gateway.reading",
    "gateway.runtime",
    "gateway.serving",
    "gateway.workers",
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Full names of what a file imports, wherever in it and for whatever reason."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = path.relative_to(ROOT).parts[: -node.level]
                module = ".".join([*package, *filter(None, [module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("layer", LAYERS)
def test_no_layer_imports_one_above_it(layer):
    above = LAYERS[LAYERS.index(layer) + 1 :]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(layer)
        for name in imports(path)
        if any(is_in(name, other) for other in above)
    ]
    assert wrong == []
    assert modules(layer)


def test_what_is_served_never_imports_tests_or_benchmarks():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for layer in LAYERS
        for path in modules(layer)
        for name in imports(path)
        if is_in(name, "tests") or is_in(name, "benchmarks")
    ]
    assert wrong == []


def test_routing_knows_nothing_of_http():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("routing")
        for name in imports(path)
        if name.split(".")[0] in HTTP
    ]
    assert wrong == []


def test_dialects_do_no_input_or_output():
    forbidden = HTTP | {"asyncio", "django", "socket", "threading"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("gateway/dialects")
        for name in imports(path)
        if name.split(".")[0] in forbidden
    ]
    assert wrong == []


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_never_calls_back_up(leaf):
    paths = modules(f"gateway/{leaf}") or [ROOT / "gateway" / f"{leaf}.py"]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path)
        if any(is_in(name, part) for part in STORY)
    ]
    assert wrong == []


def test_an_import_is_found_wherever_it_stands(tmp_path):
    source = tmp_path / "sample.py"
    source.write_text(
        "import a.b as c\n"
        "from d import e\n"
        "def f():\n"
        "    from g.h import i\n"
        "if TYPE_CHECKING:\n"
        "    import j\n"
    )
    assert set(imports(source)) == {"a.b", "d.e", "g.h.i", "j"}
