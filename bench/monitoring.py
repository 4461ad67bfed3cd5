#!/usr/bin/env python3
"""What the Latency Monitor costs: processor time with all of it on (a tenth of the frames traced, to a collector of our own)
against all of it off.

usage: bench/monitoring.py BINARY [--pairs N] [--seconds S] [--fps F] [--whole]

A share of a percent drowns in the noise of decoding and inference, so it is measured without them: the same frames per second
through the same pipeline, but sourced from null:// and answered by the null backend, in alternating runs with monitoring on and
off. Their difference is what monitoring costs a second, its own thread and the exporter included; it is held against what real
frames (rendered, decoded, detected) cost at that rate. --whole compares real runs with each other instead, noise and all.

Prints the mean with its 95 % bound (Student's t over the pairs) and every pair."""
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

STREAMS = 2
REAL = "synth://crossroads?size=640x384&fps=25&seconds=10&pace=off"
OFF = ("enable_monitoring=false",)


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes every trace and says nothing."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def measure(args, folder, source, *settings):
    """CPU milliseconds per second, and analysed frames per second."""
    command = [args.binary, "performance", "benchmark", "--streams", STREAMS, "--duration", args.seconds, "--warmup", 1,
               "--source", source, "--format", "json", "--set", f"data_dir={folder}"]
    for setting in settings:
        command += ["--set", setting]
    report = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout)
    assert report["ledger_balanced"]
    return report["cpu_percent"] * 10, report["analysed_fps"]


def in_pairs(args, run, on):
    """run() with monitoring and without; which goes first alternates, so that what drifts weighs on both."""
    for pair in range(args.pairs):
        order = (on, OFF) if pair % 2 == 0 else (OFF, on)
        values = [run(settings) for settings in order]
        yield values if pair % 2 == 0 else values[::-1]


def mean_and_bound(values):
    return (statistics.mean(values),
            STUDENT[min(len(values) - 1, len(STUDENT)) - 1] * statistics.stdev(values) / math.sqrt(len(values)))


def whole(args, folder, on):
    """Real runs against each other."""
    def per_frame(settings):
        cpu, fps = measure(args, folder, REAL, *settings)
        return cpu / fps

    per_frame(on)  # renders the clip
    ratios = []
    for with_it, without in in_pairs(args, per_frame, on):
        ratios.append(with_it / without)
        print(f"  {with_it:8.4f} ms a frame on, {without:8.4f} off: {ratios[-1]:.4f}", flush=True)
    mean, bound = mean_and_bound(ratios)
    print(f"processor time with monitoring / without: {mean:.4f} +- {bound:.4f} (95 %, {len(ratios)} pairs)")


def apart(args, folder, on):
    """Monitoring's own time, against that of real frames."""
    source = f"null://?fps={args.fps / STREAMS:g}"
    differences, rates = [], []
    for (with_it, rate), (without, _) in in_pairs(args, lambda s: measure(args, folder, source, "backend=null", *s), on):
        differences.append(with_it - without)
        rates.append(rate)
        print(f"  {with_it:8.3f} ms a second on, {without:8.3f} off: {differences[-1]:+.3f}", flush=True)
    measure(args, folder, REAL, *OFF)  # renders the clip
    real = statistics.median(cpu / fps for cpu, fps in (measure(args, folder, REAL, *OFF) for _ in range(5)))
    mean, bound = mean_and_bound(differences)
    rate = statistics.mean(rates)
    cost = real * rate
    print(f"monitoring takes {mean:.3f} +- {bound:.3f} ms a second (95 %, {len(differences)} pairs) at {rate:.1f} frames/s; "
          f"the frames themselves {real:.2f} ms each, {cost:.0f} ms a second")
    print(f"monitoring / frames: {100 * mean / cost:.3f} +- {100 * bound / cost:.3f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--fps", type=float, default=80, help="frames per second without pixels")
    parser.add_argument("--whole", action="store_true")
    args = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    on = ("enable_monitoring=true", f"otlp_endpoint=http://127.0.0.1:{server.server_port}",
          "latency_monitoring.trace_sampling_rate=0.1")
    with tempfile.TemporaryDirectory() as folder:
        (whole if args.whole else apart)(args, folder, on)
    server.shutdown()


if __name__ == "__main__":
    main()
