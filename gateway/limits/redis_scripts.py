"""What Redis does in one step: setting aside and settling.

A counter is a hash: `s` is spent, `r` set aside (what isn't two numbers is nobody's
counter), `h:ID` a hold that is not settled yet, `v:ID` one that is void: settled before
it was set aside, which it can't be any more. So holds go with their window at the
latest. An owner is a hash of its holds that are not settled, for its heir. Whether one
is given back the counter's field decides, so it happens once, whoever tries.
"""

# Keys: the owner, then counters. Arguments: the hold's id (or ""), what its heir reads,
# then five per counter: amount, limit, what the books say (or -1), 1 when they were
# asked before, lifetime in ms. A hold that is there is not set aside again. Books may
# be ahead of a settlement that is on its way, which must not count twice: when they are
# asked again, what is set aside is taken for spent.
RESERVE = """
local hold = ARGV[1]
local counts, longest = {}, 0
for i = 2, #KEYS do
  local key, at = KEYS[i], 5 * i - 7
  local begins, again = tonumber(ARGV[at + 2]), ARGV[at + 3] == '1'
  local ms = tonumber(ARGV[at + 4])
  local found = redis.pcall('HMGET', key, 's', 'r', 'h:' .. hold, 'v:' .. hold)
  local spent, reserved
  if not found.err then
    spent, reserved = tonumber(found[1] or ''), tonumber(found[2] or '')
  end
  local least = begins
  if not spent or not reserved then
    if begins < 0 then return {'missing'} end
    redis.call('DEL', key)
    spent, reserved, found = -1, 0, {}
  elseif again then
    least = begins - reserved
  end
  if found[4] then return {'void'} end
  if spent < least then
    spent = least
    redis.call('HSET', key, 's', string.format('%.0f', spent),
      'r', string.format('%.0f', reserved))
  end
  redis.call('PEXPIRE', key, ms)
  longest = math.max(longest, ms)
  counts[i] = {spent, reserved, found[3]}
end
for i = 2, #KEYS do
  local amount, limit = tonumber(ARGV[5 * i - 7]), tonumber(ARGV[5 * i - 6])
  local spent, reserved, held = unpack(counts[i])
  if not held and spent + reserved + amount > limit then
    return {'full', i - 1, string.format('%.0f', spent),
      string.format('%.0f', reserved)}
  end
end
local answer = {'fits'}
for i = 2, #KEYS do
  local spent, reserved, held = unpack(counts[i])
  if not held then reserved = reserved + tonumber(ARGV[5 * i - 7]) end
  answer[2 * i - 2] = string.format('%.0f', spent)
  answer[2 * i - 1] = string.format('%.0f', reserved)
  if hold ~= '' and not held then
    redis.call('HSET', KEYS[i], 'r', answer[2 * i - 1], 'h:' .. hold, '1')
  elseif not held then
    redis.call('HSET', KEYS[i], 'r', answer[2 * i - 1])
  end
end
if hold ~= '' then
  redis.call('HSET', KEYS[1], hold, ARGV[2])
  if redis.call('PTTL', KEYS[1]) < longest then
    redis.call('PEXPIRE', KEYS[1], longest)
  end
end
return answer
"""
# Keys: the owner, then counters. Arguments: 1 when what isn't set aside can't be any
# more, then four per counter: what was set aside, what it came to, the hold's id (or
# ""), and 1 when it was tried before. A counter that is gone, or was begun anew
# meanwhile, has nothing set aside to give back. The cost of an unknown hold is counted
# at the first try only: at a later one it was most likely taken and its answer lost.
# Had Redis been emptied instead, the books raise a budget to what was spent; what is
# counted twice stays.
SETTLE = """
local void, last = ARGV[1] == '1', ''
for i = 2, #KEYS do
  local key, at = KEYS[i], 4 * i - 6
  local amount, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local hold, again = ARGV[at + 2], ARGV[at + 3] == '1'
  if hold ~= last then
    redis.call('HDEL', KEYS[1], hold)
    last = hold
  end
  local found = redis.pcall('HMGET', key, 's', 'r')
  local spent = not found.err and tonumber(found[1] or '')
  local reserved = not found.err and tonumber(found[2] or '')
  if spent and reserved then
    if hold ~= '' and redis.call('HDEL', key, 'h:' .. hold) == 0 then
      amount = 0
      if again then cost = 0 end
      if void then redis.call('HSET', key, 'v:' .. hold, '1') end
    end
    redis.call('HSET', key, 's', string.format('%.0f', spent + cost),
      'r', string.format('%.0f', math.max(0, reserved - amount)))
  end
end
"""
