"""S2, S3: what a key is, where it is kept, and that nothing else opens the door."""

import hashlib
import json
from pathlib import Path
from random import Random
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api.authentication import authenticate
from gateway.asgi.application import Application
from gateway.errors import Unauthorized
from gateway.key_rows import KEY_PREFIX, digest_of, new_secret
from gateway.ledger.books import Caller
from gateway.runtime.snapshot import Key, Snapshot
from tests.faultllm import FaultLLM
from tests.harness import Gateway, OpenLifespan, no_admin, one_backend, serving

SECRET = new_secret()
CALLER = Caller(scope="key:1", key_name="laptop", key_id=1)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def mutated(dice: Random) -> bytes:
    """A token one step away from the good one, or from another world."""
    at = dice.randrange(len(SECRET))
    letter = dice.choice(ALPHABET.replace(SECRET[at], ""))
    kinds = [
        SECRET[:at] + letter + SECRET[at + 1 :],
        SECRET[:at] + SECRET[at + 1 :],
        SECRET[:at] + letter + SECRET[at:],
        SECRET[:at],
        SECRET[at + 1 :],
        SECRET + letter,
        SECRET * 2,
        SECRET.swapcase(),
        digest_of(SECRET),
        digest_of(SECRET)[: dice.randrange(64)],
        KEY_PREFIX + "".join(dice.choices(ALPHABET, k=40)),
        "".join(dice.choices("\x01\x7f\xa0\xff' \"%s\t", k=dice.randrange(60))),
    ]
    return dice.choice(kinds).encode("latin-1")


async def get(application: Application, headers: list[tuple[bytes, bytes]]) -> tuple:
    """Status and body of `GET /v1/models`, without a socket in between."""
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/models",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }
    await application(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def answers_to_wrong_tokens(gateway: Gateway, count: int) -> set[tuple]:
    application = Application(no_admin, OpenLifespan(gateway.runtime))
    dice = Random(count)
    answers = set()
    for _ in range(count):
        token = mutated(dice)
        header = dice.choice(
            [(b"authorization", b"Bearer " + token), (b"x-api-key", token)]
        )
        answers.add(await get(application, [header]))
    right = [(b"authorization", f"bearer {SECRET}".encode())]
    assert (await get(application, right))[0] == 200
    return answers


async def wrong_tokens(upstream: FaultLLM, journal: Path, count: int) -> None:
    keys = {SECRET: CALLER}
    async with serving(one_backend(upstream.url), journal, keys=keys) as gateway:
        answers = await answers_to_wrong_tokens(gateway, count)

    ((status, body),) = answers
    assert status == 401
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


async def test_s3_every_wrong_token_gets_one_and_the_same_401(
    upstream: FaultLLM, tmp_path: Path
):
    await wrong_tokens(upstream, tmp_path, 10_000)


@pytest.mark.slow
async def test_s3_a_hundred_thousand_wrong_tokens(upstream: FaultLLM, tmp_path: Path):
    await wrong_tokens(upstream, tmp_path, 100_000)


NOW = 1_000_000.0


def refusal_of(secret: str, snapshot: Snapshot) -> tuple:
    headers = {b"authorization": f"Bearer {secret}".encode("latin-1")}
    with pytest.raises(Unauthorized) as raised:
        authenticate(headers, snapshot, loopback=True, now_wall=NOW)
    error = raised.value
    return error.status, error.code, error.type, error.message, error.should_retry


def test_s3_expired_revoked_unknown_and_missing_keys_look_alike():
    digest = digest_of(SECRET)
    expired = Snapshot(keys={digest: Key(CALLER, expires_at=NOW)}, has_keys=True)
    revoked = Snapshot(keys={}, has_keys=True)
    another = Snapshot(keys={digest_of("other"): Key(CALLER)}, has_keys=True)

    refusals = {refusal_of(SECRET, one) for one in (expired, revoked, another)}
    refusals |= {refusal_of("", expired), refusal_of("\xff\xfe", expired)}

    assert len(refusals) == 1


def test_s3_a_key_is_good_until_the_very_moment_of_its_end():
    key = Key(CALLER, expires_at=NOW + 0.001)
    snapshot = Snapshot(keys={digest_of(SECRET): key}, has_keys=True)
    headers = {b"x-api-key": SECRET.encode()}

    assert authenticate(headers, snapshot, loopback=False, now_wall=NOW) == CALLER


class Looked(dict):
    """Notes by what it was asked."""

    def get(self, key: str, default: object = None) -> object:
        self.asked = key
        return super().get(key, default)


@given(st.text(st.characters(max_codepoint=255), min_size=1, max_size=300))
@settings(max_examples=100)
def test_s2_a_key_is_looked_up_by_the_whole_digest_of_the_whole_token(token: str):
    keys = Looked()
    token = token.strip() or "x"

    refusal_of(token, Snapshot(keys=keys, has_keys=True))

    whole = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    assert keys.asked == whole


def test_s2_a_key_is_random_and_told_from_others_by_its_prefix_and_checksum():
    secrets = {new_secret() for _ in range(1000)}

    assert len(secrets) == 1000
    assert {len(secret) for secret in secrets} == {len(KEY_PREFIX) + 32 + 8}
    for secret in secrets:
        body, checksum = secret.removeprefix(KEY_PREFIX)[:-8], secret[-8:]
        assert secret.startswith(KEY_PREFIX)
        assert int(checksum, 16) == crc32(body.encode())


def test_s2_the_database_holds_the_digest_and_nothing_one_could_use(tenants):
    rows = tenants.instance.query("SELECT name, prefix, digest FROM gateway_apikey")
    stored = b"".join(
        path.read_bytes()
        for path in tenants.instance.data_dir.rglob("*")
        if path.is_file()
    )

    secrets = {"red": tenants.red, "blue": tenants.blue}
    assert secrets.keys() == {name for name, *_ in rows}
    for name, prefix, digest in rows:
        assert digest == hashlib.sha256(secrets[name].encode()).hexdigest()
        assert secrets[name].startswith(prefix)
        assert len(prefix) <= len(KEY_PREFIX) + 4
        assert secrets[name][len(prefix) :].encode() not in stored


def test_s3_a_stored_digest_is_no_key(tenants):
    for (digest,) in tenants.instance.query("SELECT digest FROM gateway_apikey"):
        with tenants.client(digest) as client:
            assert client.get("/v1/models").status_code == 401


def test_s3_a_key_that_ended_is_refused_like_one_that_never_was(tenants):
    columns = "name, team_id, prefix, digest, created_at, expires_at, may_pin"
    columns += ", max_in_flight"
    values = ("ended", None, "sk-", digest_of("ended"), *["2020-01-01 00:00:00"] * 2)
    tenants.instance.query(
        f"INSERT INTO gateway_apikey ({columns}) VALUES (?, ?, ?, ?, ?, ?, 1, 0)",
        values,
    )
    with tenants.client("ended") as ended, tenants.client("never") as never:
        answers = [client.get("/v1/models") for client in (ended, never)]
    tenants.instance.query("DELETE FROM gateway_apikey WHERE name = 'ended'")

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content
    assert answers[0].headers.keys() == answers[1].headers.keys()
