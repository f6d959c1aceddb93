import pytest

from tests.gateway.claude import claude
from tests.harness import serving
from tests.workflows_app.conftest import run_on
from workflows_app.prefixes import PREFIX_CHARS, prefixes
from workflows_app.reader import read

LONG = "A rule that all of them follow. " * 200


def ops_of(*prompts: str, **fields: object) -> dict:
    ops = {
        f"o{number}": {"prompt": prompt, "tier": 1, **fields}
        for number, prompt in enumerate(prompts)
    }
    return {"end_ops": list(ops), "ops": ops}


@pytest.mark.parametrize("in_batch", [False, True])
def test_what_ops_have_in_common_ends_where_they_differ(in_batch: bool):
    found = prefixes(read(ops_of(LONG + "Praise.", LONG + "Blame.")), in_batch=in_batch)

    assert found["o0"] == found["o1"]
    assert found["o0"].chars == len(LONG)


def test_an_op_that_is_called_once_has_nothing_in_common_with_others():
    once = prefixes(read(ops_of(LONG)), in_batch=False)["o0"]
    in_a_batch = prefixes(read(ops_of(LONG)), in_batch=True)["o0"]

    assert (bool(once.key), once.chars) == (True, 0)
    assert in_a_batch.chars == len(LONG)


def test_short_texts_and_other_targets_share_nothing():
    short = "x" * (PREFIX_CHARS - 1)
    found = prefixes(read(ops_of(short, short)), in_batch=True)

    assert {each.key for each in found.values()} == {""}


async def test_anthropic_is_told_what_the_items_of_a_map_begin_with(
    database, upstream, tmp_path
):
    workflow = ops_of(LONG, map="input")
    async with serving(claude(upstream.url), tmp_path) as gateway:
        reply = await run_on(gateway, workflow, input=["tea", "coffee", "milk"])

    assert reply.status == 200
    contents = [attempt.body["messages"][0]["content"] for attempt in upstream.attempts]
    marked = {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}
    assert [content[0] for content in contents] == [marked] * 3
    assert len({content[1]["text"] for content in contents}) == 3
