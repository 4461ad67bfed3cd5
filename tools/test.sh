#!/usr/bin/env bash
# The whole suite: gcc (everything), clang (unit tests), ASan+UBSan (unit tests), TSan (unit tests with more than one thread, with the null backend),
# and a short turn of every fuzz target over its corpus. Ends with what was skipped.
#
# Most tests of the first build wait for cameras and clocks: the others are compiled meanwhile, in the kernel's idle class,
# which runs when no test wants the processor. What measures time (label `alone`) comes when that is done.
set -uo pipefail
cd "$(dirname "$0")/.."
export CTEST_OUTPUT_ON_FAILURE=1 ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1
jobs=$(nproc)
slots=$((2 * jobs))      # what computes takes two of them, what waits takes one
unit_slots=$((3 * jobs)) # no unit test depends on how fast the machine is: while some wait, all processors compute
logs=build/test-logs
mkdir -p "$logs"
units=(--target unit_tests) # the sanitizers run nothing else
failed=()
began=$SECONDS

build() { # preset, then arguments for the build
    local preset=$1
    shift
    cmake --preset "$preset" >"$logs/$preset-configure.log" 2>&1 &&
        cmake --build --preset "$preset" -j "$jobs" "$@" >"$logs/$preset-build.log" 2>&1 && return 0
    cat "$logs/$preset-configure.log"
    tail -40 "$logs/$preset-build.log"
    failed+=("$preset build")
    return 1
}

suite() { # preset, then arguments for ctest
    local preset=$1 start=$SECONDS
    shift
    echo "== $preset: $*"
    ctest --test-dir "build/$preset" --no-tests=error "$@" 2>&1 | tee "$logs/$preset${1}.log" |
        grep -vE '^ +Start |^Internal ctest|^Test project'
    [[ ${PIPESTATUS[0]} == 0 ]] || failed+=("$preset")
    echo "== $preset took $((SECONDS - start)) s"
}

# Builds what comes later; what fails here fails again, and is told, when its turn comes.
build_ahead() {
    chrt --idle --pid 0 "$BASHPID" 2>/dev/null || renice -n 19 "$BASHPID"
    build clang
    build asan "${units[@]}"
    build tsan "${units[@]}"
    build fuzz
}

if build release; then
    set -m # a process group of its own, which ends with this script
    build_ahead >"$logs/ahead.log" 2>&1 &
    set +m
    ahead=$!
    trap 'kill -- "-$ahead" 2>/dev/null' EXIT
    suite release -LE alone -j "$slots"
    wait "$ahead"
    trap - EXIT
    suite release -L alone
fi
build clang && suite clang -L unit -j "$unit_slots"
build asan "${units[@]}" && suite asan -L unit -j "$unit_slots"
build tsan "${units[@]}" && suite tsan -L unit -LE one_thread -j "$unit_slots"
if command -v clang >/dev/null && build fuzz; then
    suite fuzz -L fuzz -j "$slots"
fi

echo
echo "Skipped:"
grep -hE 'Skipped|\[  SKIPPED \]|^skipped:' "$logs"/*.log | sort | uniq -c || true
echo "The suite took $((SECONDS - began)) s."
if ((${#failed[@]})); then
    echo "FAILED: ${failed[*]}"
    exit 1
fi
echo "All suites passed."
