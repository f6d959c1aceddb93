"""What the log keeps of what was said: as much as the policy or the key says."""

import json
from pathlib import Path

import pytest

from gateway.contents.transcript import (
    MOST_CHARS,
    MOST_MESSAGES,
    Transcript,
    texts_of_answer,
)
from gateway.ledger.books import Caller
from gateway.ledger.journal import decode
from tests.faultllm import FaultLLM
from tests.harness import ask, one_backend, serving

SECRET = "My mail is ann@mail.example and my card 4111 1111 1111 1111. "


def journaled(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*.journal"))


def requests_in(folder: Path) -> list[dict]:
    lines = journaled(folder).splitlines(keepends=True)
    records = [decode(line.rstrip(b"\n")) or {} for line in lines]
    return [record for record in records if record.get("t") == "request"]


async def kept_of(
    upstream: FaultLLM, folder: Path, text: str, policy: dict, **body: object
) -> dict:
    catalog = one_backend(upstream.url, **policy)
    async with serving(catalog, folder) as gateway:
        await ask(gateway, text, headers={"x-llm-router-tags": "night"}, **body)
        [record] = requests_in(gateway.journal_dir)
    return record


async def test_by_default_no_text_is_kept(upstream: FaultLLM, tmp_path: Path):
    record = await kept_of(upstream, tmp_path, SECRET, {})

    assert "contents" not in record
    assert record["tags"] == ["night"]
    assert [step["step"] for step in record["decisions"]]
    assert b"mail" not in journaled(tmp_path)


async def test_switched_off_not_even_decisions_and_tags_are(
    upstream: FaultLLM, tmp_path: Path
):
    record = await kept_of(upstream, tmp_path, SECRET, {"contents": "off"})

    assert (record["decisions"], record["tags"], record["lesson"]) == ([], [], None)
    assert record["cost_nano"] > 0


@pytest.mark.parametrize("stream", [False, True])
async def test_in_full_both_sides_are_kept_redacted(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    record = await kept_of(
        upstream, tmp_path, SECRET + "Why?", {"contents": "full"}, stream=stream
    )

    [said] = record["contents"]["messages"]
    assert said["role"] == "user"
    assert said["text"] == "My mail is [email] and my card [card]. Why?"
    assert said["chars"] == len(SECRET + "Why?")
    assert record["contents"]["answer"].startswith("Answer to: My mail is [email]")
    assert b"4111" not in journaled(tmp_path) and b"ann@" not in journaled(tmp_path)


async def test_truncated_texts_end_where_the_policy_says(
    upstream: FaultLLM, tmp_path: Path
):
    policy = {"contents": "truncated", "contents_chars": 20}
    record = await kept_of(upstream, tmp_path, "Tell me a story. " * 9, policy)

    [said] = record["contents"]["messages"]
    assert said["text"] == "Tell me a story. Tel"
    assert len(record["contents"]["answer"]) == 20
    assert record["contents"]["answer_chars"] > 20


@pytest.mark.parametrize("chars", range(11, 30))
def test_s36_what_is_cut_in_two_is_recognised_all_the_same(chars: int):
    transcript = Transcript(chars)
    card = "My card is 4111 1111 1111 1111."
    transcript.hear_whole(json.dumps({"content": [{"text": card}]}).encode())
    kept = transcript.to_json({"messages": [{"role": "user", "content": card}]})

    expected = "My card is [card]."[:chars]
    assert (kept["messages"][0]["text"], kept["answer"]) == (expected, expected)


async def test_a_keys_own_word_counts_more(upstream: FaultLLM, tmp_path: Path):
    keys = {
        "open": Caller(scope="key:1", key_id=1, contents="full"),
        "closed": Caller(scope="key:2", key_id=2, contents="metadata"),
    }
    catalog = one_backend(upstream.url, contents="truncated")
    async with serving(catalog, tmp_path, keys=keys) as gateway:
        for key in keys:
            await ask(gateway, "Hi", headers={"authorization": f"Bearer {key}"})
        records = requests_in(gateway.journal_dir)

    by_scope = {record["scope"]: record for record in records}
    assert by_scope["key:1"]["contents"]["messages"][0]["text"] == "Hi"
    assert "contents" not in by_scope["key:2"]


async def test_a_cached_answer_and_one_that_was_left_are_kept_too(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url, contents="full"), tmp_path) as gateway:
        first = await ask(gateway, "What is tea?")
        again = await ask(gateway, "What is tea?", stream=True)
        records = requests_in(gateway.journal_dir)

    assert again.headers["x-llm-router-cache"] == "HIT"
    said = first.json["choices"][0]["message"]["content"]
    assert [record["contents"]["answer"] for record in records] == [said, said]


def test_messages_without_end_are_bounded():
    body = {"messages": [{"role": "user", "content": "x" * 5000}] * 1000}
    kept = Transcript(None).to_json(body)

    assert len(kept["messages"]) == MOST_MESSAGES
    assert kept["left_out"] == 1000 - MOST_MESSAGES
    assert sum(len(each["text"]) for each in kept["messages"]) == MOST_CHARS
    assert json.dumps(kept)


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ({"choices": [{"message": {"content": "a"}}, {"text": "b"}]}, ["a", "b"]),
        ({"content": [{"type": "text", "text": "a"}, {"type": "tool_use"}]}, ["a"]),
        ({"output": [{"content": [{"text": "a"}]}, {"type": "reasoning"}]}, ["a"]),
        ({"data": [{"embedding": [0.1]}]}, []),
        ([], []),
    ],
)
def test_answers_of_every_api_are_read(answer: object, texts: list[str]):
    assert list(texts_of_answer(answer)) == texts
