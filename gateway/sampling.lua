-- Decides which requests are traced: dry runs always, and as many others in a second as TRACE_RATE says. Envoy has chosen
-- its share of all requests before; it learns of ours by the header, when it looks the route up again.
-- What only reads takes from the upper half of the bucket, so that whoever polls leaves room for those who change something.
local tokens, filled_at = TRACE_RATE, nil
local ONLY_READ = { GET = true, HEAD = true, OPTIONS = true }

local function take(handle, least)
  local now = handle:timestamp()
  tokens = math.min(TRACE_RATE, tokens + (now - (filled_at or now)) * TRACE_RATE / 1000)
  filled_at = now
  if tokens < math.max(1, least) then
    return false
  end
  tokens = tokens - 1
  return true
end

function choose_trace(handle)
  local headers = handle:headers()
  local debug = headers:get("x-debug")
  local least = ONLY_READ[headers:get(":method")] and TRACE_RATE / 2 or 1
  if (debug and debug:lower() == "true") or take(handle, least) then
    headers:replace("x-envoy-force-trace", "true")
  end
end
