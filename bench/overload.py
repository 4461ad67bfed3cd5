#!/usr/bin/env python3
"""The deadline batcher against the fixed-timeout one: the same recorded traces, from half of what the engine can do to three
times as much; counted are the frames delivered on time. Beside them the ceiling: what no batcher can exceed. Cameras keep
full quality, or the adaptive quality manager would lessen the load under the one batcher and not the other.

usage: bench/overload.py BINARY [--seconds S] [--loads L,L,...] [--traces NAME,NAME,...] [--json FILE]

The traces are made first, by the product itself: a hundred synthetic cameras that begin at times of their own are decoded as
cameras are, and the flight recorder freezes every frame's arrival. Each is then replayed on an engine that takes the time it
is told to, alternating between the batchers. The load is set by that time, not by the cameras' clock:

  25/s   100 cameras of 25 frames/s; an engine that gains from batches, up to 32 images (a quarter of a full batch's time is
         there before the first image)
  5/s    the same cameras at 5 frames/s; 14 requests side by side, of 28 ms each at a load of 1
  1/s    the same at 1 frame/s, as a hundred cameras are analysed on two cores; 2 requests side by side, of 20 ms"""
import argparse
import collections
import heapq
import json
import os
import pathlib
import platform
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

from daemon import Daemon

CAMERAS = 100
BATCHERS = ("deadline", "fixed")
LOADS = (0.5, 0.75, 1, 1.25, 1.5, 2, 3)
BATCH = 32
BUDGET_MS = 100
ADAPTIVE = "adaptive_quality.enable_adaptive_quality"


class Trace:
    def __init__(self, name, fps, parallel):
        self.name, self.fps, self.parallel = name, fps, parallel
        self.batch = BATCH if parallel == 1 else 1

    def run_ms(self, load):
        """How long the engine takes for a full batch, and how much of it is there before the first image."""
        full_ms = 1e3 * load * self.parallel * self.batch / (CAMERAS * self.fps)
        return full_ms, full_ms / 4 if self.batch > 1 else full_ms

    def engine(self, load):
        """How to tell the null backend to be an engine that this trace loads so much."""
        full_ms, fixed_ms = self.run_ms(load)
        return ["--null-ms", fixed_ms, "--null-image-ms", (full_ms - fixed_ms) / self.batch,
                "--set", f"inference.parallel={self.parallel}", "--set", f"gpu.batch_size_range=[1,{self.batch}]"]


TRACES = {t.name: t for t in (Trace("25/s", 25, 1), Trace("5/s", 5, 14), Trace("1/s", 1, 2))}


def record(binary, folder, trace, seconds):
    """The path of a flight record of `seconds` of the trace's cameras."""
    rng = random.Random(trace.fps)
    settings = {ADAPTIVE: "false", "backend": "null", "max_concurrent_streams": CAMERAS,
                "monitor.flight_recorder_seconds": seconds}

    def clip(seed):
        return f"synth://crossroads?size=320x192&fps={trace.fps}&seconds=20&seed={seed}"

    with Daemon(binary, folder, settings) as daemon:
        for seed in range(4):  # renders the clips, so that no camera waits for its own and then begins with others
            daemon.add_camera(f"clip{seed}", clip(seed))
        daemon.await_cameras()
        for seed in range(4):
            daemon.remove_camera(f"clip{seed}")
        start = time.monotonic()
        for i, at in enumerate(sorted(rng.uniform(0, 5) for _ in range(CAMERAS))):
            time.sleep(max(0, start + at - time.monotonic()))
            daemon.add_camera(f"cam{i:03d}", clip(i % 4))
        daemon.await_cameras()
        time.sleep(seconds + 1)
        return daemon.freeze_flight()


def arrivals(path):
    """When each frame of a flight record (core/flight.h) came to its mailbox, and its origin, in ms; by arrival."""
    data = pathlib.Path(path).read_bytes()
    (header,) = struct.unpack_from("<I", data, 12)
    entries = data[16 + header:]
    frames = ((entry[0] / 1e3, entry[5]) for entry in struct.iter_unpack("<q16I", entries[:len(entries) // 72 * 72]))
    return sorted((origin + us / 1e3, origin) for origin, us in frames if us != 0xffffffff)


def ceiling(frames, trace, load):
    """More frames than any batcher can deliver on time: every mailbox keeps all that comes, the earliest deadline goes
    first and nothing that is hopeless is begun, batches cost as little as full ones and yet each frame is through as soon as
    one that is alone, and not a moment passes between two runs."""
    full_ms, fixed_ms = trace.run_ms(load)
    each_ms, alone_ms = full_ms / trace.batch, fixed_ms + (full_ms - fixed_ms) / trace.batch
    free_at = [frames[0][0]] * trace.parallel
    waiting, on_time, coming = [], 0, collections.deque(frames)
    while coming or waiting:
        now = max(free_at[0], coming[0][0]) if not waiting else free_at[0]
        while coming and coming[0][0] <= now:
            heapq.heappush(waiting, coming.popleft()[1])
        while waiting and waiting[0] + BUDGET_MS < now + alone_ms:
            heapq.heappop(waiting)
        if waiting:
            heapq.heappop(waiting)
            heapq.heapreplace(free_at, now + each_ms)
            on_time += 1
    return on_time


def replay(binary, folder, trace, path, load, batcher):
    command = [binary, "performance", "benchmark", "--replay", path, "--batcher", batcher, *trace.engine(load),
               "--set", f"{ADAPTIVE}=false", "--set", "backend=null", "--set", f"data_dir={folder}",
               "--set", "monitor.flight_recorder_seconds=0", "--format", "json"]
    report = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout)
    assert report["ledger_balanced"], "the ledger does not balance"
    return {"on_time": report["frames_delivered"], "due": report["frames_expected"],
            "p50_ms": report["end_to_end_ms"]["p50"], "p95_ms": report["end_to_end_ms"]["p95"],
            "batch": report["batch"]["mean"]}


def show(figures):
    return (f"{figures['on_time']:7d} {100 * figures['on_time'] / figures['due']:5.1f} % {figures['p50_ms']:6.1f} "
            f"{figures['p95_ms']:6.1f} {figures['batch']:5.1f}")


def curve(args, folder, trace):
    path = record(args.binary, folder, trace, args.seconds)
    frames = arrivals(path)
    ages = sorted(at - origin for at, origin in frames)
    print(f"\n{CAMERAS} cameras at {trace.fps} frames/s, "
          f"{'batches of up to %d' % trace.batch if trace.batch > 1 else '%d requests side by side' % trace.parallel}; "
          f"{len(ages) / args.seconds:.0f} frames/s arrive, {ages[len(ages) // 2]:.1f} ms (95 %: "
          f"{ages[len(ages) * 95 // 100]:.1f}) after their origin\n"
          f"load   {'deadline: on time':16s}   p50    p95 batch | fixed: on time      p50    p95 batch | on time, ratio  ceiling",
          flush=True)
    rows = []
    for n, load in enumerate(args.loads):
        order = BATCHERS if n % 2 == 0 else BATCHERS[::-1]
        row = {name: replay(args.binary, folder, trace, path, load, name) for name in order}
        ratio = row["deadline"]["on_time"] / max(row["fixed"]["on_time"], 1)
        most = ceiling(frames, trace, load)
        rows.append({"load": load, "ratio": ratio, "ceiling": most, **row})
        print(f"{load:4.2f} {show(row['deadline'])} | {show(row['fixed'])} | {ratio:14.2f} {100 * most / len(frames):6.1f} %",
              flush=True)
    os.unlink(path)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=20, help="of each trace, so of each point")
    parser.add_argument("--loads", type=lambda s: [float(x) for x in s.split(",")], default=LOADS)
    parser.add_argument("--traces", type=lambda s: s.split(","), default=list(TRACES))
    parser.add_argument("--json")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the daemon goes too
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; {args.seconds} s a point, budget {BUDGET_MS} ms")
    with tempfile.TemporaryDirectory() as folder:
        rows = {name: curve(args, folder, TRACES[name]) for name in args.traces}
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
