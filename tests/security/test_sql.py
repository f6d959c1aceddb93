"""S1: no input becomes SQL, neither in the tree nor at any door."""

import ast
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import ROOT
from tests.instance import Instance

APPS = ("config", "gateway", "routing", "workflows_app")
# Read by hand: their texts hold names of our own tables and columns, never input.
REVIEWED = {ROOT / "routing" / "triggers.py", ROOT / "gateway" / "ledger" / "table.py"}
RAW = {"raw", "extra", "RawSQL", "executescript"}
EXECUTES = {"execute", "executemany"}
HOSTILE = [
    "' OR '1'='1",
    "'; DROP TABLE gateway_apikey; --",
    '" OR ""="',
    "1) UNION SELECT digest FROM gateway_apikey --",
    "%' OR 1=1 --",
    "\\'; SELECT pg_sleep(5); --",
    "{0.__class__}%s%(x)s",
]


def sources() -> Iterator[Path]:
    for app in APPS:
        yield from (ROOT / app).rglob("*.py")


def suspicious(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls that put raw SQL together, or run a text that is no literal."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        if name in RAW:
            yield node
        elif name in EXECUTES and isinstance(function, ast.Attribute):
            text = node.args[:1]  # an `execute()` of nothing is some other one's
            if text and not isinstance(text[0], ast.Constant):
                yield node


def test_s1_no_sql_is_put_together_from_parts():
    found = [
        f"{path}:{call.lineno}"
        for path in sources()
        if path not in REVIEWED
        for call in suspicious(ast.parse(path.read_text()))
    ]

    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'cursor.execute(f"SELECT {name}")',
        'cursor.execute("SELECT %s" % name)',
        "cursor.execute(query, [])",
        'Tier.objects.raw("SELECT 1")',
        'Tier.objects.extra(where=["x"])',
        'Tier.objects.annotate(x=RawSQL("1", ()))',
    ],
)
def test_s1_the_check_sees_what_it_is_for(code: str):
    assert list(suspicious(ast.parse(code)))


def test_s1_the_triggers_take_the_names_of_our_models_and_nothing_else():
    callers = [
        path
        for path in sources()
        if "triggers.install" in path.read_text() and "migrations" not in path.parts
    ]

    assert callers == [ROOT / "gateway" / "apps.py"]


@pytest.mark.parametrize("text", HOSTILE)
def test_s1_hostile_text_at_every_door_is_only_text(tenants, text: str):
    quoted = {"x-llm-router-pin": text, "x-llm-router-tags": text[:64]}
    with tenants.client(tenants.red) as client:
        shown = [
            client.get("/v1/models/" + text),
            client.post("/v1/feedback", json={"request_id": text, "quality": 1}),
            client.post("/v1/chat/completions", json=chat(model=text)),
            client.post("/v1/chat/completions", json=chat(), headers=quoted),
        ]
    with tenants.client(text) as client:
        refused = client.get("/stats")

    assert [response.status_code for response in shown] == [404] * 4
    assert refused.status_code == 401
    assert not any("syntax" in response.text.lower() for response in shown)
    wait_for_row(tenants.instance, text)


def wait_for_row(instance: Instance, model: str) -> None:
    """The request for this model is in the books, its name to the letter."""
    query = "SELECT count(*) FROM gateway_requestlog WHERE model_asked = ?"
    deadline = time.monotonic() + 20
    while instance.query(query, [model]) == [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_s1_hostile_ids_find_nothing_and_break_nothing(tenants):
    paths = ["/v1/requests/" + text.replace("/", "") for text in HOSTILE]
    with tenants.client(tenants.red) as client, ThreadPoolExecutor() as threads:
        statuses = [each.status_code for each in threads.map(client.get, paths)]
    digests = tenants.instance.query(
        "SELECT count(DISTINCT digest) FROM gateway_apikey"
    )

    assert statuses == [404] * len(HOSTILE)
    assert digests == [(2,)]


def chat(**fields: object) -> dict:
    return {"messages": [{"role": "user", "content": "Hi"}], **fields}
