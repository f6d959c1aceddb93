"""Shared state in Redis or Valkey: plain keys with a lifetime, and one list per call.

Each operation is one round trip; those that look and then act are scripts, so nobody
comes in between. They name keys they compute, so a Redis Cluster can't run them.
"""

from collections.abc import Sequence
from typing import Any

from gateway.shared.link import Link
from gateway.shared.state import Claim, Found, Pulse

PREFIX = "llm-router:"
READ_AT_ONCE = 256

# An answer's further names hold "@" and its first name. Foreign values are no answer.
FIND = """
local function size_of(key)
  local size = redis.pcall('STRLEN', key)
  if type(size) == 'number' and size > 0 then return size end
end
local function find(names, limit)
  for _, name in ipairs(names) do
    local key, size = name, size_of(name)
    if size and size <= 200 then
      local value = redis.call('GET', key)
      if string.sub(value, 1, 1) == '@' then
        key = string.sub(value, 2)
        size = size_of(key)
      end
    end
    if size and size <= limit then
      return {name, redis.call('GET', key), redis.call('PTTL', key)}
    end
  end
  return false
end
"""
LOOK_UP = FIND + "return find(KEYS, tonumber(ARGV[1]))"
CLAIM = (
    FIND
    + """
local lease, watch = KEYS[1], KEYS[2]
local owner, ms = ARGV[1], ARGV[2]
if redis.call('SET', lease, owner, 'NX', 'PX', ms) then
  local names = {}
  for i = 3, #KEYS do names[#names + 1] = KEYS[i] end
  return {owner, find(names, tonumber(ARGV[3]))}
end
redis.call('SET', watch, '1', 'PX', ms)
return {redis.call('GET', lease), false}
"""
)
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, 0} end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, redis.call('EXISTS', KEYS[2])}
"""
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 1 end
if ARGV[2] == '0' and redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
"""


class RedisState:
    def __init__(self, url: str, timeout: float) -> None:
        self.link = Link(url, timeout)
        script = self.link.redis.register_script
        self._find, self._claim = script(LOOK_UP), script(CLAIM)
        self._renew, self._release = script(RENEW), script(RELEASE)

    @property
    def usable(self) -> bool:
        return self.link.up

    async def find(self, names: Sequence[str], max_bytes: int) -> Found | None:
        keys = [PREFIX + name for name in names]
        return found(await self.link.run(self._find, keys=keys, args=[max_bytes]))

    async def put(self, names: Sequence[str], value: bytes, seconds: float) -> None:
        first, *others = names
        pipe = self.link.redis.pipeline(transaction=False)
        pipe.set(PREFIX + first, value, px=ms(seconds))
        for other in others:
            pipe.set(PREFIX + other, "@" + PREFIX + first, px=ms(seconds))
        await self.link.run(pipe.execute)

    async def forget(self, names: Sequence[str]) -> None:
        keys = [PREFIX + name for name in names]
        await self.link.run(self.link.redis.unlink, *keys)

    async def claim(
        self,
        call: str,
        owner: str,
        seconds: float,
        answers: Sequence[str] = (),
        max_bytes: int = 0,
    ) -> Claim:
        keys = [*lease_of(call), *(PREFIX + name for name in answers)]
        args = [owner, ms(seconds), max_bytes]
        leader, before = await self.link.run(self._claim, keys=keys, args=args)
        return Claim(text(leader), found(before))

    async def renew(self, call: str, owner: str, seconds: float) -> Pulse:
        leads, watched = await self.link.run(
            self._renew, keys=lease_of(call), args=[owner, ms(seconds)]
        )
        return Pulse(bool(leads), bool(watched))

    async def watch(self, call: str, seconds: float) -> str:
        lease, watch = lease_of(call)
        pipe = self.link.redis.pipeline(transaction=False)
        pipe.set(watch, "1", px=ms(seconds))
        pipe.get(lease)
        _, leader = await self.link.run(pipe.execute)
        return text(leader)

    async def release(self, call: str, owner: str, *, anyway: bool = False) -> bool:
        args = [owner, int(anyway)]
        keys = lease_of(call)
        return bool(await self.link.run(self._release, keys=keys, args=args))

    async def append(
        self, stream: str, number: int, value: bytes, first: int, seconds: float
    ) -> None:
        key = PREFIX + stream
        pipe = self.link.redis.pipeline(transaction=False)
        pipe.xadd(
            key, {"m": value}, id=f"{number}-0", minid=f"{first}-0", approximate=False
        )
        pipe.pexpire(key, ms(seconds))
        await self.link.run(pipe.execute)

    async def read(self, stream: str, after: int) -> list[tuple[int, bytes]]:
        rows = await self.link.run(
            self.link.redis.xrange,
            PREFIX + stream,
            min=f"{after + 1}-0",
            count=READ_AT_ONCE,
        )
        return [(int(text(id).split("-")[0]), row.get(b"m", b"")) for id, row in rows]

    async def close(self) -> None:
        await self.link.close()


def lease_of(call: str) -> tuple[str, str]:
    return f"{PREFIX}{call}:lease", f"{PREFIX}{call}:watch"


def ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else ""


def found(row: Any) -> Found | None:
    if not row:
        return None
    name, value, left_ms = row
    return Found(text(name).removeprefix(PREFIX), value, max(0, left_ms) / 1000)
