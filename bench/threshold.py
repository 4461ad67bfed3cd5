#!/usr/bin/env python3
"""A load that sits on a threshold, live: does quality go to and fro?

usage: bench/threshold.py BINARY [--seconds S] [--json FILE]

Forty cameras without pixels, 8.2 frames/s each, on an engine that can do 333 a second: 0.98 of it, where the controller calls
the engine full. Calm needs to last ten seconds only before quality rises, so that there is every chance to err. Fails when
any camera's quality changes more often than once in fifteen seconds (after the first half minute, which may settle), or when
latency does not hold."""
import argparse
import json
import pathlib
import signal
import sys
import tempfile
import time

from step import ENGINE_FPS, NULL_CAMERAS, SLA_MS, Watched, frames_of, name_of, percentile

LOAD = 0.98
SETTLE_S = 30
MOST_PER_MINUTE = 4


def watch(binary, seconds):
    """Changes of quality after the settling, of the camera with the most; and the 95th percentile of latency."""
    with tempfile.TemporaryDirectory() as folder:
        engine = ("--set", "backend=null", "--null-ms", 2e3 / ENGINE_FPS, "--set", "inference.parallel=2", "--set",
                  "gpu.batch_size_range=[1,1]")
        with Watched(binary, folder, 60, *engine) as daemon:
            for i in range(NULL_CAMERAS):
                daemon.add(i, f"null://?fps={LOAD * ENGINE_FPS / NULL_CAMERAS:.2f}")
            time.sleep(SETTLE_S)
            before = daemon.quality()["camera_states"]
            time.sleep(seconds)
            after = daemon.quality()["camera_states"]
            frames = frames_of(daemon.freeze_flight())
    names = [name_of(i) for i in range(NULL_CAMERAS)]
    changes = [after[n]["adjustment_count"] - before[n]["adjustment_count"] for n in names]
    return {"seconds": seconds, "load": LOAD, "changes": sum(changes), "most_of_a_camera": max(changes),
            "p95_ms": percentile([f[2] for f in frames if f[2] is not None], 0.95)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=600, help="after the first half minute")
    parser.add_argument("--json")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the daemon goes too
    row = watch(args.binary, args.seconds)
    calm = row["most_of_a_camera"] <= MOST_PER_MINUTE * args.seconds / 60 and row["p95_ms"] <= SLA_MS
    print(f"{NULL_CAMERAS} cameras that take {LOAD:g} of the engine, {args.seconds:g} s: {row['changes']} changes, of one camera at most "
          f"{row['most_of_a_camera']}; p95 {row['p95_ms']:.1f} ms: {'steady' if calm else 'NOT STEADY'}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(row, indent=1) + "\n")
    return 0 if calm else 1


if __name__ == "__main__":
    sys.exit(main())
