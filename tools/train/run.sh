#!/usr/bin/env bash
# Makes models/its-road.onnx from nothing: renders frames, trains, exports, evaluates. Needs a C compiler, a GPU and Python
# with the packages of requirements.txt; nothing is downloaded. A step ends by the clock and says (exit 75) that the same
# command goes on where it stopped; without MINUTES all is one step.
#
# usage: [FRAMES=48000] [ITERATIONS=20000] [SEED=1] [MINUTES=8] [WORK=build/train] [PYTHON=python3] tools/train/run.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
: "${FRAMES:=48000}" "${HELD:=2000}" "${ITERATIONS:=20000}" "${SEED:=1}" "${MINUTES:=100000}" "${WORK:=build/train}"
: "${PYTHON:=python3}"
began=$SECONDS
mkdir -p "$WORK"

"$here/build_frames.sh" "$WORK/frames"
"$PYTHON" "$here/plan.py" "$WORK/frames" "$WORK/rendered" --part train --count "$FRAMES" --seed "$SEED"
"$PYTHON" "$here/plan.py" "$WORK/frames" "$WORK/held" --part held --count "$HELD" --seed "$SEED"
echo "rendered after $((SECONDS - began)) s"

left=$(awk -v minutes="$MINUTES" -v spent=$((SECONDS - began)) 'BEGIN { print minutes - spent / 60 }')
"$PYTHON" "$here/train.py" --frames "$WORK/rendered" --out "$WORK" --iterations "$ITERATIONS" --seed "$SEED" \
    --minutes "$left" || { rc=$?; ((rc == 75)) && echo "go on with the same command"; exit "$rc"; }
"$PYTHON" "$here/export.py" "$WORK/weights.pt" "$WORK/its-road.onnx"
"$PYTHON" "$here/evaluate_rendered.py" "$WORK/its-road.onnx" --frames "$WORK/held"
