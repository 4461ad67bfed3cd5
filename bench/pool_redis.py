#!/usr/bin/env python3
"""GETs a second through the Redis pool against redis-benchmark on bare connections: the same server, connections, commands
sent at once, key and value size, alternating in one run.

usage: bench/pool_redis.py BINARY [--rounds N] [--seconds S] [--connections C] [--pipeline P] [--size BYTES] [--json FILE]

BINARY is its-camera-ai; bench_redis is taken from the same build. redis-server and redis-benchmark are the system's."""
import argparse
import csv
import json
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

from daemon import free_port

KEY = "key:__rand_int__"  # what redis-benchmark asks for when no range of keys is given


def start_server(port, folder):
    server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
                              stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server
        except OSError:
            time.sleep(0.02)
    server.kill()
    raise RuntimeError("redis-server does not answer")


def benchmark(port, args, requests, test="get"):
    out = subprocess.run(["redis-benchmark", "-p", str(port), "-t", test, "-c", str(args.connections), "-P", str(args.pipeline),
                          "-d", str(args.size), "-n", str(requests), "--csv"], check=True, capture_output=True, text=True)
    return float(list(csv.reader(out.stdout.splitlines()))[-1][1])


def ours(tool, port, args):
    out = subprocess.run([tool, str(port), str(args.connections), str(args.pipeline), str(args.seconds), KEY], check=True,
                         capture_output=True, text=True)
    report = json.loads(out.stdout)
    return report["gets_per_second"], report["cpu_us_per_get"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--pipeline", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--json")
    args = parser.parse_args()
    tool = pathlib.Path(args.binary).resolve().parents[2] / "bench/bench_redis"
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(port, folder)
        try:
            benchmark(port, args, 1000, "set")
            rate = benchmark(port, args, 500_000)
            pairs = []
            for _ in range(args.rounds):
                mine, cpu = ours(tool, port, args)
                theirs = benchmark(port, args, max(100_000, int(rate * args.seconds)))
                pairs.append((mine, theirs, cpu))
        finally:
            server.kill()
            server.wait()
    ratios = [mine / theirs for mine, theirs, _ in pairs]
    row = {"connections": args.connections, "pipeline": args.pipeline, "value_bytes": args.size, "rounds": args.rounds,
           "ours_per_second": statistics.median(p[0] for p in pairs),
           "redis_benchmark_per_second": statistics.median(p[1] for p in pairs),
           "cpu_us_per_get": statistics.median(p[2] for p in pairs),
           "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios), "wanted": 0.9}
    print(f"Redis GET through the pool / redis-benchmark, {args.connections} connections, {args.pipeline} at once, {args.size} bytes:"
          f" {row['ours_per_second'] / 1e3:.0f} k/s, {row['redis_benchmark_per_second'] / 1e3:.0f} k/s, ratio {row['ratio']:.2f}"
          f" ({row['ratio_min']:.2f}..{row['ratio_max']:.2f}), {row['cpu_us_per_get']:.2f} us of CPU each"
          f"  >= 0.9  {'met' if row['ratio'] >= 0.9 else 'NOT MET'}", flush=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(row, indent=1) + "\n")


if __name__ == "__main__":
    main()
