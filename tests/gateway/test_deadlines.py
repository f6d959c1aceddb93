import asyncio

import pytest

from gateway.deadlines import Alarm, Deadlines


async def forever():
    await asyncio.get_running_loop().create_future()


async def test_what_takes_too_long_ends_with_a_timeout():
    deadlines = Deadlines()
    with pytest.raises(TimeoutError), deadlines.within(0.01):
        await forever()
    await asyncio.sleep(0)  # the task goes on as if it had never been cancelled
    assert asyncio.current_task().cancelling() == 0


async def test_what_is_done_in_time_is_left_alone():
    deadlines = Deadlines()
    with deadlines.within(60):
        await asyncio.sleep(0)
    assert not deadlines._open


async def test_a_deadline_that_is_moved_counts_from_then():
    deadlines = Deadlines()
    with pytest.raises(TimeoutError), deadlines.within(60) as deadline:
        deadline.extend(0)
        await forever()


async def test_the_inner_of_two_deadlines_ends_only_what_is_inside_it():
    deadlines = Deadlines()
    with deadlines.within(60):
        with pytest.raises(TimeoutError), deadlines.within(0.01):
            await forever()
        await asyncio.sleep(0)
    assert not deadlines._open


async def test_a_cancellation_by_somebody_else_stays_one():
    deadlines = Deadlines()

    async def work():
        with deadlines.within(60):
            await forever()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not deadlines._open


async def test_an_error_inside_is_not_hidden_by_a_deadline_that_has_passed():
    deadlines = Deadlines()
    with pytest.raises(KeyError), deadlines.within(0):
        try:
            await forever()
        except asyncio.CancelledError:
            raise KeyError from None


async def test_many_deadlines_pass_each_by_itself():
    deadlines = Deadlines()

    async def wait(seconds):
        try:
            with deadlines.within(seconds):
                await forever()
        except TimeoutError:
            return "late"

    waits = [wait(0.001 * n) for n in range(50)]
    assert set(await asyncio.gather(*waits)) == {"late"}
    assert not deadlines._open


async def test_the_timer_stops_with_the_last_deadline():
    deadlines = Deadlines()
    with deadlines.within(60):
        assert deadlines._ticking
    async with asyncio.timeout(20):
        while deadlines._ticking:
            await asyncio.sleep(0.01)


async def test_an_alarm_rings_until_it_is_put_off():
    deadlines, loop, rung = Deadlines(), asyncio.get_running_loop(), []

    def ring():
        rung.append(True)
        alarm.at = loop.time() + (0 if len(rung) < 3 else 60)

    alarm = Alarm(0, ring)
    deadlines.add(alarm, loop)
    async with asyncio.timeout(20):
        while len(rung) < 3:
            await asyncio.sleep(0.01)
    deadlines.remove(alarm)
    assert not deadlines._open
