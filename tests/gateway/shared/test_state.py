"""What every kind of shared state must do: the dictionary's and Redis's contract."""

import asyncio

from gateway.shared.state import Claim, Pulse


async def test_a_value_is_found_under_each_of_its_names_while_it_lasts(state):
    await state.put(["a:1", "a:2"], b"value", 30.0)
    found = await state.find(["a:0", "a:2"], 100)
    assert (found.name, found.value) == ("a:2", b"value")
    assert 20 < found.seconds <= 30
    assert (await state.find(["a:1"], 100)).value == b"value"
    assert await state.find(["a:0"], 100) is None


async def test_a_value_is_gone_after_its_time(state):
    await state.put(["a:1", "a:2"], b"value", 0.05)
    await asyncio.sleep(0.1)
    assert await state.find(["a:1", "a:2"], 100) is None


async def test_a_value_that_is_too_large_is_not_fetched(state):
    await state.put(["a:1", "a:2"], bytes(1000), 30.0)
    assert await state.find(["a:1", "a:2"], 999) is None
    assert (await state.find(["a:2"], 1000)).value == bytes(1000)


async def test_what_is_forgotten_is_found_under_no_name(state):
    await state.put(["a:1", "a:2"], b"value", 30.0)
    await state.forget(["a:1", "a:2", "a:3"])
    assert await state.find(["a:1", "a:2"], 100) is None


async def test_one_leads_and_the_others_hear_who_it_is(state):
    assert await state.claim("c:1", "ann", 30.0) == Claim("ann")
    assert await state.renew("c:1", "ann", 30.0) == Pulse(leads=True, watched=False)
    assert await state.claim("c:1", "bob", 30.0) == Claim("ann")
    assert await state.renew("c:1", "ann", 30.0) == Pulse(leads=True, watched=True)
    assert await state.renew("c:1", "bob", 30.0) == Pulse(leads=False, watched=False)
    assert await state.claim("c:2", "bob", 30.0) == Claim("bob")


async def test_who_begins_to_lead_hears_of_an_answer_that_is_there_already(state):
    await state.put(["a:1"], b"value", 30.0)
    claim = await state.claim("c:1", "ann", 30.0, ["a:0", "a:1"], 100)
    assert (claim.leader, claim.found.name) == ("ann", "a:1")
    assert (await state.claim("c:1", "bob", 30.0, ["a:1"], 100)).found is None


async def test_a_lease_that_is_not_renewed_passes_on(state):
    await state.claim("c:1", "ann", 0.05)
    await asyncio.sleep(0.1)
    assert await state.watch("c:1", 30.0) == ""
    assert await state.claim("c:1", "bob", 30.0) == Claim("bob")
    assert not (await state.renew("c:1", "ann", 30.0)).leads


async def test_a_leader_may_stop_while_nobody_waits(state):
    await state.claim("c:1", "ann", 30.0)
    assert await state.release("c:1", "ann")
    assert await state.claim("c:1", "bob", 30.0) == Claim("bob")
    assert await state.release("c:1", "ann")  # not its own any more
    assert await state.watch("c:1", 30.0) == "bob"
    assert not await state.release("c:1", "bob")
    assert await state.release("c:1", "bob", anyway=True)
    assert await state.claim("c:1", "cy", 30.0) == Claim("cy")
    assert await state.release("c:1", "cy")  # nobody waits for the new one yet


async def test_messages_are_read_in_order_and_old_ones_forgotten(state):
    assert await state.read("s:1", 0) == []
    for number in (1, 2, 3):
        await state.append("s:1", number, b"%d" % number, 1, 30.0)
    assert await state.read("s:1", 0) == [(1, b"1"), (2, b"2"), (3, b"3")]
    assert await state.read("s:1", 2) == [(3, b"3")]
    await state.append("s:1", 4, b"4", 3, 30.0)
    assert await state.read("s:1", 0) == [(3, b"3"), (4, b"4")]
