#!/usr/bin/env python3
"""What the machinery alone costs: mailboxes, batcher, ledgers, windows, recorder and bus, with frames that have no pixels and
an engine that takes no time.

usage: bench/machinery.py BINARY [--seconds S] [--rounds N] [--json FILE]

Three curves: ten cameras to a thousand at 30 frames/s each, the same at 300 frames/s among them all, and from a hundred on at
3,000 among them all. Few frames share few wakings of the threads, so the first curve falls; the others show what the number of
cameras itself costs. (No camera has more than 30 frames/s analysed, so no more of them can come from a few.) Processor time is
the whole process's, medians of alternating rounds."""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import tempfile

CAMERAS = (10, 30, 100, 300, 1000)
EACH_FPS = 30


def measure(args, folder, cameras, fps):
    command = [args.binary, "performance", "benchmark", "--streams", cameras, "--duration", args.seconds, "--warmup", 1,
               "--source", f"null://?fps={fps:g}", "--set", "backend=null", "--set", f"data_dir={folder}", "--format", "json"]
    report = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout)
    offered = report["frames_expected"] / report["duration_s"]
    return {"offered_fps": offered, "on_time": report["on_time_ratio"], "balanced": report["ledger_balanced"],
            "core_percent": report["cpu_percent"], "us_per_frame": report["cpu_percent"] * 1e4 / offered,
            "p50_ms": report["end_to_end_ms"]["p50"], "p99_ms": report["end_to_end_ms"]["p99"],
            "allocations": report["allocations"], "rss_mb": report["rss_mb"]}


def summary(runs):
    row = {key: statistics.median(run[key] for run in runs) for key in runs[0] if key != "balanced"}
    row["balanced"] = all(run["balanced"] for run in runs)
    return row


def curve(args, folder, title, rate_of):
    counts = [n for n in CAMERAS if rate_of(n) <= EACH_FPS]
    runs = {n: [] for n in counts}
    for _ in range(args.rounds):
        for n in counts:
            runs[n].append(measure(args, folder, n, rate_of(n)))
    print(f"\n{title}\ncameras  frames/s  on time   core %   us/frame (extremes)      p50 ms  p99 ms  ledger", flush=True)
    rows = []
    for n in counts:
        row = {"cameras": n, **summary(runs[n])}
        costs = [run["us_per_frame"] for run in runs[n]]
        print(f"{n:7d} {row['offered_fps']:9.0f} {100 * row['on_time']:7.2f}% {row['core_percent']:8.1f}   "
              f"{row['us_per_frame']:6.1f} ({min(costs):.1f}..{max(costs):.1f}) {row['p50_ms']:12.2f} {row['p99_ms']:7.2f}  "
              f"{'balanced' if row['balanced'] else 'NOT BALANCED'}", flush=True)
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; {args.rounds} rounds of {args.seconds:g} s")
    with tempfile.TemporaryDirectory() as folder:
        rows = {"each_30": curve(args, folder, f"{EACH_FPS} frames/s each", lambda n: EACH_FPS)}
        for total in (300, 3000):
            rows[f"all_{total}"] = curve(args, folder, f"{total} frames/s in all", lambda n: total / n)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
