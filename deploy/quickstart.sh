#!/usr/bin/env bash
# From a fresh clone on a bare Debian 12 to an answer: installs packages, builds, imports the
# bundled sample, creates a demo key pair, starts server and gateway, asks the README's question.
# Run it again at any time.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: deploy/quickstart.sh [--once] [--port N] [--data DIR] [--bin DIR]

  --once      stop after the answer (otherwise serves until Ctrl-C)
  --port N    port of the gateway on 127.0.0.1; default 8080, 0 picks a free one
  --data DIR  directory of the store and the demo's files; default build/quickstart
  --bin DIR   use the binaries in DIR: installs nothing and builds nothing
USAGE
}

die() {
  echo "quickstart: $*" >&2
  exit 1
}

usage_error() {
  echo "quickstart: $*" >&2
  usage >&2
  exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
once=no
port=8080
state=$root/build/quickstart
bin=

while [ $# -gt 0 ]; do
  option=$1
  shift
  case "$option" in
    --*=*) set -- "${option#*=}" "$@"; option=${option%%=*} ;;
  esac
  case "$option" in
    --once) once=yes ;;
    --port | --data | --bin)
      [ $# -gt 0 ] || usage_error "$option needs a value"
      case "$option" in
        --port) port=$1 ;;
        --data) state=$1 ;;
        --bin) bin=$1 ;;
      esac
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) usage_error "unknown option $option" ;;
  esac
done
case "$port" in
  '' | *[!0-9]* | ??????*) usage_error "--port must be 0 to 65535" ;;
esac
port=$((10#$port))
[ "$port" -le 65535 ] || usage_error "--port must be 0 to 65535"

step() { echo "==> $*" >&2; }

# A busy port is better told now than after the build.
if [ "$port" -ne 0 ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  die "port $port is in use: choose another with --port N (0 picks a free one)"
fi

# --- build -------------------------------------------------------------------------------
if [ -z "$bin" ]; then
  # shellcheck source=deploy/packages.sh
  . "$root/deploy/packages.sh"
  step "checking packages"
  install_packages build
  step "building (the first time takes some minutes)"
  cd "$root"
  # A tree that also builds the tests stays one; only these three binaries are built here.
  if [ -f build/release/CMakeCache.txt ]; then
    cmake --preset release >/dev/null
  else
    cmake --preset release -DRELATIONS_BUILD_TESTS=OFF >/dev/null
  fi
  cmake --build --preset release --parallel "$(nproc)" \
    --target relations-server relations-gateway relationsctl
  bin=$root/build/release/bin
fi
for binary in relations-server relations-gateway relationsctl; do
  [ -x "$bin/$binary" ] || die "there is no $binary in $bin"
done

# --- clean up, whatever happens -----------------------------------------------------------
server_pid=
gateway_pid=
run=

# Stops a child of ours: politely, then after ten seconds by force.
# shellcheck disable=SC2317,SC2329  # called by clean_up
stop() {
  local pid=$1 tries=100
  [ -n "$pid" ] || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while [ "$tries" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    tries=$((tries - 1))
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# shellcheck disable=SC2317,SC2329  # called by traps
clean_up() {
  trap - EXIT INT TERM HUP
  stop "$gateway_pid"
  stop "$server_pid"
  if [ -n "$run" ]; then rm -rf "$run"; fi
}
trap clean_up EXIT
trap 'clean_up; exit 0' INT TERM
trap 'clean_up; exit 129' HUP

# Waits for the line "listening on ADDR" of the child $1 in the log $2 and prints ADDR; fails when
# the child ends first.
ready_address() {
  local pid=$1 log=$2 address tries=600
  while [ "$tries" -gt 0 ]; do
    address=$(sed -n 's/^listening on //p' "$log" | head -n 1)
    if [ -n "$address" ]; then
      echo "$address"
      return 0
    fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
    tries=$((tries - 1))
  done
  return 1
}

# --- data and key -------------------------------------------------------------------------
umask 077
mkdir -p "$state"
state=$(cd "$state" && pwd)
data=$state/data
key=$state/demo-key.json
headers=$state/demo-headers

step "importing the sample into $data"
"$bin/relationsctl" --data "$data" import "$root/deploy/sample/data" >&2 ||
  die "the import failed; is another quickstart running on $state?"

# The secret goes from file to file, never through a command line.
key_id() { sed -n 's/.*"keyID":"\([^"]*\)".*/\1/p' "$key"; }
if [ ! -s "$key" ] ||
  ! "$bin/relationsctl" --data "$data" keys list | grep -q "^$(key_id) *active"; then
  step "creating a demo key pair in $key"
  rm -f "$key"
  "$bin/relationsctl" --data "$data" keys create --user 00000000-0000-4000-8000-000000000001 \
    --groups public --roles user --name quickstart --out "$key" >&2
fi
sed -n 's/.*"apiKey":"\([^"]*\)","apiSecret":"\([^"]*\)".*/api-key: \1\napi-secret: \2/p' "$key" \
  >"$headers"

# --- serve --------------------------------------------------------------------------------
# A socket's path may be 107 bytes long, so it does not live below the checkout.
run=$(mktemp -d /tmp/relations-quickstart-XXXXXX)
# The logs are there before the programs are.
touch "$run/server.out" "$run/gateway.out"
step "starting relations-server and relations-gateway"
"$bin/relations-server" --data "$data" --listen "unix:$run/server.sock" \
  >"$run/server.out" 2>"$state/server.log" &
server_pid=$!
ready_address "$server_pid" "$run/server.out" >/dev/null || {
  tail -n 5 "$state/server.log" >&2
  die "relations-server did not start; its log is $state/server.log"
}
"$bin/relations-gateway" --backend "unix:$run/server.sock" --listen "127.0.0.1:$port" \
  >"$run/gateway.out" 2>"$state/gateway.log" &
gateway_pid=$!
address=$(ready_address "$gateway_pid" "$run/gateway.out") || {
  tail -n 5 "$state/gateway.log" >&2
  die "relations-gateway did not start on port $port (try --port N); its log is $state/gateway.log"
}
address=${address#http://}

# --- ask ----------------------------------------------------------------------------------
# A domain from somebody's log: what is it connected to? The id is "domain-" and the SHA3-256 of
# "vodafoneegypt.tech", which MVT's list names as one of the spyware Predator.
entity=domain-a27d9327f013a2025fe719dcf699d1f8debe58665c4a42399368099431aa8120
url="http://$address/api/analytics/v1/entity/$entity/relations?levels=2&limit=5"
step "asking: curl -i -H @$headers '$url'"
answer=$(curl -sS --noproxy '*' -i --max-time 60 -H "@$headers" "$url") ||
  die "no answer from the gateway; its log is $state/gateway.log"
status=$(printf '%s\n' "$answer" | sed -n '1s/\r$//p')
# The status line, the stop reason, then the body with a line for each node and relation.
echo "$status"
printf '%s\n' "$answer" | tr -d '\r' | sed -n '/^$/q; /^[Xx]-[Ss]top-[Rr]eason:/p'
printf '%s\n' "$answer" | tr -d '\r' | sed '1,/^$/d' |
  sed -e 's/},{/},\n  {/g' -e 's/\[{"id"/[\n  {"id"/' -e 's/\]}$/\n]}/' \
    -e 's/\],"relations":\[/\n],"relations":[\n  /'
case "$status" in
  HTTP/*' 200 '* | HTTP/*' 200') ;;
  *) die "the answer is not 200; the logs are in $state" ;;
esac

if [ "$once" = yes ]; then exit 0; fi
step "serving on http://$address until Ctrl-C; the same as a table:"
step "$bin/relationsctl --server unix:$run/server.sock --credentials $key relations $entity"
# Ends when a child does, which it should not.
wait -n "$server_pid" "$gateway_pid" || true
die "a process ended by itself; the logs are in $state"
