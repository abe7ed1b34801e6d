#!/usr/bin/env bash
# Builds the benchmarks and runs each of them small, so that they keep working: smoke.sh BUILD_DIR.
# The figures mean nothing.
set -euo pipefail

build=$(cd "$1" && pwd)
cmake --build "$build" --target benches relationsctl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

bench=$build/bin/bench
size=(--entities 2000 --relations 20000 --hubs "1000,200x3" --id-count 100)
"$bench/generate" "${size[@]}" --ids ids --output graph.jsonl
"$bench/generate" "${size[@]}" --output - | cmp - graph.jsonl
"$bench/import_bench" --store imported graph.jsonl | tee imported.txt
"$bench/generate" "${size[@]}" --store filled
for store in imported filled; do
  "$bench/walk_bench" --store "$store" --ids ids --seconds 0.1 --node-cache-mb 0,16
done
# Straight into the store or through JSON Lines: the same graph.
for store in imported filled; do
  "$build/bin/relationsctl" --data "$store" check
  "$build/bin/relationsctl" --data "$store" stats --json | grep -o '^.*"bytes"' > "$store.stats"
done
cmp imported.stats filled.stats

"$bench/bounds_bench" --dir bounds build --scale 0.001
"$bench/bounds_bench" --dir bounds measure --repetitions 20
"$bench/transcode_bench" --store filled --ids ids --answers 20 --rounds 2
"$(dirname "$0")/e2e.sh" "$build" --store filled --ids ids --seconds 1 --connections 8 | tee e2e.txt
# Every kind of answer came: no row without answers.
awk '/^(gRPC|REST|HTTP).* [0-9]+ +[0-9]+ +[0-9]+ / { ++rows } END { exit rows == 6 ? 0 : 1 }' e2e.txt

"$bench/layout_bench" --nodes 1000 --hub-entries 2000 --reads 100 --inserts 100
"$bench/ingest_bench" --entities 1000 --seconds 0.5
