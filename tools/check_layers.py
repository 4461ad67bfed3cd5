#!/usr/bin/env python3
"""Holds the direction of includes between the rooms of src/: a room may include any room of a lower layer, rooms of one
layer never each other. Prints each offending include and exits 1."""
import pathlib
import re
import sys

# Lowest first. The order is the one docs/architecture.md draws.
LAYERS = [
    {"base"},
    {"config", "metrics", "net"},
    {"core"},
    {"render", "pool", "device"},
    {"capture", "preprocess", "infer", "postprocess", "encode", "sink", "cache", "store", "latency", "quality"},
    {"pipeline"},
    {"optimizer"},
    {"serve"},
    {"cli"},
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}


def offences(src):
    for path in sorted(src.rglob("*.[ch]")):
        room = path.relative_to(src).parts[0]
        if room not in RANK:
            yield f"{path}: the room {room} has no layer"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([a-z_0-9]+)/', line)
            other = found.group(1) if found else room
            if other == room or other in ("its", "support"):
                continue
            if RANK.get(other, len(LAYERS)) >= RANK[room]:
                yield f"{path}:{number}: {room} must not include {other}: {line.strip()}"


def main():
    src = pathlib.Path(__file__).resolve().parent.parent / "src"
    found = list(offences(src))
    print("\n".join(found) if found else "every include points down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
