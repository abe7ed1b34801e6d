#!/usr/bin/env bash
# Builds the product with its tests and runs them: tests/run.sh, or see --help. The last lines are
# ctest's summary.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: tests/run.sh [--preset NAME]... [--long] [--filter REGEX] [--jobs N] [--no-install]

  --preset NAME   release, debug, asan or tsan; may be repeated, in this order; default: release asan
  --long          run the tests labelled "long" too, and under a sanitizer the slow ones
  --filter REGEX  only the tests whose names match
  --jobs N        tests that run at once; default 2
  --no-install    do not look for missing packages

Fast tests run first. asan builds with clang and leaves out the tests labelled "slow"; tsan builds
and runs only the tests of the threaded core, which has no gRPC in it.
USAGE
}

usage_error() {
  echo "tests/run.sh: $*" >&2
  usage >&2
  exit 2
}

presets=()
long=no
filter=
jobs=2
install=yes
while [ $# -gt 0 ]; do
  option=$1
  shift
  case "$option" in
    --*=*) set -- "${option#*=}" "$@"; option=${option%%=*} ;;
  esac
  case "$option" in
    --preset | --filter | --jobs)
      [ $# -gt 0 ] || usage_error "$option needs a value"
      case "$option" in
        --preset)
          case "$1" in
            release | debug | asan | tsan) presets+=("$1") ;;
            *) usage_error "unknown preset $1" ;;
          esac
          ;;
        --filter) filter=$1 ;;
        --jobs)
          case "$1" in
            '' | *[!0-9]* | 0*) usage_error "--jobs must be a number from 1" ;;
          esac
          jobs=$1
          ;;
      esac
      shift
      ;;
    --long) long=yes ;;
    --no-install) install=no ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) usage_error "unknown option $option" ;;
  esac
done
[ "${#presets[@]}" -gt 0 ] || presets=(release asan)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
if [ "$install" = yes ]; then
  # shellcheck source=deploy/packages.sh
  . deploy/packages.sh
  install_packages build tests deploy
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# The libraries of the distribution are not instrumented.
export TSAN_OPTIONS=${TSAN_OPTIONS:-ignore_noninstrumented_modules=1}

# ThreadSanitizer cannot judge gRPC, whose library is not instrumented.
threaded=(race_test node_cache_test graph_store_test)

for preset in "${presets[@]}"; do
  echo "==> building: $preset" >&2
  targets=()
  [ "$preset" = tsan ] && targets=(--target "${threaded[@]}")
  cmake --preset "$preset" -DRELATIONS_BUILD_TESTS=ON >/dev/null
  cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}"
done

# All presets run, whatever fails; the exit code tells. Labels: fast, slow (tens of seconds), long.
failed=0
for preset in "${presets[@]}"; do
  excluded=()
  tests=${filter:-.}
  if [ "$preset" = tsan ]; then
    [ -n "$filter" ] || tests="^($(IFS='|' && echo "${threaded[*]}"))\$"
  elif [ "$long" = no ]; then
    case "$preset" in
      asan) excluded=(--label-exclude '^(slow|long)$') ;;
      *) excluded=(--label-exclude '^long$') ;;
    esac
  fi
  echo "==> testing: $preset" >&2
  ctest --preset "$preset" --parallel "$jobs" --output-on-failure --no-tests=error \
    --tests-regex "$tests" "${excluded[@]}" || failed=1
done
exit "$failed"
