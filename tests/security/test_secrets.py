"""S13: a provider's key is in its requests and nowhere else."""

import gc
import json
import time
from pathlib import Path

import httpx
import orjson
import pytest

from gateway.providers import anthropic, openai
from gateway.providers.http import Call
from gateway.thoughts import nobody
from routing.catalog import Catalog, Policy, Tier
from routing.chat import ChatRequest
from routing.secret import Secret
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, backend, serving
from tests.instance import PROVIDER_KEY
from tests.security.conftest import STORED_KEY, TwoTenants

CANARIES = (PROVIDER_KEY, STORED_KEY)
KEY = "sk-canary-in-the-catalog"
SCRIPTS = [
    "ok",
    "status-400",
    "status-401",
    "status-403",
    "status-404",
    "status-429",
    "status-500",
    "html-200",
    "half-json",
    "bad-gzip",
    "rst-after-1",
    "error-event-at-1",
    "context-length-400",
]


def assert_hidden(text: str | bytes, where: str) -> None:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for canary in CANARIES:
        assert canary[3:] not in shown, where


@pytest.fixture(scope="module")
def crawled(tenants: TwoTenants) -> TwoTenants:
    """The instance after some failures, with each way of keeping a key."""
    for script in ("ok", "status-400", "html-200", "status-401"):
        for model in ("small", "stored"):
            tenants.upstream.script = [script]
            text = f"{model} {script} {time.time()}"
            answer = tenants.ask(tenants.red, text, model=model)
    tenants.upstream.script = []
    with tenants.client(tenants.red) as client:  # waits until the last one is stored
        client.get(f"/v1/requests/{answer.headers['x-request-id']}")
    assert all(tenants.upstream.saw_key(key) for key in CANARIES)
    return tenants


def test_s13_no_endpoint_shows_a_key(crawled: TwoTenants):
    ids = crawled.instance.query("SELECT request_id FROM gateway_requestlog")
    paths = ["/v1/backends", "/v1/models", "/stats", "/metrics", "/ready", "/health"]
    paths += [f"/v1/requests/{request_id}" for (request_id,) in ids]
    with crawled.client(crawled.red) as client:
        for path in paths:
            assert_hidden(client.get(path).content, path)

    assert len(ids) >= 8


def test_s13_no_log_file_journal_or_database_holds_a_key(crawled: TwoTenants):
    assert "backend_state" in crawled.instance.log
    assert_hidden(crawled.instance.log, "the log")
    files = [p for p in crawled.instance.data_dir.rglob("*") if p.is_file()]
    for path in files:
        assert_hidden(path.read_bytes(), str(path))

    kinds = {path.suffix for path in files}
    assert {".sqlite3", ".journal", ".key"} <= kinds


def test_s13_no_export_holds_a_key_or_its_cipher(crawled: TwoTenants):
    ((token,),) = crawled.instance.query(
        "SELECT api_key_value FROM routing_backend WHERE name = 'stored'"
    )
    dumped = crawled.instance.manage("dump_config")
    exported = crawled.instance.manage("dumpdata")
    drift = crawled.instance.manage(
        "load_config", "--dry-run", str(crawled.instance.config)
    )

    assert token
    assert token not in dumped.stdout
    assert "stored" in dumped.stdout
    for done in (dumped, exported, drift):
        assert done.returncode == 0, done.stderr
        assert_hidden(done.stdout + done.stderr, str(done.args[2]))


def test_s13_the_cipher_in_an_export_is_not_the_key(crawled: TwoTenants):
    exported = json.loads(crawled.instance.manage("dumpdata", "routing.backend").stdout)

    fields = {row["fields"]["name"]: row["fields"] for row in exported}
    assert fields["small"]["api_key_value"] == ""
    assert fields["small"]["api_key_env"] == "TEST_PROVIDER_KEY"
    assert STORED_KEY not in str(fields["stored"])


def catalog(url: str) -> Catalog:
    only = backend("small", 1, url, api_key=Secret(KEY))
    return Catalog((Tier(1, "small"),), (only,), policy=Policy())


async def test_s13_no_object_of_the_runtime_shows_a_key(
    upstream: FaultLLM, tmp_path: Path
):
    """Whatever a traceback, a log line or a debugger may print."""
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        assert (await ask(gateway)).status == 200
        shown = everything_shown(gateway)

    assert upstream.saw_key(KEY)
    assert "Secret(*****)" in shown
    assert KEY not in shown


def everything_shown(gateway: Gateway) -> str:
    """What `repr` says of every object of ours that is alive."""
    ours = ("gateway.", "routing.")
    alive = [
        one for one in gc.get_objects() if str(type(one).__module__).startswith(ours)
    ]
    assert any(one is gateway.runtime for one in alive)
    pool = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)
    return "\n".join(repr(one) for one in alive) + str(pool)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", SCRIPTS)
async def test_s13_no_failure_shows_a_key(
    upstream: FaultLLM, tmp_path: Path, capfd, script: str, stream: bool
):
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        upstream.always = script
        reply = await ask(gateway, stream=stream)
        journal = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    logged = capfd.readouterr()

    assert upstream.saw_key(KEY)
    told = reply.text + str(reply.headers) + logged.out + logged.err
    assert KEY not in told
    assert KEY.encode() not in journal


@pytest.mark.parametrize("wire", [openai, anthropic])
def test_s13_a_call_ready_to_be_sent_shows_neither_key_nor_prompt(wire):
    chat = ChatRequest(
        {"messages": [{"role": "user", "content": "my own words"}]}, "key:1", "req_1"
    )
    (only,) = catalog("http://provider.example").backends
    call = wire.prepare(only, chat, Policy(), nobody)

    assert isinstance(call, Call)
    assert KEY in str(call.headers)
    assert KEY not in repr(call)
    assert "my own words" not in repr(call)


def test_s13_a_secret_is_in_no_way_turned_into_text():
    secret = Secret(KEY)

    ways = [repr(secret), str(secret), f"{secret}", f"{secret!s:>20}"]
    ways += [format(secret), repr([secret]), repr({"key": secret}), ascii(secret)]
    assert KEY not in "".join(ways)
    for dump in (json.dumps, orjson.dumps):
        with pytest.raises(TypeError):
            dump({"key": secret})
    assert not hasattr(secret, "__dict__")


async def test_s13_a_bug_of_ours_tells_the_client_nothing(
    upstream: FaultLLM, tmp_path: Path
):
    """A row that no check foresaw: the log has the details, the client an id."""
    async with serving(catalog(upstream.url), tmp_path) as gateway:
        gateway.runtime.retries = None  # what follows is a crash inside of ours
        async with httpx.AsyncClient() as client:
            body = {"messages": [{"role": "user", "content": "my own words"}]}
            answer = await client.post(f"{gateway.url}/v1/chat/completions", json=body)

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert answer.headers["x-request-id"]
    for word in (KEY, "my own words", "Traceback", "AttributeError", ".py", "NoneType"):
        assert word not in answer.text
