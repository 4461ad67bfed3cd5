#!/usr/bin/env bash
# Every header compiles alone; the public ones also as C++ and without GNU extensions. usage: check_headers.sh CC
set -euo pipefail
cd "$(dirname "$0")/.."
cc=${1:-cc}
for header in include/its/*.h; do
    "$cc" -std=c17 -pedantic-errors -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c "$header"
    if command -v c++ >/dev/null; then
        c++ -std=c++17 -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ "$header"
    fi
done
# Some are shared by tests alone. A backend's private header needs its engine's own headers, which not every build has.
find src -name '*.h' -not -path 'src/infer/openvino/*' -print0 | while IFS= read -r -d '' header; do
    "$cc" -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Isrc -Itests $(pkg-config --cflags libavformat libavcodec libpq) \
        -fsyntax-only -x c "$header"
done
echo "all headers compile alone"
