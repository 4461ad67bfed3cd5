#!/usr/bin/env bash
# Installs what is missing: apt packages of the given roles and the pinned Python wheels. Does nothing, quickly, when all
# is there. usage: tools/bootstrap.sh build|test
set -euo pipefail
cd "$(dirname "$0")/.."
role=${1:-build}

say() { printf 'bootstrap: %s\n' "$*" >&2; }

wanted() {
    awk -v role="$role" '$1 == "build" || $1 == "run" || $1 == role { for (i = 2; i <= NF; i++) print $i }' tools/packages.txt
}

install_packages() {
    local missing=() name
    for name in $(wanted); do
        # clang's runtime is named after the compiler's version, which differs between releases
        if [[ $name == libclang-rt-14-dev ]]; then
            name=$(apt-cache depends clang 2>/dev/null | awk '/Depends: clang-[0-9]+/ {print $2; exit}')
            name=libclang-rt-${name#clang-}-dev
        fi
        dpkg-query -W -f='${Status}\n' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    local sudo=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || { say "these packages are missing and need root: ${missing[*]}"; exit 1; }
        sudo=(sudo)
    fi
    say "installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >build/bootstrap.log 2>&1 || { tail -20 build/bootstrap.log >&2; exit 1; }
}

# venv DIR REQUIREMENTS: made anew when the requirements changed.
venv() {
    local dir=$1 requirements=$2 stamp=$1/.requirements
    cmp -s "$requirements" "$stamp" 2>/dev/null && return 0
    say "preparing $dir"
    rm -rf "$dir"
    python3 -m venv "$dir"
    "$dir/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes -r "$requirements"
    cp "$requirements" "$stamp"
}

mkdir -p build
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null && install_packages
venv .venv tools/requirements.txt
if [[ $role == test ]]; then
    venv .venv-test tests/requirements.txt
fi
