#!/usr/bin/env python3
"""Makes the noise that bench_regression replays: batch means of log stage times from a daemon's JSON lines.

usage: bench/stage_noise.py RESULTS.jsonl [--skip S] [--seconds S] "what it was recorded on" >bench/data/FILE.csv

One line per batch, as latency/regression_batch.h makes them: a second of hand-overs, 8 frames at least. Per stage,
service and wait, 10000 times the mean of ln(us), so a step is 0.01 %; empty where no frame passed. And the floor: the
mean over groups of 8 frames of the least ln(us) of service.
"""
import argparse
import datetime
import json
import math

WAIT_FLOOR_MS = 0.1
LEAST_FRAMES = 8
GROUP = 8


def handed_over(result):
    captured = datetime.datetime.fromisoformat(result["capture_time"].replace("Z", "+00:00"))
    return captured.timestamp() + result["latency_ms"] / 1e3


def logs_of(result):
    for stage, times in result["stages"].items():
        if times["service_ms"] > 0:
            yield f"{stage}.service", math.log(times["service_ms"] * 1e3)
            yield f"{stage}.wait", math.log((times["wait_ms"] + WAIT_FLOOR_MS) * 1e3)


def summary(values):
    means = {name: sum(logs) / len(logs) for name, logs in values.items()}
    for name, logs in values.items():
        fastest = [min(logs[i:i + GROUP]) for i in range(0, len(logs) - GROUP + 1, GROUP)]
        if fastest and name.endswith(".service"):
            means[name.replace(".service", ".floor")] = sum(fastest) / len(fastest)
    return means


def batches(results):
    begin, frames, values = None, 0, {}
    for result in results:
        now = handed_over(result)
        if frames >= LEAST_FRAMES and now - begin >= 1:
            yield frames, summary(values)
            frames, values = 0, {}
        if frames == 0:
            begin = now
        frames += 1
        for name, value in logs_of(result):
            values.setdefault(name, []).append(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results")
    parser.add_argument("--skip", type=float, default=10, help="seconds at the start")
    parser.add_argument("--seconds", type=float, default=math.inf, help="how much to take")
    parser.add_argument("about")
    args = parser.parse_args()
    with open(args.results) as lines:
        results = sorted((json.loads(line) for line in lines), key=handed_over)
    start = handed_over(results[0]) + args.skip
    rows = list(batches(r for r in results if start <= handed_over(r) < start + args.seconds))
    names = list(dict.fromkeys(name for _, means in rows for name in means))
    print(f"# {args.about}")
    print(",".join(["frames", *names]))
    for frames, means in rows:
        print(",".join([str(frames), *(f"{means[n] * 1e4:.0f}" if n in means else "" for n in names)]))


if __name__ == "__main__":
    main()
