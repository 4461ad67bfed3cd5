#!/usr/bin/env bash
# Prints the benchmark table. The Python peers live in an environment of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cmp -s bench/requirements.txt .venv-bench/.requirements; then
    echo "preparing .venv-bench (ultralytics brings torch: some 6 GB)" >&2
    rm -rf .venv-bench
    python3 -m venv .venv-bench
    .venv-bench/bin/pip install -q --disable-pip-version-check -r bench/requirements.txt
    cp bench/requirements.txt .venv-bench/.requirements
fi
exec python3 bench/run.py "$@"
