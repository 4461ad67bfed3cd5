#!/usr/bin/env python3
"""How fast counts reach SQLite and a PostgreSQL server of its own through the store, and what that does to a pipeline that
runs meanwhile.

usage: bench/store.py BINARY [--seconds S] [--rounds N] [--clip FILE --streams N] [--json FILE]

alone: new keys, and the same keys again and again, as fast as the queue takes them. beside: rounds of the pipeline (null
cameras and an engine that sleeps) without writing, with what a daemon of a hundred cameras writes, and with the wanted rate
of new keys, in turn; the end-to-end p95 of each. With --clip nothing but that, beside N streams of the clip and the shipped
detector (store_windows.py). The server runs on the same processors."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/pool"))  # behind this folder, which has a daemon.py too
from postgres import Postgres  # noqa: E402
from store_windows import in_windows  # noqa: E402

WANTED = {"sqlite": 20000, "postgresql": 50000}  # rows/s
DAEMON = 100  # rows/s: a hundred cameras, at each an object every other second, which is a count and an event
CAMERAS, FPS, ENGINE_MS = 20, 25, 20


def load(tool, target, seconds, *rate):
    """The command; its spool is in a folder of its own each time."""
    return [str(tool), str(target), tempfile.mkdtemp(prefix="its-bench-spool-"), str(seconds), *map(str, rate)]


def alone(tool, target, seconds):
    out = subprocess.run(load(tool, target, seconds), check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    for row in rows:
        met = "met" if row["rows_per_second"] >= row["wanted_rows_per_second"] else "NOT MET"
        print(f"  {row['database']:12s}{row['bench']:16s} {row['rows_per_second']:9.0f} rows/s  >= {row['wanted_rows_per_second']}  {met}"
              f"   {row['own_cpu_us_per_row']:.2f} us of this process's processors a row", flush=True)
    return rows


def pipeline(args, folder):
    done = subprocess.run([args.binary, "performance", "benchmark", "--streams", str(CAMERAS), "--source", f"null://?fps={FPS}",
                           "--set", "backend=null", "--null-ms", str(ENGINE_MS), "--duration", str(args.seconds),
                           "--warmup", "1", "--set", f"data_dir={folder}/data", "--format", "json"],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["end_to_end_ms"]["p95"]


def pipeline_beside(args, tool, target, folder, rate):
    """Its p95, and what was noted a second meanwhile."""
    noting = args.seconds + 2
    with subprocess.Popen(load(tool, target, noting, rate), stdout=subprocess.PIPE, text=True) as process:
        p95 = pipeline(args, folder)
        noted = json.loads(process.stdout.readline())["rows"] / noting
        process.terminate()
    return p95, noted


def beside(args, tool, target, folder, database):
    wanted = (DAEMON, WANTED[database])
    without, loaded = [], {rate: [] for rate in wanted}
    for _ in range(args.rounds):
        without.append(pipeline(args, folder))
        for rate in wanted:
            loaded[rate].append(pipeline_beside(args, tool, target, folder, rate))
    return [beside_row(args, database, without, loaded[rate]) for rate in wanted]


def beside_row(args, database, without, measured):
    loaded, rates = zip(*measured)
    ratios = [b / a for a, b in zip(without, loaded)]
    row = {"database": database, "rows_per_second": statistics.median(rates), "p95_ms_without": statistics.median(without),
           "p95_ms_beside": statistics.median(loaded), "ratio": statistics.median(ratios), "ratio_min": min(ratios),
           "ratio_max": max(ratios), "wanted_ratio": 1.05, "rounds": args.rounds}
    print(f"  {database:12s}beside {row['rows_per_second']:.0f} rows/s: frame p95 {row['p95_ms_without']:.2f} -> "
          f"{row['p95_ms_beside']:.2f} ms, x{row['ratio']:.3f} ({row['ratio_min']:.3f}..{row['ratio_max']:.3f})  <= 1.05  "
          f"{'met' if row['ratio'] <= 1.05 else 'NOT MET'}", flush=True)
    return row


def beside_detector(args, tool, target, folder, database):
    runs_s = args.seconds + 5  # longer than the window, which ends it
    return in_windows(args, folder / database, {f"{rate} rows/s": load(tool, target, runs_s, rate)
                                                for rate in (DAEMON, WANTED[database])})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clip")
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--json")
    args = parser.parse_args()
    tool = pathlib.Path(args.binary).parents[2] / "bench/bench_store"
    rows = {"alone": [], "beside": []}
    with tempfile.TemporaryDirectory() as name, Postgres() as server:
        folder = pathlib.Path(name)
        tempfile.tempdir = name  # the spools go with it
        targets = {"sqlite": folder / "its.db", "postgresql": server.url()}
        for target in [] if args.clip else targets.values():
            rows["alone"] += alone(tool, target, args.seconds)
        for database, target in targets.items():
            measure = beside_detector if args.clip else beside
            rows["beside"] += measure(args, tool, target, folder, database)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
