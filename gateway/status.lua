-- The gateway's one script. (1) The service chooses the HTTP status: gRPC has no code for 202 or 422.
-- (2) An error that no service rendered (a crash, a message too large, a dead stream) gets the envelope of its route.
-- It never prints grpc-message: that may hold words that are not for the caller.
local WORDS = {
  ["400"] = { "validation_error", "Malformed request: its headers, path, query or body cannot be read" },
  ["401"] = { "unauthorized", "Authentication required" },
  ["403"] = { "forbidden", "Forbidden" },
  ["404"] = { "not_found", "Resource not found" },
  ["409"] = { "state_conflict", "Conflict" },
  ["413"] = { "payload_too_large", "Payload too large" },
  ["415"] = { "unsupported_media_type", "Unsupported media type" },
  ["429"] = { "rate_limit_exceeded", "Too many requests" },
  ["501"] = { "not_implemented", "Not implemented" },
  ["503"] = { "service_unavailable", "Service temporarily unavailable" },
  ["504"] = { "deadline_exceeded", "Deadline exceeded" },
}
-- For a 503 that no service made: a service that is started again is back by then.
local RETRY_AFTER = "5"
local INTERNAL = { "internal_error", "Internal error" }
local TELECRM = { ["400"] = "BAD_REQUEST", ["401"] = "NOT_AUTHORIZED" }

-- A route's name begins with its group; a request that has no route is told by its path, kept while it came.
local function group_of(handle)
  local name = handle:streamInfo():routeName()
  if name ~= "" then
    return name:match("^%a+")
  end
  local kept = handle:streamInfo():dynamicMetadata():get("contactsync")
  return kept and kept["group"] or "import"
end

local function group_of_path(path)
  if path:find("^/autoupdate") or path:find("^/enterprise") then return "telecrm" end
  if path:find("^/api/connect") then return "connect" end
  if path:find("^/contact%-source") then return "source" end
  return "import"
end

local function envelope(group, status)
  local word = WORDS[status] or INTERNAL
  if group == "telecrm" then
    return '{"error":{"code":"' .. (TELECRM[status] or word[1]:upper()) .. '","message":"' .. word[2] .. '"}}'
  elseif group == "connect" or group == "source" then
    return '{"error":"' .. word[2] .. '"}'
  end
  return '{"error":"' .. word[1] .. '","message":"' .. word[2] .. '"}'
end

function envoy_on_request(handle)
  if choose_trace then
    choose_trace(handle)
  end
  -- A gRPC body on a REST path would pass by the transcoder. Envoy turns this reply into 200 + grpc-status; mended below.
  local content_type = handle:headers():get("content-type")
  if content_type and content_type:sub(1, 16) == "application/grpc" then
    local group = group_of_path(handle:headers():get(":path") or "")
    handle:streamInfo():dynamicMetadata():set("contactsync", "group", group)
    handle:respond({ [":status"] = "415" }, "")
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status = headers:get("x-http-status")
  if status then
    headers:replace(":status", status)
    headers:remove("x-http-status")
    if status == "204" or status == "304" then
      headers:remove("content-length")
      headers:remove("content-type")
    end
  end
  local code = headers:get("grpc-status")
  if code and code ~= "0" then
    status = status or headers:get(":status")
    if status == "200" then
      status = "415"
      headers:replace(":status", status)
    end
    local body = headers:get("x-error-body")
    if not body then
      body = envelope(group_of(handle), status)
    end
    handle:body(true):setBytes(body)
    headers:replace("content-type", "application/json")
    headers:replace("content-length", tostring(#body))
    headers:remove("x-error-body")
    headers:remove("grpc-status-details-bin")
  end
  if headers:get(":status") == "503" and not headers:get("retry-after") then
    headers:add("retry-after", RETRY_AFTER)
  end
end
