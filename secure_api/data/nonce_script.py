"""What Redis itself runs to spend nonces: one script, so that nothing happens between its steps.

The origin of the memory is `run_id:replication_id:since:mark`. Redis keeps its run id until it is started again, and
its replication id until a replica takes over: when one of them is another, or the key is gone, the last writes may be
lost, whatever was loaded from disk. The script then begins a new origin, which everybody learns of in the same breath.

A state is `active:mark:until`, which counts under its own origin only, or `ask:token`, which `FORGET` leaves for a
while: then the database is asked each time, and an answer from before the token is not believed.
"""

from typing import Final

#: Seconds within which an answer of the database must arrive, by the clock of Redis. It is what keeps a command that
#: was held up on its way from setting a state that was true when it was sent. Shorter than `BARRIER`.
ANSWER_AGE: Final = 30
#: Seconds for which Redis remembers that a key or session is active.
TRUST: Final = 60
#: Seconds for which nobody may remember that a key or session is active after it was told to end.
BARRIER: Final = 120

#: KEYS: the origin; the state of each use; the nonce of each use.
#: ARGV: the origin that the caller knows; `since:mark` for a new one; the caller's time; the time of Redis when it told
#: the caller to ask; then for each use: seconds to remember the nonce, the state that was seen, until when the database
#: says that it is active (empty: was not asked).
#: Returns `ok`; `spent`; `origin` and the present one; or `ask`, the time, and for each use its state.
SPEND: Final = f"""
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
local identity = run .. ':' .. replication .. ':'
local origin = redis.call('GET', KEYS[1])
if not origin or string.sub(origin, 1, #identity) ~= identity then
  origin = identity .. ARGV[2]
  redis.call('SET', KEYS[1], origin)
end
if origin ~= ARGV[1] then return {{'origin', origin}} end

local uses, now, time = (#KEYS - 1) / 2, tonumber(ARGV[3]), redis.call('TIME')[1]
for i = 1, uses do
  if redis.call('EXISTS', KEYS[1 + uses + i]) == 1 then return {{'spent'}} end
end

local mark = string.match(origin, '(%x+)$')
local in_time = ARGV[4] ~= '' and time - ARGV[4] <= {ANSWER_AGE}
local ask, found, states = false, {{'ask', time}}, {{}}
for i = 1, uses do
  local state = redis.call('GET', KEYS[1 + i]) or ''
  local under, active_until = string.match(state, '^active:(%x+):(%d+)$')
  if under == mark and tonumber(active_until) >= now then
    found[2 + i] = 'active'
  else
    if string.sub(state, 1, 4) ~= 'ask:' then state = '' end
    local seen, answer = ARGV[3 + 3 * i], ARGV[4 + 3 * i]
    if answer == '' or seen ~= state or not in_time then ask = true end
    if state == '' then states[KEYS[1 + i]] = 'active:' .. mark .. ':' .. answer end
    found[2 + i] = state
  end
end
if ask then return found end

for key, state in pairs(states) do redis.call('SET', key, state, 'EX', {TRUST}) end
for i = 1, uses do redis.call('SET', KEYS[1 + uses + i], '1', 'EX', ARGV[2 + 3 * i]) end
return {{'ok'}}
"""

#: KEYS: states. ARGV: a token that was never used.
FORGET: Final = f"""
for i = 1, #KEYS do redis.call('SET', KEYS[i], 'ask:' .. ARGV[1], 'EX', {BARRIER}) end
"""
