#!/usr/bin/env python3
"""What the Latency Monitor costs: processor time per analysed frame with all of it on (a tenth of the frames traced, to a
collector of our own) against all of it off, in alternating runs.

usage: bench/monitoring.py BINARY [--pairs N] [--seconds S] [--source URL] [--streams N] [--backend null]

Prints the mean ratio with its 95 % bound (Student's t over the pairs) and every pair."""
import argparse
import http.server
import json
import math
import statistics
import subprocess
import tempfile
import threading

# Two-sided 95 % quantiles of Student's t for 1.. degrees of freedom.
STUDENT = [12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
           2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045]


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes every trace and says nothing."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def measure(args, folder, *settings):
    """CPU milliseconds per analysed frame."""
    command = [args.binary, "performance", "benchmark", "--streams", args.streams, "--duration", args.seconds, "--warmup", 1,
               "--source", args.source, "--format", "json", "--set", f"data_dir={folder}"]
    if args.backend:
        command += ["--set", f"backend={args.backend}"]
    for setting in settings:
        command += ["--set", setting]
    report = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout)
    assert report["ledger_balanced"]
    return report["cpu_percent"] * 10 / report["analysed_fps"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--source", default="synth://crossroads?size=640x384&fps=25&seconds=10&pace=off")
    parser.add_argument("--backend")
    args = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    on = ("enable_monitoring=true", f"otlp_endpoint=http://127.0.0.1:{server.server_port}",
          "latency_monitoring.trace_sampling_rate=0.1")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        measure(args, folder, *on)  # renders the clip
        for pair in range(args.pairs):
            order = (on, ("enable_monitoring=false",))
            # which goes first alternates, so that what drifts weighs on both
            values = [measure(args, folder, *settings) for settings in (order if pair % 2 == 0 else order[::-1])]
            with_it, without = values if pair % 2 == 0 else values[::-1]
            ratios.append(with_it / without)
            print(f"  {with_it:8.4f} ms on, {without:8.4f} ms off: {ratios[-1]:.4f}", flush=True)
    server.shutdown()
    mean = statistics.mean(ratios)
    bound = STUDENT[min(len(ratios) - 1, len(STUDENT)) - 1] * statistics.stdev(ratios) / math.sqrt(len(ratios))
    print(f"processor time with monitoring / without: {mean:.4f} +- {bound:.4f} (95 %, {len(ratios)} pairs)")


if __name__ == "__main__":
    main()
