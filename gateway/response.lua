-- Goes over every request and every answer. Above this file Envoy finds `local REFUSALS`, the table of refusals.py.

local NAMESPACE = "gateway"
local GRPC_HEADERS = {"grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding", "grpc-accept-encoding"}

-- In one go: to go over the headers is what costs most here.
local function remove_headers(headers, unwanted)
  local names = {}
  for name in pairs(headers) do
    if unwanted(name) then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
end

-- x-envoy-* steers Envoy, and tells about it: no caller may say it, and none needs to hear it.
local function steers_envoy(name) return name:sub(1, 8) == "x-envoy-" end

-- What steers gRPC is for callers of gRPC to say: from others a service could not even read some of it.
local function steers(name) return steers_envoy(name) or name:sub(1, 5) == "grpc-" or name:sub(-4) == "-bin" end

local function remove_steering(headers)
  local type = headers:get("content-type") or ""
  local is_grpc = type == "application/grpc" or type:find("^application/grpc%+")
  remove_headers(headers, is_grpc and steers_envoy or steers)
end

-- The well-formed sequences of more than one byte (Unicode, table 3-7).
local UTF8 = {
  "[\194-\223][\128-\191]", "\224[\160-\191][\128-\191]", "[\225-\236\238\239][\128-\191][\128-\191]",
  "\237[\128-\159][\128-\191]", "\240[\144-\191][\128-\191][\128-\191]",
  "[\241-\243][\128-\191][\128-\191][\128-\191]", "\244[\128-\143][\128-\191][\128-\191]",
}

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- Protobuf strings are UTF-8; a service could not even read a request with another one in it.
local function is_utf8(path)
  if not path:find("[%%\128-\255]") then return true end
  local text = decoded(path)
  for _, sequence in ipairs(UTF8) do text = text:gsub(sequence, " ") end
  return not text:find("[\128-\255]")
end

-- The caller's own request id is kept, as far as it can be logged and sent on.
local function request_id(handle)
  local id = handle:headers():get("x-request-id") or ""
  local plain = id:gsub("[^\33-\126]", ""):sub(1, 128)
  if plain == "" then plain = handle:timestampString(EnvoyTimestampResolution.MICROSECOND) end
  if plain ~= id then handle:headers():replace("x-request-id", plain) end
  return plain
end

-- Which fields a path holds.
local IN_PATH = {
  {"^/api/v1/jobs/", {jobid = true}}, {"^/api/v1/brand%-kits/", {brandkitid = true}},
  {"^/api/v1/assets?/", {assetid = true}}, {"^/api/v1/uploads/", {uploadid = true}}, {"^/asset/", {assetid = true}}, {"^/files/", {path = true}},
  {"^/api/v1/templates/", {assettype = true, version = true}},
}
local WRITES = {POST = true, PUT = true, PATCH = true, DELETE = true}

local function in_path(path)
  for _, pair in ipairs(IN_PATH) do
    if path:find(pair[1]) then return pair[2] end
  end
  return {}
end

-- What is wrong with a query, in a sentence; nil: nothing that the transcoder would not find as well. The transcoder takes
-- every field from every query, so one could name another job than the path does, or add to a body; and it overlooks what
-- has no value.
local function query_problem(method, path)
  local call, query = path:match("^([^?]*)%?(.*)$")
  if not query or not (call:find("^/api/") or call:find("^/asset/") or call:find("^/files/")) then return nil end
  local taken = in_path(call)
  for piece in query:gmatch("[^&]+") do
    local name = decoded(piece:match("^[^=]*"))
    local shown = name:find("^[%w_.-]+$") and name:sub(1, 64) or "a parameter"
    -- The transcoder also knows a field by its name in camelCase.
    local known = WRITES[method] or taken[name:gsub("_", ""):lower()]
    if known then return shown .. ": this call does not take it in the query" end
    if not piece:find("=", 1, true) then return shown .. ": has no value" end
  end
end

function envoy_on_request(handle)
  local headers, metadata = handle:headers(), handle:streamInfo():dynamicMetadata()
  remove_steering(headers)
  local method, path = headers:get(":method") or "", headers:get(":path") or ""
  metadata:set(NAMESPACE, "request_id", request_id(handle))
  metadata:set(NAMESPACE, "method", method)
  local problem = REFUSALS["400"].message
  if is_utf8(path) then problem = query_problem(method, path) end
  if problem then
    metadata:set(NAMESPACE, "problem", problem)
    handle:respond({[":status"] = "400"}, "")
  end
end

-- The JSON string, with its quotes, that is the value of the first key of this name. Escape by escape: a message may
-- hold anything.
local function json_string(text, key)
  local _, open = text:find('"' .. key .. '":"', 1, true)
  if not open then return nil end
  local at = open + 1
  while true do
    local stop = text:find('["\\]', at)
    if not stop then return nil end
    if text:sub(stop, stop) == '"' then return text:sub(open, stop) end
    at = stop + 2
  end
end

local FIELD = "([%w_%.%[%]%-]+)"
local TYPES = {
  TYPE_INT32 = "must be a whole number", TYPE_STRING = "must be a string", TYPE_BOOL = "must be true or false",
}

-- What the transcoder refuses and how it says so, as JSON; and what is said instead: the field's name at most.
local EXPLANATIONS = {
  {'^": invalid value Starting an object .* for type ' .. FIELD, "%s: must not be an object"},
  {'^"' .. FIELD .. ": invalid value Starting an object .* for type " .. FIELD, "%s: must not hold an object"},
  {"^\": invalid value oneof field .* Cannot set '" .. FIELD .. "' for type oneof", "%s: is given twice"},
  {'^"Could not find field \\"' .. FIELD .. '\\"', "%s: there is no such parameter"},
  {'^"Could not find field', "the query has a parameter that this call does not know"},
  {'^"The binding value .* of the field ' .. FIELD .. " is conflicting", "%s: the path and the body do not agree"},
  {'^"[%w_%.%[%]]*: Proto field is not repeating', "a list stands where this call takes one value"},
  {'^": Root element must be a message', "the body must be a JSON object"},
}

local function explanation(text, method)
  for _, pair in ipairs(EXPLANATIONS) do
    local field = text:match(pair[1])
    if field then return string.format(pair[2], field:sub(1, 64)) end
  end
  local field, type = text:match('^"' .. FIELD .. ": invalid value .* for type ([%w_%.]+)")
  -- Where in a list is not said: the transcoder counts from 0 again for each element.
  if field then return field:gsub("%[%d+%]", "") .. ": " .. (TYPES[type] or "is not a value this field takes") end
  return method == "GET" and "the query cannot be understood" or "the body is not JSON"
end

local function set_body(handle, text)
  handle:body(true):setBytes(text)
  handle:headers():replace("content-length", tostring(#text))
end

local function refuse(handle, refusal, message)
  local metadata = ""
  if refusal.reason == "INTERNAL" then
    local id = handle:streamInfo():dynamicMetadata():get(NAMESPACE).request_id
    metadata = '"request_id":"' .. id:gsub('["\\]', "\\%0") .. '"'
  end
  handle:headers():replace(":status", refusal.status)
  handle:headers():replace("content-type", "application/json")
  set_body(handle, string.format(
    '{"code":%d,"message":"%s","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"%s",' ..
    '"domain":"streamerstudio","metadata":{%s}}],"error":{"code":"%s","message":"%s"}}',
    refusal.code, message, refusal.reason, metadata, refusal.reason, message))
end

-- A service names whatever it refuses. These are gRPC's own words for a call that met one which is being stopped: nobody
-- knows what became of it, and of a read nobody needs to.
local STOPPED = {["1"] = true, ["2"] = true}

local function stopped(text, method)
  if not STOPPED[text:match('^{"code":(%d+)') or ""] then return nil end
  return REFUSALS[WRITES[method] and "502" or "503"]
end

-- Gives an error its `error` object. What has no ErrorInfo of ours was not written for callers, and is not shown.
local function shape_error(handle)
  local body = handle:body(true)
  local text = body:length() > 0 and body:getBytes(0, body:length()) or ""
  local status = handle:headers():get(":status")
  local message = json_string(text, "message")
  local reason = text:match('google%.rpc%.ErrorInfo","reason":"([A-Z_]+)"')
  local request = handle:streamInfo():dynamicMetadata():get(NAMESPACE) or {}
  local refusal = stopped(text, request.method) or REFUSALS[status] or REFUSALS["500"]
  if request.problem and text ~= "" then
    refuse(handle, refusal, request.problem)
  elseif text:find('"error":{"code":', 1, true) then
    if status == "400" and message ~= '"' .. refusal.message .. '"' then
      local understood, sentence = pcall(explanation, message, request.method)
      refuse(handle, refusal, understood and sentence or refusal.message)
    end
  elseif reason and message then
    -- To gRPC what is too long exhausts a resource as too many calls do.
    if reason == "REQUEST_TOO_LARGE" then handle:headers():replace(":status", "413") end
    local inner = text:match("^(.*)}")
    set_body(handle, inner .. ',"error":{"code":"' .. reason .. '","message":' .. message .. "}}")
  elseif text ~= "" or handle:headers():get("content-length") == "0" then
    -- An answer to HEAD has a length and no text.
    refuse(handle, refusal, refusal.message)
  end
end

local function set_status(handle, code)
  handle:headers():replace(":status", code)
  if code ~= "204" then return end
  handle:headers():remove("content-type")
  handle:body(true):setBytes("")
  handle:headers():remove("content-length")
end

function envoy_on_response(handle)
  local headers = handle:headers()
  remove_headers(headers, steers_envoy)
  local code = headers:get("x-http-code")
  headers:remove("x-http-code")
  -- Native gRPC says how it went in these headers, and in trailers.
  if (headers:get("content-type") or ""):find("^application/grpc") then return end
  for _, name in ipairs(GRPC_HEADERS) do headers:remove(name) end
  headers:add("vary", "Origin")
  headers:replace("x-content-type-options", "nosniff")
  -- What sets no rule of its own is for this caller and this moment, refusals too.
  if not headers:get("cache-control") then headers:add("cache-control", "no-store") end
  local status = tonumber(headers:get(":status"))
  if status == 401 then headers:replace("www-authenticate", "Bearer") end
  if status >= 400 then
    shape_error(handle)
  elseif code and code:find("^20[14]$") then
    set_status(handle, code)
  end
end
