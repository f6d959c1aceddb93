"""What ops do, one feature after the other, on a pretended provider."""

import asyncio
from dataclasses import replace

import pytest

from tests.harness import serving, three_tiers
from tests.workflows_app.conftest import run_on
from tests.workflows_app.samples import one_op, two_ops
from workflows_app.definition import Op
from workflows_app.executor import vote
from workflows_app.runs import Runs

DIAMOND = {
    "end_ops": ["d"],
    "ops": {
        "a": {"prompt": "Op a."},
        "b": {"prompt": "Op b.", "input_ops": ["a"]},
        "c": {"prompt": "Op c.", "input_ops": ["a"]},
        "d": {"prompt": "Op d.", "input_ops": ["b", "c"]},
    },
}


def prompts(upstream) -> list[str]:
    return [attempt.body["messages"][-1]["content"] for attempt in upstream.attempts]


def ops_called(upstream) -> list[str]:
    return [prompt.split(".")[0].removeprefix("Op ") for prompt in prompts(upstream)]


async def test_branches_run_at_the_same_time(run, upstream):
    upstream.script = ["ok", "hold", "hold"]
    asking = asyncio.create_task(run(DIAMOND))

    await upstream.until(lambda: upstream.holding == 2)
    upstream.release()

    answer = await asking
    assert answer.status == 200
    assert ops_called(upstream)[0] == "a"
    assert sorted(ops_called(upstream)[1:3]) == ["b", "c"]
    assert ops_called(upstream)[3] == "d"


async def test_an_op_starts_the_moment_its_own_inputs_are_there(run, upstream):
    """`c` waits for `a` alone; a barrier per level would hold it until `slow` ends."""
    workflow = {
        "end_ops": ["c", "slow"],
        "ops": {
            "slow": {"prompt": "Op slow."},
            "a": {"prompt": "Op a."},
            "c": {"prompt": "Op c.", "input_ops": ["a"]},
        },
    }
    upstream.script = ["hold", "ok", "ok"]
    asking = asyncio.create_task(run(workflow))

    await upstream.until(lambda: upstream.total == 3 and upstream.holding == 1)
    upstream.release()

    assert (await asking).status == 200


async def test_consecutive_ops_of_one_tier_prefer_the_same_backend(
    upstream, tmp_path, database
):
    catalog = three_tiers(upstream.url)
    more = [replace(catalog.backends[0], name=f"small-{n}", id=n) for n in range(3)]
    catalog = replace(catalog, backends=(*catalog.backends, *more))
    chain = {f"o{n}": {"prompt": f"{n}", "tier": 1} for n in range(8)}
    for number in range(1, 8):
        chain[f"o{number}"]["input_ops"] = [f"o{number - 1}"]
    async with serving(catalog, tmp_path / "journal") as gateway:
        answer = await run_on(gateway, {"end_ops": ["o7"], "ops": chain})
        await Runs.of(gateway.runtime).close()

    assert len(set(answer.json["routing"].values())) == 1


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


async def test_an_output_that_does_not_fit_its_schema_is_asked_for_again(run, upstream):
    answer = await run(one_op(json_schema={"type": "object"}, retries=1))

    assert answer.status == 502
    assert "does not fit json_schema: it is not JSON" in answer.error["message"]
    assert len(upstream.attempts) == 2
    sent = upstream.attempts[0].body["response_format"]
    assert sent["json_schema"] == {"name": "a", "schema": {"type": "object"}}


async def test_a_failed_op_is_tried_again(run, upstream):
    upstream.script = ["status-400", "ok"]
    refused = await run(one_op(prompt="1", retries=3))
    upstream.script = ["empty-200", "empty-200", "empty-200", "ok"]
    retried = await run(one_op(prompt="2", tier=1, retries=3))

    assert refused.status == 502
    assert retried.status == 200


async def test_who_fails_is_told_with_what_the_run_has(run, upstream, gateway):
    upstream.script = ["ok", "status-400"]

    answer = await run(two_ops())

    assert (answer.status, answer.error["code"]) == (502, "workflow_failed")
    assert answer.error["message"].startswith('Op "b" failed: ')
    body = answer.json
    assert list(body["outputs"]) == ["a"]
    assert body["costs"]["a"] > 0
    assert body["ops"]["a"]["status"] == "succeeded"
    assert body["ops"]["b"]["status"] == "failed"
    assert len(gateway.records("attempt")) == 2


async def test_on_error_skip_goes_on_without_it(run, upstream):
    upstream.script = ["status-400", "ok"]
    ops = {
        "a": {"prompt": "Op a.", "on_error": "skip"},
        "b": {"prompt": "Op b."},
        "c": {"prompt": "Op c.", "input_ops": ["a", "b"]},
    }
    upstream.always = ""

    answer = await run({"end_ops": ["c"], "ops": ops})

    assert answer.status == 200
    assert len(answer.json["outputs"]) == 2
    assert "c" in answer.json["outputs"]


async def test_on_error_fallback_op_stands_in(run, upstream):
    upstream.script = ["status-400", "ok", "ok"]
    workflow = {
        "end_ops": ["b"],
        "ops": {
            "a": {"prompt": "Op a.", "on_error": "fallback_op", "fallback_op": "spare"},
            "spare": {"prompt": "Op spare."},
            "b": {"prompt": "Op b.", "input_ops": ["a"]},
        },
    }

    answer = await run(workflow)

    assert list(answer.json["outputs"]) == ["a", "b"]
    assert ops_called(upstream) == ["a", "spare", "b"]
    assert '<output op="a">' in prompts(upstream)[-1]


async def test_a_timeout_fails_the_op_and_ends_its_call(run, upstream, gateway):
    upstream.always = "stall-before-headers"

    answer = await run(one_op(timeout_s=0.05, retries=0))

    assert answer.status == 502
    assert "longer than its timeout_s (0.05)" in answer.error["message"]
    await gateway.settled()


async def test_a_failure_ends_the_siblings(run, upstream, gateway):
    upstream.script = ["ok", "hold", "status-400"]

    answer = await run(DIAMOND)

    assert answer.status == 502
    await upstream.until(lambda: upstream.holding == 0)
    await gateway.settled()
    statuses = {n: op["status"] for n, op in answer.json["ops"].items()}
    assert sorted(statuses.values()) == [
        "cancelled",
        "failed",
        "succeeded",
        "waiting",
    ]
    assert len(gateway.records("attempt")) == 3


async def test_the_ceiling_is_never_overshot(run, upstream):
    chain = {
        f"o{n}": {
            "prompt": f"Op {n}.",
            "tier": 3,
            "max_tokens": 20,
            **({"input_ops": [f"o{n - 1}"]} if n else {}),
        }
        for n in range(6)
    }
    workflow = {"end_ops": ["o5"], "ops": chain}

    answer = await run(workflow, max_cost_usd=0.015)

    assert (answer.status, answer.error["code"]) == (402, "max_cost_reached")
    done = answer.json["outputs"]
    assert 1 <= len(done) < 6
    assert sum(answer.json["costs"].values()) <= 0.015
    assert len(upstream.attempts) == len(done)


async def test_under_a_ceiling_free_ops_go_to_a_lower_tier(run, upstream):
    hard = "Prove step by step, analyze trade-offs. " * 400
    system = "Think. " * 300

    dear = await run(one_op(prompt=hard, system=system))
    cheap = await run(one_op(prompt=hard + "!", system=system), max_cost_usd=0.05)

    assert dear.json["routing"] == {"a": "medium"}
    assert cheap.json["routing"] == {"a": "small"}
    assert sum(cheap.json["costs"].values()) <= 0.05


async def test_the_first_of_a_fan_out_leads_until_its_first_token(run, upstream):
    long = "The same rules for everybody. " * 200
    ops = {f"o{n}": {"prompt": long + "{{input}}" + str(n)} for n in range(4)}
    upstream.script = ["hold", "ok", "ok", "ok"]
    asking = asyncio.create_task(run({"end_ops": list(ops), "ops": ops}))
    await upstream.until(lambda: upstream.holding == 1)

    await asyncio.sleep(0)
    assert upstream.total == 1
    upstream.release()

    answer = await asking
    assert answer.status == 200
    assert upstream.total == 4
    assert len(set(answer.json["routing"].values())) == 1


async def test_a_run_keeps_its_place_until_it_is_done(upstream, tmp_path, database):
    """ParrotServe's ordering: with one place, chain after chain instead of all of them
    a step at a time."""
    catalog = three_tiers(upstream.url)
    narrow = replace(catalog.backends[0], max_in_flight=1)
    catalog = replace(catalog, backends=(narrow, *catalog.backends[1:]))

    def chain(name: str) -> dict:
        ops = {"o0": {"prompt": f"Op {name}.", "tier": 1}}
        for n in range(1, 3):
            before = {"input_ops": [f"o{n - 1}"], "inputs": {"query": False}}
            ops[f"o{n}"] = {"prompt": f"Op {name}.", "tier": 1, **before}
        return {"end_ops": ["o2"], "ops": ops}

    upstream.script = ["hold"]
    async with serving(catalog, tmp_path / "journal") as gateway:
        asking = []
        for name in "abcd":
            asking.append(
                asyncio.create_task(run_on(gateway, chain(name), store=False))
            )
            async with asyncio.timeout(10):
                while len(Runs.of(gateway.runtime)) < len(asking):
                    await asyncio.sleep(0.01)
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        answers = await asyncio.gather(*asking)
        await Runs.of(gateway.runtime).close()

    assert {answer.status for answer in answers} == {200}
    order = ops_called(upstream)
    assert order == sorted(order)
