#!/usr/bin/env bash
# Measures the service end to end: starts the server and the gateway over a store, asks over REST
# (wrk) and over gRPC, and in the same run the two ceilings: a gRPC server that answers as many bytes
# without any work, and the gateway's HTTP front with a static body of the same size. Everything
# stays on this machine and stops by itself.
#
#   e2e.sh BUILD_DIR [--store DIR --ids FILE] [--entities N] [--relations N] [--seconds S]
#          [--connections N] [--overload N]
#
# Without --store one is made (100,000 entities, 1,000,000 relations). A given store is copied, for a
# server writes to it. --overload: so many times the connections, for the last measurement.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
store="" ids="" entities=100000 relations=1000000 seconds=10 connections=32 overload=10
while [ $# -gt 0 ]; do
  case "$1" in
    --store) store=$2 ;;
    --ids) ids=$2 ;;
    --entities) entities=$2 ;;
    --relations) relations=$2 ;;
    --seconds) seconds=$2 ;;
    --connections) connections=$2 ;;
    --overload) overload=$2 ;;
    *)
      echo "e2e.sh: no such option: $1" >&2
      exit 2
      ;;
  esac
  shift 2
done
for program in wrk "$build/bin/bench/e2e_peer" "$build/bin/relations-gateway"; do
  command -v "$program" >/dev/null || { echo "e2e.sh: $program is missing" >&2; exit 1; }
done

scratch=$(mktemp -d)
pids=()
stop_all() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap stop_all EXIT
cd "$scratch"

if [ -n "$store" ]; then
  cp -r "$store" store
  cp "$ids" ids
else
  "$build/bin/bench/generate" --entities "$entities" --relations "$relations" --ids ids \
    --id-count 5000 --store store >generate.log
fi
E2E_TOKEN=$("$build/bin/relationsctl" --data store sessions create --groups public,g1 \
  --user 00000000-0000-4000-8000-000000000001 --roles user --json |
  sed -n 's/.*"bearer":"\([^"]*\)".*/\1/p')
export E2E_TOKEN E2E_IDS=$scratch/ids

# start NAME PROGRAM ARGUMENTS...: runs it in the background until it says that it listens; its pid
# is in `started`, its address in `address`.
start() {
  local name=$1 tries
  shift
  : >"$name.out"
  "$@" >"$name.out" 2>"$name.err" &
  started=$!
  pids+=("$started")
  for ((tries = 0; tries < 600; ++tries)); do
    address=$(sed -n 's/^listening on //p' "$name.out" | head -n 1)
    [ -n "$address" ] && return
    kill -0 "$started" 2>/dev/null || break
    sleep 0.1
  done
  echo "e2e.sh: $name does not start:" >&2
  tail -n 3 "$name.err" >&2
  exit 1
}
# CPU time of a process so far, in microseconds.
cpu_us() {
  awk -v tick="$(getconf CLK_TCK)" '{ printf "%.0f", ($14 + $15) * 1000000 / tick }' "/proc/$1/stat"
}
resident_mb() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$1/status"; }
per() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", (b > 0 ? a / b : 0) }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }

row() { printf '%-26s %9s %8s %8s %9s %9s %9s %9s\n' "$@"; }

# rest NAME CONNECTIONS SECONDS URL: wrk's figures into the array `figures`.
rest() {
  local line
  line=$(wrk -t1 -c"$2" -d"$3" --timeout 10s -s "$here/e2e.lua" "$4" | sed -n 's/^figures //p')
  read -r -a figures <<<"$line"
}
grpc_load() {
  local line
  line=$("$build/bin/bench/e2e_peer" load --target "$1" --ids ids --token "$E2E_TOKEN" \
    --in-flight "$connections" --seconds "$2")
  read -r -a figures <<<"$line"
}

start server "$build/bin/relations-server" --data store --cache-mb 2048 \
  --listen "unix:$scratch/server.sock"
server=$started server_address=$address
# 404 is no work to measure.
"$build/bin/bench/e2e_peer" sift --target "$server_address" --ids ids --token "$E2E_TOKEN" >visible
mv visible ids

start gateway "$build/bin/relations-gateway" --backend "$server_address" --listen 127.0.0.1:0
gateway=$started url="http://$address"

echo "$(grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //'), $(nproc) cores," \
  "load $(cut -d' ' -f1 /proc/loadavg); $connections connections, $seconds s each;" \
  "CPU in us a request"
row "" "answers/s" "p50 us" "p99 us" "server" "gateway" "client" "bytes"
# So that what can be cached is.
rest warm "$connections" "$seconds" "$url"

server_cpu=$(cpu_us "$server")
grpc_load "$server_address" "$seconds"
grpc_rate=${figures[1]} wire_bytes=${figures[5]}
grpc_cpu=$(per "$(($(cpu_us "$server") - server_cpu))" "${figures[0]}")
row "gRPC, server" "$grpc_rate" "${figures[2]}" "${figures[3]}" "$grpc_cpu" - "${figures[4]}" \
  "$wire_bytes"

server_cpu=$(cpu_us "$server") gateway_cpu=$(cpu_us "$gateway")
rest rest "$connections" "$seconds" "$url"
rest_rate=${figures[1]} json_bytes=${figures[4]}
rest_gateway=$(per "$(($(cpu_us "$gateway") - gateway_cpu))" "${figures[0]}")
row "REST, gateway and server" "$rest_rate" "${figures[2]}" "${figures[3]}" \
  "$(per "$(($(cpu_us "$server") - server_cpu))" "${figures[0]}")" "$rest_gateway" - "$json_bytes"

start echo "$build/bin/bench/e2e_peer" echo --listen "unix:$scratch/echo.sock" --bytes "$wire_bytes"
echo_cpu=$(cpu_us "$started")
grpc_load "$address" "$seconds"
echo_rate=${figures[1]} echo_client=${figures[4]}
row "gRPC, echo" "$echo_rate" "${figures[2]}" "${figures[3]}" \
  "$(per "$(($(cpu_us "$started") - echo_cpu))" "${figures[0]}")" - "$echo_client" "$wire_bytes"
kill "$started"

start static "$build/bin/bench/e2e_peer" static --listen 127.0.0.1:0 --bytes "$json_bytes"
static_cpu=$(cpu_us "$started")
rest static "$connections" "$seconds" "http://$address"
static_gateway=$(per "$(($(cpu_us "$started") - static_cpu))" "${figures[0]}")
row "HTTP, static body" "${figures[1]}" "${figures[2]}" "${figures[3]}" - "$static_gateway" - \
  "${figures[4]}"
kill "$started"

# overload NAME GATEWAY URL: the row and, in `goodput`, `refused` and `failed`, its outcome.
overload() {
  local server_cpu gateway_cpu
  server_cpu=$(cpu_us "$server") gateway_cpu=$(cpu_us "$2")
  rest overload $((connections * overload)) "$seconds" "$3"
  row "$1" "${figures[1]}" "${figures[2]}" "${figures[3]}" \
    "$(per "$(($(cpu_us "$server") - server_cpu))" "${figures[0]}")" \
    "$(per "$(($(cpu_us "$2") - gateway_cpu))" "${figures[0]}")" - "${figures[4]}"
  goodput=$(ratio "${figures[1]}" "$rest_rate") refused=${figures[5]} failed=${figures[6]}
}
resident() { echo "$(resident_mb "$server") + $(resident_mb "$1")"; }

# All of them wait their turn: fewer than may be in flight.
before_mb=$(resident "$gateway")
overload "REST, $overload times, waiting" "$gateway" "$url"
waiting="$goodput, refused $refused, failed $failed, resident MB $before_mb -> $(resident "$gateway")"

# Most of them are refused, and ask again at once.
start strict "$build/bin/relations-gateway" --backend "$server_address" --listen 127.0.0.1:0 \
  --max-in-flight "$connections"
strict=$started strict_url="http://$address"
rest warm "$connections" 1 "$strict_url"
before_mb=$(resident "$strict")
overload "REST, $overload times, refusing" "$strict" "$strict_url"
refusing="$goodput, refused $refused, failed $failed, resident MB $before_mb -> $(resident "$strict")"

ceiling=$(awk -v a="$static_gateway" -v b="$echo_client" 'BEGIN { print a + b }')
cat <<END
server over gRPC / echo (at least 0.7):                  $(ratio "$grpc_rate" "$echo_rate")
REST / echo (at least 0.5):                              $(ratio "$rest_rate" "$echo_rate")
gateway CPU / (static + gRPC client) (at most 1.5):      $(ratio "$rest_gateway" "$ceiling")
goodput at $overload times the load / REST (at least 0.9), and memory of server + gateway:
  waiting:  $waiting
  refusing: $refusing
END
