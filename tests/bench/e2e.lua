-- For wrk: asks for the ids of the file that E2E_IDS names, with the token of E2E_TOKEN, in turn;
-- prints one line of figures for e2e.sh.
local requests = {}
local next_request = 0

function init()
  local path = "/api/analytics/v1/entity/%s/relations?limit=50&levels=3"
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("E2E_TOKEN")
  local encoding = os.getenv("E2E_ACCEPT_ENCODING")
  if encoding ~= nil and encoding ~= "" then
    wrk.headers["Accept-Encoding"] = encoding
  end
  for line in io.lines(os.getenv("E2E_IDS")) do
    local sample, id = line:match("^(%S+)\t(%S+)$")
    if sample == "uniform" then
      requests[#requests + 1] = wrk.format("GET", path:format(id))
    end
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

-- requests, answers/s, p50 us, p99 us, bytes/answer, answers other than 2xx and 3xx, socket errors
function done(summary, latency)
  local errors = summary.errors
  print(string.format("figures %d %.0f %.0f %.0f %.0f %d %d", summary.requests,
    (summary.requests - errors.status) / summary.duration * 1e6, latency:percentile(50),
    latency:percentile(99), summary.bytes / math.max(1, summary.requests), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
