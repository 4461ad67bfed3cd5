#!/usr/bin/env bash
# Makes its-road.onnx and its-road-int8.onnx from nothing: renders frames, trains, exports, quantises, evaluates. Needs a C
# compiler, a GPU (or several) and Python with the packages of requirements.txt; nothing is downloaded. The training is cut
# into STEPS, each on frames of its own, which are rendered while it runs; with ONE_STEP=1 the command ends after one (exit
# 75 until the last) and goes on from WORK/checkpoint.pt when called again. ITERATIONS=0 fits the training into MINUTES;
# START names weights to begin with, RATE the highest learning rate (to train on, half of what a beginning wants).
#
# usage: [STEPS=3] [ITERATIONS=13400] [FRAMES=64000] [SEED=1] [WORK=build/train] [ONE_STEP=1] tools/train/run.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
: "${STEPS:=3}" "${ITERATIONS:=13400}" "${FRAMES:=64000}" "${HELD:=2000}" "${SEED:=1}" "${WORK:=build/train}"
: "${PYTHON:=python3}" "${MINUTES:=1000}" "${BATCH:=256}" "${ONE_STEP:=}" "${START:=}" "${RATE:=0.002}"
# Memory, where there is a file system in it: tens of gigabytes pass through.
: "${RENDERED:=$([[ -w /dev/shm ]] && echo /dev/shm || echo "$WORK")}"
gpus=$(nvidia-smi -L 2>/dev/null | wc -l)
((gpus > 0)) || { echo "run.sh: no GPU (nvidia-smi lists none)" >&2; exit 1; }
cpus=$(getconf _NPROCESSORS_ONLN) # not nproc, which OMP_NUM_THREADS lowers
mkdir -p "$WORK"
"$here/build_frames.sh" "$WORK/frames"

train_step() {
    local step=$1 rendered=$RENDERED/its-road-$1 began=$SECONDS rc=0
    nice "$PYTHON" "$here/plan.py" "$WORK/frames" "$rendered" --part train --count "$FRAMES" \
        --seed $((SEED * 100 + step)) --jobs "$((cpus > gpus ? cpus - gpus : 1))" &
    local renderer=$! until=()
    ((ITERATIONS == 0)) || until=(--until $((ITERATIONS * step / STEPS)))
    "$PYTHON" -m torch.distributed.run --nproc-per-node "$gpus" "$here/train.py" --frames "$rendered" --out "$WORK" \
        --iterations "$ITERATIONS" "${until[@]}" --seed "$SEED" --minutes "$MINUTES" --batch $((BATCH / gpus)) --rate "$RATE" \
        --capacity "$FRAMES" --consume ${START:+--weights "$START"} || rc=$?
    kill "$renderer" 2>/dev/null && echo "run.sh: the renderer had not finished"
    wait "$renderer" || true
    rm -rf "$rendered"
    echo "step $step of $STEPS took $((SECONDS - began)) s"
    return "$rc"
}

while [[ ! -f $WORK/weights.pt ]]; do
    step=$(($(cat "$WORK/steps_done" 2>/dev/null || echo 0) + 1))
    train_step "$step"
    echo "$step" >"$WORK/steps_done"
    [[ -z $ONE_STEP || -f $WORK/weights.pt ]] || exit 75
done
"$PYTHON" "$here/export.py" "$WORK/weights.pt" "$WORK/its-road.onnx"
"$PYTHON" "$here/plan.py" "$WORK/frames" "$WORK/held" --part held --count "$HELD" --seed "$SEED"
"$PYTHON" "$here/evaluate_rendered.py" "$WORK/its-road.onnx" --frames "$WORK/held"
if "$PYTHON" -c 'import nncf' 2>/dev/null; then
    "$PYTHON" "$here/plan.py" "$WORK/frames" "$WORK/calibration" --part train --count 400 --seed $((SEED * 100))
    "$PYTHON" "$here/quantize.py" "$WORK/its-road.onnx" "$WORK/its-road-int8.onnx" --frames "$WORK/calibration"
    "$PYTHON" "$here/evaluate_rendered.py" "$WORK/its-road-int8.onnx" --frames "$WORK/held" --engine openvino
else
    echo "run.sh: no NNCF here: quantize.py is left for a machine that has it" >&2
fi
echo "The card's figures: $here/figures.py $WORK/its-road.onnx --int8 $WORK/its-road-int8.onnx --frames $WORK/held ..."
