"""PURE: the Lua script with which wrk sends what our generator sends, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.generator.messages import Message
from loadtests.scenarios.model import Request

RANDOM_BITS = 31
"""What Lua's random seed takes."""
LEAD_IN_S, END_S = 0.15, 0.95
"""Of a turn of one second: what is answered in between counts. wrk opens its connections at the
start, and what is in flight at its end is in none of its counts."""
WINDOW_S = END_S - LEAD_IN_S

_SCRIPT = """\
local ffi = require("ffi")
ffi.cdef[[typedef struct {{ long s; long ns; }} instant; int clock_gettime(int, instant *);]]
local now = ffi.new("instant")
local function time_us()
  ffi.C.clock_gettime(1, now)
  return tonumber(now.s) * 1e6 + tonumber(now.ns) / 1e3
end
local parts = {{ {parts} }}
local first = {{ {first} }}
local last = {{ {last} }}
local below = {{ {below} }}
local threads = {{}}
local begun
good, bad = 0, 0
math.randomseed({seed})
setup = function(thread) table.insert(threads, thread) end
request = function()
  begun = begun or time_us()
  local which = 1
  if #parts > 1 then
    local point = math.random()
    while which < #parts and point >= below[which] do which = which + 1 end
  end
  if #parts[which] == 1 then return parts[which][1] end
  return table.concat(parts[which], string.format("%d", math.random(first[which], last[which])))
end
response = function(status)
  if status < 200 or status > 299 then bad = bad + 1 return end
  local at = time_us() - begun
  if at >= {from_us} and at < {until_us} then good = good + 1 end
end
done = function(summary)
  local e, answered, refused = summary.errors, 0, 0
  for _, thread in ipairs(threads) do
    answered, refused = answered + thread:get("good"), refused + thread:get("bad")
  end
  io.write(string.format('\\n{{"good": %d, "failed": %d}}\\n', answered,
    refused + e.connect + e.read + e.write + e.timeout))
end
"""
"""wrk's scripting: `setup` is told the threads, `request` returns the bytes to send, `response` and
`done` are told what happened. It has no clock of its own: 1 is CLOCK_MONOTONIC on Linux."""


def lua_script(requests: Sequence[Request], messages: Sequence[Message], seed: int) -> str:
    """Requests drawn by weight and keys drawn with replacement, as `RequestStream` does.

    `messages` are the same requests as sent to one server. The sequence is another than ours, from
    the same distribution.
    """
    total = sum(request.weight for request in requests)
    sums = [sum(each.weight for each in requests[: n + 1]) / total for n in range(len(requests))]
    keys = [request.keys for request in requests]
    return _SCRIPT.format(
        parts=", ".join(_lua_list(message.head) for message in messages),
        first=", ".join(str(each.first if each else 0) for each in keys),
        last=", ".join(str(each.last if each else 0) for each in keys),
        below=", ".join(map(repr, sums)),
        seed=seed % 2**RANDOM_BITS,
        from_us=round(LEAD_IN_S * 1e6),
        until_us=round(END_S * 1e6),
    )


def _lua_list(parts: Sequence[bytes]) -> str:
    return f"{{ {', '.join(map(_lua_string, parts))} }}"


def _lua_string(text: bytes) -> str:
    """Every byte that is not a plain letter of ASCII as its decimal escape."""
    plain = (chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\{b:03d}" for b in text)
    return f'"{"".join(plain)}"'
