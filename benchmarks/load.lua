-- Asks for one path after the other, with what the environment says, and at the end tells how it went as JSON.
local method, token = os.getenv("LOAD_METHOD"), os.getenv("LOAD_TOKEN")
local body, keyed = os.getenv("LOAD_BODY"), os.getenv("LOAD_KEYED")
local headers = {["Authorization"] = "Bearer " .. token, ["Content-Type"] = body and "application/json" or nil}
local paths, asked = {}, 0
for path in string.gmatch(os.getenv("LOAD_PATHS"), "%S+") do paths[#paths + 1] = path end

function request()
  asked = asked + 1
  if keyed then headers["Idempotency-Key"] = keyed .. "-" .. asked end
  return wrk.format(method, paths[asked % #paths + 1], headers, body)
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "median": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
