#!/usr/bin/env bash
# Builds the frame renderer without the project's other dependencies: a training machine needs a C compiler only.
# usage: tools/train/build_frames.sh OUT
set -euo pipefail
out=$1
cd "$(dirname "$0")/../.."
mapfile -t render < <(ls src/render/*.c | grep -v _test.c)
mkdir -p "$(dirname "$out")"
cc -std=gnu17 -D_GNU_SOURCE -O3 -ffp-contract=off -DITS_VERSION='"train"' -Iinclude -Isrc -o "$out" \
    tools/train/frames.c "${render[@]}" src/base/{diag,mem,url,rand}.c -lm -lpthread
