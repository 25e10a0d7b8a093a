-- wrk's side of the benchmark: sends the questions of a file in turn, checks the status and the first
-- number of every answer, and prints one line of JSON at the end.
-- Arguments: the file; `exact` where one connection makes it known which question an answer belongs to,
-- `any` where several do not. The file: the Lua pattern of the first number, then for each question
-- its expected first number, a tab and the body.

local threads = {}
local questions, expected, pattern, exact = {}, {}, nil, false
local turn, sent = 0, 0
local TOLERANCE = 1e-4
failed, wrong = 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  local lines = io.lines(arguments[1])
  exact = arguments[2] == "exact"
  pattern = lines()
  for line in lines do
    local number, body = line:match("^([^\t]*)\t(.*)$")
    table.insert(expected, tonumber(number))
    table.insert(questions, wrk.format("POST", nil, {["Content-Type"] = "application/json"}, body))
  end
end

function request()
  turn = turn % #questions + 1
  sent = turn
  return questions[turn]
end

local function known(number)
  if number == nil then return false end
  if exact then return math.abs(number - expected[sent]) <= TOLERANCE end
  for i = 1, #expected do
    if math.abs(number - expected[i]) <= TOLERANCE then return true end
  end
  return false
end

function response(status, headers, body)
  if status ~= 200 then
    failed = failed + 1
  elseif not known(tonumber(body:match(pattern))) then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local failures, wrongs = 0, 0
  for _, thread in ipairs(threads) do
    failures = failures + thread:get("failed")
    wrongs = wrongs + thread:get("wrong")
  end
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "max_us": %d, ' ..
    '"failed": %d, "wrong": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    failures, wrongs, errors.connect + errors.read + errors.write + errors.timeout))
end
