# shellcheck shell=bash
# The packages that the product is built from, in one place; sourced by deploy/quickstart.sh and
# tests/run.sh. Debian 12 is the reference; Debian 13 has other versions of a few.
#
#   . deploy/packages.sh
#   install_packages build        # or: build tests

# Prints the packages of the given sets ("build", "tests", "deploy", "image"), one a line.
packages_of() {
  local version="" set
  # shellcheck disable=SC1091
  [ -r /etc/os-release ] && version=$(. /etc/os-release && echo "${ID:-}-${VERSION_ID:-}")
  for set in "$@"; do
    case "$set" in
      build)
        printf '%s\n' build-essential cmake ninja-build ccache pkg-config ca-certificates curl \
          libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev \
          librocksdb-dev libssl-dev libspdlog-dev libcli11-dev libsimdjson-dev zlib1g-dev \
          libzstd-dev libxxhash-dev libicu-dev libre2-dev libjemalloc-dev prometheus-cpp-dev
        case "$version" in
          # Its default Boost is older than the 1.81 that we need.
          debian-12) echo libboost1.81-dev ;;
          *) echo libboost-dev ;;
        esac
        ;;
      tests)
        printf '%s\n' catch2 librapidcheck-dev clang python3 shellcheck wrk
        case "$version" in
          # The sanitizers of the compiler that `clang` is there.
          debian-12) echo libclang-rt-14-dev ;;
          debian-13) echo libclang-rt-19-dev ;;
        esac
        ;;
      deploy)
        # What deploy/verify.sh holds manifests and units against; kubectl is no package of Debian 12.
        printf '%s\n' python3-yaml shellcheck yamllint systemd openssl curl iproute2
        ;;
      image)
        printf '%s\n' podman buildah runc netavark aardvark-dns catatonit debootstrap iptables \
          openssl curl util-linux
        ;;
      *)
        echo "packages_of: no such set: $set" >&2
        return 1
        ;;
    esac
  done
}

# Prints those of the packages given as arguments that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

# Installs what is missing of the given sets; does nothing when nothing is, and then needs neither
# root nor a network.
install_packages() {
  local -a wanted missing
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "this is no Debian: install what deploy/packages.sh names yourself" >&2
    return 0
  fi
  mapfile -t wanted < <(packages_of "$@")
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ "${#missing[@]}" -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "packages are missing; as root: apt-get install ${missing[*]}" >&2
    return 1
  fi
  echo "installing: ${missing[*]}" >&2
  # --no-remove: never take away what somebody else installed.
  local -a install=(apt-get install -y -q --no-install-recommends --no-remove "${missing[@]}")
  export DEBIAN_FRONTEND=noninteractive
  # Lists that are missing or old are the usual cause of a failure.
  apt-cache show "${missing[@]}" >/dev/null 2>&1 && "${install[@]}" && return 0
  apt-get update -q && "${install[@]}"
}
