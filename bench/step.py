#!/usr/bin/env python3
"""Three times what the machine can do, for a minute, and back: does latency hold, and who pays for it?

usage: bench/step.py BINARY [--only NAME]... [--settle S] [--high S] [--after S] [--model FILE] [--json FILE]

A daemon of its own watches cameras that first ask for 0.6 of what its engine can do, then for three times as much as that can,
then for 0.6 again. What became of every frame stands in its flight record, every change of quality among its events.

  side by side  null engine, 2 requests at a time; 40 cameras without pixels whose rate rises from 5 to 25 frames/s
  batches       the same with an engine that takes batches of 8
  real          the model, on the processors; rendered cameras of 25 frames/s, as many added as it takes, and removed again

Wanted: the 95th percentile of latency above 100 ms in at most 3 s after the step, priority cameras never below `medium`, every
camera analysed, and full quality back in at most two changes of a camera."""
import argparse
import json
import os
import pathlib
import platform
import signal
import struct
import subprocess
import sys
import tempfile
import time

from daemon import Daemon

SLA_MS = 100
PRIORITY = 4
NULL_CAMERAS = 40
SPREAD_S = 1.03 / 5 / NULL_CAMERAS  # over a period at the low rate, and not in step at the high one
ENGINE_FPS = NULL_CAMERAS * 5 / 0.6
LEVELS = ("ultra_low", "low", "medium", "high", "ultra_high")
FLOOR = LEVELS.index("medium")
NEVER = 0xffffffff
SEEN = ("pressure", "bottleneck", "inputs", "load", "recovery_in_seconds", "flaps", "system_metrics", "quality_distribution",
        "changes_by_reason")
HANDOVER = 8  # the last of the stamps in core/flight.h


class Watched(Daemon):
    """With cameras cam00.. of which the first few have priority, and what its controller saw."""

    def __init__(self, binary, folder, seconds, *arguments):
        self.began = time.monotonic()
        self.watched = []
        super().__init__(binary, folder, {
            "max_concurrent_streams": 200, "monitor.flight_recorder_seconds": seconds,
            "adaptive_quality.priority_camera_ids": json.dumps([name_of(i) for i in range(PRIORITY)]),
            "adaptive_quality.quality_adjustment_interval_seconds": 2, "quality.recovery_stability_seconds": 10}, *arguments)

    def add(self, i, url):
        self.add_camera(name_of(i), url)

    def remove(self, i):
        self.remove_camera(name_of(i))

    def quality(self):
        return self.ask("/api/v1/performance/quality?changes=512")

    def watch(self, until):
        """Waits for that instant, and keeps once a second what the controller sees: why quality is where it is."""
        while (left := until - time.monotonic()) > 0:
            quality = self.quality()
            self.watched.append({"at_s": round(time.monotonic() - self.began, 1)} | {key: quality.get(key) for key in SEEN})
            time.sleep(min(1, left))


def name_of(i):
    return f"cam{i:02d}"


# --- the three ways to overload it ------------------------------------------------------------------------------------

def rising_rates(daemon, args):
    """Cameras whose rate rises by itself. Returns when the step came and went, on the monotonic clock."""
    first = time.monotonic()
    for i in range(NULL_CAMERAS):
        # each fires from when it is added: all at one instant would be another overload
        time.sleep(max(0, first + SPREAD_S * i - time.monotonic()))
        daemon.add(i, f"null://?fps=5&surge=25,{args.settle},{args.high}")
    up = time.monotonic() + args.settle
    daemon.watch(up + args.high + args.after)
    return up, up + args.high


def capacity(args, folder):
    """Frames a second that the model can do here, all else being done too."""
    out = subprocess.run([args.binary, "performance", "benchmark", "--streams", "2", "--duration", "6", "--warmup", "2",
                          "--source", "synth://crossroads?size=640x360&fps=25&seconds=8&seed={i}&pace=off", "--format", "json",
                          "--set", f"data_dir={folder}", "--set", "adaptive_quality.enable_adaptive_quality=false",
                          *model(args)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)["analysed_fps"]


def more_cameras(daemon, args, per_second):
    base = max(PRIORITY // 2, round(0.6 * per_second / 25))
    most = round(3 * per_second / 25)
    for i in range(base):
        daemon.add(i, rendered(i))
    daemon.await_cameras()
    daemon.watch(time.monotonic() + args.settle)
    up = time.monotonic()
    for i in range(base, most):
        daemon.add(i, rendered(i))
    daemon.watch(up + args.high)
    for i in range(base, most):
        daemon.remove(i)
    down = time.monotonic()
    daemon.watch(down + args.after)
    return up, down


def rendered(i):
    return f"synth://crossroads?size=640x360&fps=25&seconds=8&seed={i % 4}"


def model(args):
    return ["--model", args.model] if args.model else []


# --- what became of the frames ----------------------------------------------------------------------------------------

def frames_of(path):
    """(camera's name, origin s, latency ms or None where it was not delivered, level if it was), by origin."""
    data = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    names = {c["index"]: c["id"] for c in json.loads(data[16:16 + size])["cameras"]}
    out = []
    for entry in struct.iter_unpack("<q3I9II2H8B", data[16 + size:]):
        origin, camera, handover, outcome, level = entry[0] / 1e6, entry[1], entry[4 + HANDOVER], entry[16], entry[20]
        delivered = outcome < 2 and handover != NEVER
        out.append((names[camera], origin, handover / 1e3 if delivered else None, level))
    return sorted(out, key=lambda f: f[1])


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def above_sla(frames, start, end):
    """Seconds between the two of which the 95th percentile exceeded the SLA, in steps of half a second."""
    worst, seconds, at = 0, 0, start
    while at < end:
        latencies = [f[2] for f in frames if at <= f[1] < at + 0.5 and f[2] is not None]
        p95 = percentile(latencies, 0.95) if latencies else float("inf")
        seconds += 0.5 if p95 > SLA_MS else 0
        worst = max(worst, p95)
        at += 0.5
    return seconds, worst


def least_analysed(frames, start, end):
    """Of the camera with the fewest results, per second."""
    counts = {}
    for name, origin, latency, _ in frames:
        if start <= origin < end:
            counts[name] = counts.get(name, 0) + (latency is not None)
    return min(counts.values()) / (end - start)


def rises(quality, names, since_wall):
    """Changes of level for the better since then, of the camera with the most. One change may turn several knobs."""
    steps = {(c["camera"], c["timestamp"]) for c in quality["recent_adjustments"]
             if c["camera"] in names and c["timestamp"] >= since_wall and LEVELS.index(c["to"]) > LEVELS.index(c["from"])}
    return max(sum(camera == name for camera, _ in steps) for name in names)


def judge(daemon, args, up, down):
    end = time.monotonic()
    quality = daemon.quality()
    frames = frames_of(daemon.freeze_flight())
    before, worst_before = above_sla(frames, up - 5, up)
    above, worst = above_sla(frames, up, down)
    after, _ = above_sla(frames, down + 3, end - 1)
    held = [f for f in frames if up <= f[1] < down]
    priority = {name_of(i) for i in range(PRIORITY)}
    states = quality["camera_states"]
    latencies = [f[2] for f in held if f[2] is not None]
    return {
        "cameras": len({f[0] for f in held}), "offered_fps": len(held) / (down - up),
        "analysed_fps": len(latencies) / (down - up), "p95_ms": percentile(latencies, 0.95),
        "above_sla_before_s": before, "above_sla_s": above, "above_sla_after_s": after, "worst_p95_ms": worst,
        "least_priority_level": LEVELS[min(f[3] for f in held if f[0] in priority and f[2] is not None)],
        "least_analysed_fps": least_analysed(frames, up + 3, down),
        "full_again": all(s["current_quality"] == "high" for s in states.values()),
        "most_rises": rises(quality, states, time.time() - (end - down)),
        "changes": quality["total_adjustments"], "changes_by_reason": quality["changes_by_reason"],
        "at_the_end": {key: quality.get(key) for key in SEEN}, "up_s": up - daemon.began, "down_s": down - daemon.began,
        "watched": daemon.watched,
        "priority_changes": [c["sentence"] for c in quality["recent_adjustments"] if c["camera"] in priority],
    }


def run(args, name):
    span = int(args.settle + args.high + args.after + 30)
    with tempfile.TemporaryDirectory() as folder:
        if name == "real":
            per_second = capacity(args, folder)
            print(f"   the model does {per_second:.0f} frames/s", flush=True)
            settings, drive = model(args), lambda daemon: more_cameras(daemon, args, per_second)
        else:
            batch = 8 if name == "batches" else 1
            parallel = 1 if name == "batches" else 2
            settings = ["--set", "backend=null", "--null-ms", 1e3 * parallel * batch / ENGINE_FPS, "--set",
                        f"inference.parallel={parallel}", "--set", f"gpu.batch_size_range=[1,{batch}]"]
            drive = lambda daemon: rising_rates(daemon, args)
        with Watched(args.binary, folder, span, *settings) as daemon:
            up, down = drive(daemon)
            return judge(daemon, args, up, down)


def verdict(row):
    wanted = (row["above_sla_s"] <= 3, row["least_priority_level"] in LEVELS[FLOOR:], row["least_analysed_fps"] >= 1,
              row["full_again"], row["most_rises"] <= 2)
    return "met" if all(wanted) else "NOT MET"


SCENARIOS = ("side by side", "batches", "real")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--only", action="append", choices=SCENARIOS)
    parser.add_argument("--settle", type=float, default=15, help="seconds before the step")
    parser.add_argument("--high", type=float, default=60, help="of the overload")
    parser.add_argument("--after", type=float, default=40, help="watched afterwards")
    parser.add_argument("--model", help="for `real`; without it the shipped one")
    parser.add_argument("--json")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the daemon goes too
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; 0.6 of the engine, {args.high:g} s of 3.0, and back")
    rows = {}
    for name in args.only or SCENARIOS:
        row = rows[name] = run(args, name)
        print(f"{name:13s} {row['cameras']} cameras, {row['offered_fps']:.0f} frames/s reach their mailboxes, {row['analysed_fps']:.0f} "
              f"analysed, p95 {row['p95_ms']:.1f} ms; above {SLA_MS} ms for {row['above_sla_s']:g} s (at worst "
              f"{row['worst_p95_ms']:.0f} ms), later {row['above_sla_after_s']:g} s; priority never below "
              f"{row['least_priority_level']}; analysed least {row['least_analysed_fps']:.2f}/s; full quality "
              f"{'back' if row['full_again'] else 'NOT BACK'}, {row['most_rises']} rises at most, {row['changes']} changes: {verdict(row)}",
              flush=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
