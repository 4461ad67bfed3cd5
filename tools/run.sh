#!/usr/bin/env bash
# Starts the daemon on four demo cameras. Model: $MODEL, else the project's own, which the program finds by itself; in a
# checkout without it the null backend, said on the screen.
set -euo pipefail
cd "$(dirname "$0")/.."

args=(--listen "${LISTEN:-127.0.0.1:8080}" --data-dir data --status-line)
if [[ -n ${MODEL:-} ]]; then
    args+=(--model "$MODEL")
elif [[ ! -f models/its-road.onnx ]]; then
    echo "models/its-road.onnx is missing: running with the null backend, which detects nothing. Name a model with MODEL=file." >&2
    args+=(--set backend=null)
fi
[[ -n ${DURATION:-} ]] && args+=(--duration "$DURATION")
road() { printf '%s=synth://%s&size=960x540&fps=25&seconds=8' "$1" "$2"; }
exec build/run/src/cli/its-camera-ai serve "${args[@]}" \
    --camera "$(road crossroads 'crossroads?seed=7')" \
    --camera "$(road motorway 'motorway?seed=3&weather=cloudy')" \
    --camera "$(road street 'street?seed=11&light=dusk')" \
    --camera "$(road rain 'crossroads?seed=21&weather=rain')"
