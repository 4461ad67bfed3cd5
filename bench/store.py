#!/usr/bin/env python3
"""How fast counts reach SQLite and a PostgreSQL server of its own through the store, and what that does to a pipeline that
runs meanwhile.

usage: bench/store.py BINARY [--seconds S] [--rounds N] [--json FILE]

alone: new keys, and the same keys again and again, as fast as the queue takes them. beside: rounds of the pipeline (null
cameras and engine, paced) without and with that load, alternating; the end-to-end p95 of both."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/pool"))
from postgres import Postgres  # noqa: E402


def command(tool, target, folder, seconds):
    return [str(tool), str(target), str(folder), str(seconds)]


def alone(tool, target, folder, seconds):
    out = subprocess.run(command(tool, target, folder, seconds), check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    for row in rows:
        met = "met" if row["rows_per_second"] >= row["wanted_rows_per_second"] else "NOT MET"
        print(f"  {row['database']:12s}{row['bench']:16s} {row['rows_per_second']:9.0f} rows/s  >= {row['wanted_rows_per_second']}  {met}"
              f"   {row['own_cpu_us_per_row']:.2f} us of this process's processors a row", flush=True)
    return rows


def pipeline(binary, folder, seconds):
    done = subprocess.run([binary, "performance", "benchmark", "--streams", "20", "--duration", str(seconds), "--warmup", "1",
                           "--source", "null://?fps=25", "--set", "backend=null", "--set", f"data_dir={folder}/data",
                           "--format", "json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["end_to_end_ms"]["p95"]


def beside(args, tool, target, folder):
    without, loaded = [], []
    for _ in range(args.rounds):
        without.append(pipeline(args.binary, folder, args.seconds))
        load = subprocess.Popen(command(tool, target, folder / "beside", args.seconds + 2), stdout=subprocess.DEVNULL)
        try:
            loaded.append(pipeline(args.binary, folder, args.seconds))
        finally:
            load.terminate()
            load.wait()
    ratios = [b / a for a, b in zip(without, loaded)]
    row = {"p95_ms_without": statistics.median(without), "p95_ms_beside": statistics.median(loaded),
           "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios), "rounds": args.rounds}
    print(f"  frame p95 {row['p95_ms_without']:.3f} ms, beside the load {row['p95_ms_beside']:.3f} ms: x{row['ratio']:.2f} "
          f"({row['ratio_min']:.2f}..{row['ratio_max']:.2f})", flush=True)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()
    tool = pathlib.Path(args.binary).parents[2] / "bench/bench_store"
    with tempfile.TemporaryDirectory() as name, Postgres() as server:
        folder = pathlib.Path(name)
        rows = {"alone": alone(tool, folder / "its.db", folder / "spool", args.seconds) +
                alone(tool, server.url(), folder / "spool", args.seconds)}
        print("PostgreSQL, server and load on the pipeline's own processors:")
        rows["beside"] = beside(args, tool, server.url(), folder)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
