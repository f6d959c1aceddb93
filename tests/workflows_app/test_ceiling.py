"""A run never costs more than it may."""

from tests.workflows_app.samples import one_op


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
