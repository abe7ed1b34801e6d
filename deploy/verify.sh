#!/usr/bin/env bash
# Verifies what deploy/ holds with what one Debian machine can run, no cluster needed.
#
#   deploy/verify.sh [files] [image]
#
#   files   manifests rendered by kubectl, decoded by its own types, held against our hardening rules; systemd
#           units; the settings files, given to the programs; linters. Seconds, no root.
#   image   the container image, built by podman from the programs in --bin; its containers are played from the
#           rendered StatefulSet: non-root, read-only root file system, no capabilities; probes, an answer over
#           HTTPS, metrics, backup-free restart. A minute; needs root, podman, runc.
#
# Without a stage: both. --bin DIR: the built programs (build/release/bin). --base IMAGE: a Debian image that
# podman has or can pull (debian:bookworm-slim).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
bin=$root/build/release/bin
base=docker.io/library/debian:bookworm-slim
stages=()
while [ $# -gt 0 ]; do
  case "$1" in
    files | image) stages+=("$1") ;;
    --bin) bin=$(realpath "$2"); shift ;;
    --base) base=$2; shift ;;
    *) sed -n '2,15p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ ${#stages[@]} -gt 0 ] || stages=(files image)

work=$(mktemp -d)
declare -a podman=()
clean() {
  if [ ${#podman[@]} -gt 0 ]; then
    "${podman[@]}" pod rm -f relations >/dev/null 2>&1 || true
    "${podman[@]}" rm -fa >/dev/null 2>&1 || true
  fi
  rm -rf "$work"
}
trap clean EXIT

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

render() { kubectl kustomize "$here/kubernetes/$1"; }

# The programs take the settings files as they are: an unknown or wrong setting is an error.
check_settings() {
  "$bin/relations-server" --config "$1/server.conf" --data /data --print-config >/dev/null
  sed '/^tls-/d' "$1/gateway.conf" >"$work/gateway.conf"
  "$bin/relations-gateway" --config "$work/gateway.conf" --backend unix:/x --print-config >/dev/null
}

check_unit() {
  local unit=$1 said
  # The programs need not be installed where this runs.
  sed "s|=/usr/bin/relations-|=$bin/relations-|" "$unit" >"$work/$(basename "$unit")"
  said=$(cd "$work" && systemd-analyze verify --man=no --recursive-errors=no "$(basename "$unit")" 2>&1) ||
    fail "$unit: $said"
  [ -z "$said" ] || fail "$unit: $said"
  systemd-analyze security --offline=true --threshold=20 "$unit" >/dev/null || fail "$unit is exposed"
}

stage_files() {
  local overlay
  for overlay in base overlays/*/; do
    overlay=${overlay%/}
    say "manifests: $overlay"
    render "$overlay" >"$work/rendered.yaml"
    python3 "$here/kubernetes/check.py" typed "$work/rendered.yaml"
    python3 "$here/kubernetes/check.py" hardened "$work/rendered.yaml"
  done
  say "settings files"
  check_settings "$here/kubernetes/base"
  check_settings "$here/systemd"
  say "systemd units"
  for unit in "$here"/systemd/*.service; do check_unit "$unit"; done
  say "linters"
  (cd "$root" && shellcheck -x deploy/*.sh)
  yamllint -d '{extends: default, rules: {line-length: {max: 110}, document-start: disable}}' \
    "$here/kubernetes"
}

set_up_podman() {
  [ "$(id -u)" -eq 0 ] || fail "the stage image needs root"
  # Under a hybrid cgroup hierarchy and without systemd; storage of its own, so that nothing else is touched.
  local store=${RELATIONS_PODMAN_STORE:-/var/tmp/relations-podman}
  cat >"$work/containers.conf" <<'EOF'
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=8192:8192"]
EOF
  export CONTAINERS_CONF=$work/containers.conf
  podman=(podman --root "$store/root" --runroot "$store/run" --tmpdir "$store/tmp")
}

build_image() {
  say "image"
  mkdir -p "$work/context"
  cp -a "$root/deploy" "$work/context/"
  "$here/collect.sh" "$bin" "$work/context/prebuilt"
  "${podman[@]}" build -q --format docker --pull=missing -f "$work/context/deploy/Dockerfile" \
    --build-arg "BASE=$base" --build-arg PREBUILT=prebuilt -t localhost/relations:latest \
    "$work/context" >/dev/null
  "${podman[@]}" image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}' localhost/relations
  # No shell in it, and every program starts.
  ! "${podman[@]}" run --rm localhost/relations:latest /bin/sh -c true 2>/dev/null ||
    fail "the image has a shell"
  local program
  for program in relations-server relations-gateway relationsctl; do
    "${podman[@]}" run --rm --read-only --cap-drop all localhost/relations:latest \
      "/usr/bin/$program" --version >/dev/null || fail "$program does not start in the image"
  done
}

# Waits for a command to succeed, at most 60 s.
wait_for() {
  local tries
  for tries in $(seq 120); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    [ "$tries" -eq 120 ] || sleep 0.5
  done
  fail "never succeeded: $*"
}

in_pod() {
  local pid
  pid=$("${podman[@]}" inspect relations-gateway --format '{{.State.Pid}}')
  nsenter -t "$pid" -n "$@"
}

status_of() { in_pod curl -s -o "$work/answer" -w '%{http_code}' --cacert "$work/tls/tls.crt" "$@"; }

prepare_volumes() {
  mkdir -p "$work"/{data,run,settings,tls}
  cp "$here"/kubernetes/base/*.conf "$work/settings/"
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=relations -addext \
    "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$work/tls/tls.key" -out "$work/tls/tls.crt" \
    2>/dev/null
  "$bin/relationsctl" --data "$work/data/store" import "$here/sample/data" >/dev/null
  "$bin/relationsctl" --data "$work/data/store" sessions create --user \
    5f0c1f0e-8f5b-4a53-9a0e-0a7d4c6d2b11 --groups public --roles user --json >"$work/session"
  chmod 0755 "$work"
  chmod 1777 "$work/run"
  chown -R 10001:10001 "$work/data" "$work/tls"
}

stage_image() {
  set_up_podman
  build_image
  say "the StatefulSet's pod"
  prepare_volumes
  render base | sed 's|image: relations:latest|image: localhost/relations:latest|' >"$work/rendered.yaml"
  python3 "$here/kubernetes/check.py" pod "$work/rendered.yaml" "$work" >"$work/pod.yaml"
  "${podman[@]}" play kube "$work/pod.yaml" >/dev/null
  local health=(/usr/bin/relationsctl --server unix:/run/relations/server.sock health)
  wait_for "${podman[@]}" exec relations-server "${health[@]}"
  wait_for in_pod curl -sf --cacert "$work/tls/tls.crt" https://localhost:8443/readyz
  say "an answer over HTTPS"
  local bearer entity url
  bearer=$(sed 's/.*"bearer":"\([^"]*\)".*/\1/' "$work/session")
  entity=domain-a27d9327f013a2025fe719dcf699d1f8debe58665c4a42399368099431aa8120
  url=https://localhost:8443/api/analytics/v1/entity/$entity/relations
  echo "Authorization: Bearer $bearer" >"$work/header"
  [ "$(status_of -H "@$work/header" "$url")" = 200 ] || fail "no answer: $(cat "$work/answer")"
  grep -q vodafoneegypt.tech "$work/answer" || fail "not the answer: $(cat "$work/answer")"
  [ "$(status_of "$url")" = 401 ] || fail "a stranger is not refused"
  say "metrics"
  in_pod curl -sf http://localhost:9090/metrics | grep -q 'status="200"} 1' || fail "gateway metrics"
  in_pod curl -sf http://localhost:9091/metrics | grep -q 'status="OK"} 1' || fail "server metrics"
  say "hardening"
  local container inspected
  for container in relations-server relations-gateway; do
    inspected=$("${podman[@]}" inspect "$container" --format \
      '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.EffectiveCaps}}')
    [ "$inspected" = "true 10001:10001 []" ] || fail "$container: $inspected"
  done
  say "a restart of the server is survived"
  "${podman[@]}" restart -t 45 relations-server >/dev/null
  wait_for in_pod curl -sf --cacert "$work/tls/tls.crt" https://localhost:8443/readyz
  [ "$(status_of -H "@$work/header" "$url")" = 200 ] || fail "no answer after the restart"
  say "a stop is clean"
  "${podman[@]}" stop -t 45 relations-gateway relations-server >/dev/null
  for container in relations-server relations-gateway; do
    [ "$("${podman[@]}" inspect "$container" --format '{{.State.ExitCode}}')" = 0 ] ||
      fail "$container did not stop cleanly"
  done
}

cd "$here/kubernetes"
for stage in "${stages[@]}"; do "stage_$stage"; done
say "all is well"
