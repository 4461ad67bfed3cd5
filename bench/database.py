#!/usr/bin/env python3
"""SELECT 1 through the pool against pgbench's bare connections: the same server, the same number of connections, both with
prepared statements, alternating; the ratio of each round, its median and extremes.

usage: bench/database.py BINARY [--connections N]... [--seconds S] [--rounds N] [--json FILE]"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/pool"))
from postgres import Postgres, programs  # noqa: E402

WANTED = 0.95


def pooled(tool, url, connections, seconds):
    done = subprocess.run([tool, url, str(connections), str(seconds)], capture_output=True, text=True, check=True)
    row = json.loads(done.stdout)
    assert row["failed"] == 0, row
    return row["per_second"]


def bare(url, connections, seconds, script):
    done = subprocess.run([programs() / "pgbench", "-n", "-M", "prepared", "-c", str(connections), "-j", "2", "-T",
                           str(seconds), "-f", script, url], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="of the daemon: the tool lies in the same build")
    parser.add_argument("--connections", type=int, action="append")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    args = parser.parse_args()
    tool = pathlib.Path(args.binary).resolve().parents[2] / "bench/bench_database"
    rows = []
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script, Postgres() as server:
        script.write("SELECT 1;\n")
        script.flush()
        for connections in args.connections or (2, 8, 20):
            pairs = [(pooled(tool, server.url(), connections, args.seconds),
                      bare(server.url(), connections, args.seconds, script.name)) for _ in range(args.rounds)]
            ratios = [a / b for a, b in pairs]
            row = {"bench": "database_select", "connections": connections,
                   "pool_per_second": round(statistics.median(a for a, _ in pairs)),
                   "pgbench_per_second": round(statistics.median(b for _, b in pairs)),
                   "ratio": round(statistics.median(ratios), 3), "ratio_min": round(min(ratios), 3),
                   "ratio_max": round(max(ratios), 3), "wanted": WANTED, "rounds": args.rounds}
            rows.append(row)
            print(json.dumps(row), flush=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
