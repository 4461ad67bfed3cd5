#!/bin/sh
# run.sh PYTHON SCRIPT ARGUMENTS...: runs an accuracy test, or says what is missing and exits 77.
python=$1
shift
if ! [ -x "$python" ]; then
    echo "skipped: no test environment ($python is absent)"
    exit 77
fi
if ! missing=$("$python" -c 'import numpy, onnxruntime, PIL' 2>&1); then
    echo "skipped: the test environment is incomplete: $(echo "$missing" | tail -1)"
    exit 77
fi
exec "$python" "$@"
