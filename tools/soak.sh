#!/usr/bin/env bash
# The long runs: every fuzz target for FUZZ_SECONDS (600), then a hundred null cameras and four rendered ones for
# SOAK_SECONDS (1800), whose ledger must balance and whose memory must stay flat; then a load on a threshold for
# THRESHOLD_SECONDS (600), under which quality must not go to and fro.
set -euo pipefail
cd "$(dirname "$0")/.."
fuzz_seconds=${FUZZ_SECONDS:-600} soak_seconds=${SOAK_SECONDS:-1800} threshold_seconds=${THRESHOLD_SECONDS:-600}

cmake --preset fuzz >build/soak-configure.log
cmake --build --preset fuzz -j "$(nproc)" >build/soak-build.log
for target in build/fuzz/tests/fuzz/fuzz_*; do
    [[ -x $target && -f $target ]] || continue
    name=$(basename "$target") name=${name#fuzz_}
    mkdir -p "build/corpus/$name"
    echo "== fuzzing $name for $fuzz_seconds s"
    "$target" -max_total_time="$fuzz_seconds" -print_final_stats=1 "build/corpus/$name" "tests/fuzz/corpus/$name" \
        2>&1 | tail -8
done

tools/bootstrap.sh build
cmake --preset release -DITS_TESTS=OFF -B build/run >build/configure.log
cmake --build build/run >build/build.log
for load in "100 null://?fps=30" "4 synth://crossroads?size=640x360&fps=25&seconds=8&seed={i}"; do
    read -r streams source <<<"$load"
    echo "== $streams cameras of $source for $soak_seconds s"
    build/run/src/cli/its-camera-ai performance benchmark --set backend=null --set data_dir=build/soak-data \
        --streams "$streams" --source "$source" --duration "$soak_seconds" --output build/soak.json
    python3 - build/soak.json <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
grown = report["rss_mb"] - report["rss_start_mb"]
assert report["ledger_balanced"], "the ledger does not balance"
assert grown < 8, f"memory grew by {grown:.1f} MiB"
print(f"balanced; memory grew by {grown:.1f} MiB")
PY
done
echo "== a load on a threshold for $threshold_seconds s"
python3 bench/threshold.py build/run/src/cli/its-camera-ai --seconds "$threshold_seconds"
