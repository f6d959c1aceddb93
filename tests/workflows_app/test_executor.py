"""What ops do, one feature after the other, on a pretended provider."""

import asyncio

import pytest

from tests.workflows_app.prompts import DIAMOND, ops_called, prompts
from tests.workflows_app.samples import one_op, two_ops
from workflows_app.definition import Op
from workflows_app.executor import vote
from workflows_app.runs import Runs


async def test_each_op_is_a_request_in_the_books(run, gateway):
    answer = await run(two_ops())

    rows = gateway.records("request")
    assert [row["endpoint"] for row in rows] == ["workflows", "workflows"]
    assert rows[1]["tags"] == [f"run:{answer.json['run_id']}", "op:b"]
    paid = sum(row["cost_nano"] for row in rows)
    assert round(sum(answer.json["costs"].values()) * 1e9) == paid > 0


async def test_a_repeated_run_is_answered_from_the_cache(run, upstream):
    first = await run(two_ops())
    second = await run(two_ops())

    assert second.json["outputs"] == first.json["outputs"]
    assert second.json["costs"] == {"a": 0, "b": 0}
    assert len(upstream.attempts) == 2
    plan = (await run(two_ops(), query="?explain=1")).json["plan"]
    assert plan["cached"] == ["a", "b"]
    assert plan["cost_usd"]["max"] == 0


async def test_another_wording_is_another_request(run, upstream):
    await run(one_op(prompt="What is the capital of France?", inputs={"query": False}))
    await run(one_op(prompt="What's France's capital?", inputs={"query": False}))

    assert len(upstream.attempts) == 2


async def test_cache_off_and_dedupe_false_ask_again(run, upstream):
    for fields in ({"cache": "off"}, {"dedupe": False}):
        before = len(upstream.attempts)
        await run(one_op(**fields))
        await run(one_op(**fields))
        assert len(upstream.attempts) == before + 2


async def test_identical_ops_of_concurrent_runs_share_one_call(run, upstream, gateway):
    upstream.always = "hold"
    asking = [asyncio.create_task(run(one_op())) for _ in range(5)]
    await upstream.until(lambda: upstream.holding == 1)
    async with asyncio.timeout(10):
        while len(Runs.of(gateway.runtime)) < 5:
            await asyncio.sleep(0.01)
    upstream.always = ""
    upstream.release()

    answers = await asyncio.gather(*asking)

    assert len(upstream.attempts) == 1
    assert len({answer.json["final_output"] for answer in answers}) == 1


async def test_ops_that_lead_nowhere_are_pruned_and_twins_done_once(run, upstream):
    workflow = {
        "end_ops": ["d"],
        "ops": {
            "a": {"prompt": "Op a.", "temperature": 0},
            "twin": {"prompt": "Op a.", "temperature": 0},
            "dead": {"prompt": "Op dead.", "input_ops": ["a"]},
            "d": {"prompt": "Op d.", "input_ops": ["a", "twin"]},
        },
    }

    answer = await run(workflow)

    assert sorted(ops_called(upstream)) == ["a", "d"]
    outputs = answer.json["outputs"]
    assert outputs["a"] == outputs["twin"]
    assert "dead" not in outputs
    assert prompts(upstream)[1].count('<output op="twin">') == 1


async def test_placeholders_take_the_place_of_blocks(run, upstream):
    workflow = two_ops(
        {"prompt": "About {{inputs.topic}}."},
        {
            "prompt": "",
            "template": "Judge:\n{{a}}\nas {{input}}",
            "system": "You are {{inputs.who}}.",
        },
    )

    answer = await run(workflow, "asked", inputs={"topic": "ants", "who": "{{a}}"})

    assert answer.status == 200
    first, second = upstream.attempts
    assert first.body["messages"][0]["content"] == (
        "About ants.\n\n<input>\nasked\n</input>"
    )
    system, user = second.body["messages"]
    assert system == {"role": "system", "content": "You are {{a}}."}
    said = answer.json["outputs"]["a"]
    assert user["content"] == f"Judge:\n{said}\nas asked"


async def test_an_op_may_go_without_input_and_without_some_parents(run, upstream):
    ops = dict(DIAMOND["ops"])
    ops["d"] = {**ops["d"], "inputs": {"query": False, "parents": ["c"]}}

    await run({**DIAMOND, "ops": ops})

    assert prompts(upstream)[-1].startswith('Op d.\n\n<output op="c">\n')


async def test_when_skips_an_op_and_what_only_it_leads_to(run, upstream):
    workflow = {
        "end_ops": ["check", "repair", "after"],
        "ops": {
            "check": {"prompt": "Op check."},
            "repair": {
                "prompt": "Op repair.",
                "input_ops": ["check"],
                "when": 'check contains "never said"',
            },
            "after": {"prompt": "Op after.", "input_ops": ["repair"]},
        },
    }

    answer = await run(workflow)

    assert list(answer.json["outputs"]) == ["check"]
    assert answer.json["final_output"] == answer.json["outputs"]["check"]
    assert ops_called(upstream) == ["check"]


async def test_map_runs_an_op_once_per_item_at_the_same_time(run, upstream):
    workflow = {
        "end_ops": ["sum"],
        "ops": {
            "each": {"prompt": "Op {{item}}.", "map": "inputs.parts"},
            "sum": {"prompt": "Op sum.", "input_ops": ["each"]},
        },
    }
    upstream.script = ["hold"] * 3
    asking = asyncio.create_task(run(workflow, inputs={"parts": ["x", "y", "z"]}))
    await upstream.until(lambda: upstream.holding == 3)
    upstream.release()

    answer = await asking

    each = answer.json["outputs"]["each"]
    assert [text.split()[3].rstrip(".") for text in each] == ["x", "y", "z"]
    assert '<output op="each" item="3">' in prompts(upstream)[-1]


async def test_a_map_over_one_input_is_given_the_others_with_each_item(run, upstream):
    by_name = one_op(prompt="Answer.", map="inputs.parts")
    by_text = one_op(prompt="Answer.", map="input")
    ask = '<input name="ask">\nWhy?\n</input>'

    await run(by_name, "Be brief.", inputs={"parts": ["x"], "ask": "Why?"})
    await run(by_text, ["y"], inputs={"ask": "Why?"})

    assert prompts(upstream) == [
        f"Answer.\n\n<input>\nBe brief.\n</input>\n\n{ask}\n\n<item>\nx\n</item>",
        f"Answer.\n\n{ask}\n\n<item>\ny\n</item>",
    ]


async def test_an_input_that_was_not_sent_is_an_empty_text(run, upstream):
    workflow = two_ops({"template": "[{{input}}]", "prompt": ""}, {"when": "input"})

    answer = await run(workflow, None)

    assert answer.status == 200
    assert prompts(upstream) == ["[]"]
    assert list(answer.json["outputs"]) == ["a"]


async def test_a_list_beyond_its_bound_fails_the_op(run, upstream):
    workflow = one_op(map={"over": "input", "max_items": 2})

    answer = await run(workflow, "one\ntwo\nthree")

    assert (answer.status, answer.error["code"]) == (502, "workflow_failed")
    assert "3 items, more than max_items (2)" in answer.error["message"]
    assert upstream.attempts == []


async def test_samples_are_calls_of_their_own_and_vote(run, upstream):
    upstream.script = ["ok", "ok", "ok"]

    answer = await run(one_op(samples=3))

    assert len(upstream.attempts) == 3
    assert answer.json["outputs"]["a"].startswith("Answer to:")


@pytest.mark.parametrize(
    ("how", "answers", "winner"),
    [
        ("majority", ["Four", "five", "FOUR."], "Four"),
        ("majority", ["a", "b"], "a"),
        ("last_line", ["2+2\nis 4", "so\n5", "well\nis 4."], "2+2\nis 4"),
    ],
)
def test_votes(how, answers, winner):
    assert vote(answers, Op("a", vote=how)) == winner
