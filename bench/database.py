#!/usr/bin/env python3
"""SELECT 1 through the pool, asked by threads and by requests, against pgbench's bare connections: the same server, the same
number of connections, all with prepared statements, alternating; the ratio of each round, its median and extremes.

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
WAYS = "threads", "requests"


def pooled(tool, url, connections, seconds, way):
    done = subprocess.run([tool, url, str(connections), str(seconds), way], capture_output=True, text=True, check=True)
    row = json.loads(done.stdout)
    assert row["failed"] == 0, row
    return row["per_second"]


def bare(url, connections, seconds, script):
    done = subprocess.run([programs() / "pgbench", "-n", "-M", "prepared", "-c", str(connections), "-j", "2", "-T",
                           str(seconds), "-f", script, url], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))


def measure(args, tool, server, script, connections):
    """Rounds of each way and of pgbench, one after the other; a row of each way."""
    rounds = [{**{way: pooled(tool, server.url(), connections, args.seconds, way) for way in WAYS},
               "pgbench": bare(server.url(), connections, args.seconds, script)} for _ in range(args.rounds)]
    rows = []
    for way in WAYS:
        ratios = [one[way] / one["pgbench"] for one in rounds]
        rows.append({"bench": "database_select", "way": way, "connections": connections,
                     "pool_per_second": round(statistics.median(one[way] for one in rounds)),
                     "pgbench_per_second": round(statistics.median(one["pgbench"] for one in rounds)),
                     "ratio": round(statistics.median(ratios), 3), "ratio_min": round(min(ratios), 3),
                     "ratio_max": round(max(ratios), 3), "wanted": WANTED, "rounds": args.rounds})
        print(json.dumps(rows[-1]), flush=True)
    return rows


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
            rows += measure(args, tool, server, script.name, connections)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
