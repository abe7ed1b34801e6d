#!/usr/bin/env bash
# Lays out the root file system of the container image: the programs, the shared libraries that they
# load, the authorities of TLS, and nothing else; no shell, no package manager.
#
#   deploy/collect.sh DIRECTORY_OF_PROGRAMS EMPTY_DIRECTORY
set -euo pipefail

programs=$1
root=$2

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/data" "$root/run/relations" "$root/tmp"
for program in relations-server relations-gateway relationsctl; do
  install -s -m 0755 "$programs/$program" "$root/usr/bin/$program"
  # Lines are "name => path (address)", and "path (address)" for the loader.
  ldd "$programs/$program" | grep -o '/[^ ]*' | sort -u
done | sort -u | while read -r library; do
  target=$root$library
  if [ ! -e "$target" ]; then
    install -D -m 0755 "$library" "$target"
  fi
done
install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'relations:x:10001:10001:relations:/data:/nonexistent' >"$root/etc/passwd"
echo 'relations:x:10001:' >"$root/etc/group"
chmod 1777 "$root/tmp" "$root/run/relations"
