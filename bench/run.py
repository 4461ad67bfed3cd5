#!/usr/bin/env python3
"""The benchmark table: every comparison in the same run, alternating, as ratios with their spread.

usage: bench/run.py [--binary FILE] [--python FILE] [--data DIR] [--seconds S] [--rounds N] [--only NAME]... [--json FILE]

Sections: bare (the whole pipeline against OpenVINO's benchmark_app on the bare model), peers (against ultralytics and
the strongest Python loop), rtsp (8 cameras over RTSP for 60 s), hundred (100 of them for 120 s), instep (the same,
all key frames at one instant), crowd (200 of them, added one by one; those that do not fit are refused by name), rush
(the same, all at once), parts (letterbox, boxes, books, recording, batcher, pool), overload (the deadline batcher
against the fixed-timeout one, bench/overload.py), machinery (1,000 cameras without pixels, bench/machinery.py), step
(a threefold overload for a minute and back, bench/step.py), pool_redis (GETs through the Redis pool against
redis-benchmark, bench/pool_redis.py), database (SELECT 1 through the pool against pgbench, bench/database.py), store
(counts into the databases, bench/store.py), track (accuracy against inference saved, on the real clips). bare, peers,
rtsp, hundred, instep, crowd, rush and track need the recovered model."""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Bench:
    def __init__(self, args):
        self.args = args
        self.data = pathlib.Path(args.data)
        self.model = self.data / "models/yolo11n.onnx"
        self.rows = []
        self.results = {}

    def video(self, name):
        return str(self.data / "videos" / name)

    def run(self, command, **kw):
        env = dict(os.environ, YOLO_VERBOSE="False", **kw)
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    # --- the things measured ----------------------------------------------------------------------------------------

    def ours(self, video, precision="auto", streams=2):
        out = self.run([self.args.binary, "performance", "benchmark", "--streams", streams, "--warmup", 2,
                        "--duration", self.args.seconds, "--source", f"{video}?pace=off", "--model", self.model,
                        "--set", f"inference.precision={precision}", "--set", f"data_dir={ROOT}/build/bench-data",
                        "--format", "json"])
        report = json.loads(out)
        assert report["ledger_balanced"], "the ledger does not balance"
        return report["analysed_fps"], report

    def bare(self, precision):
        tool = pathlib.Path(self.args.python).parent / "benchmark_app"
        out = self.run([tool, "-m", self.model, "-shape", "[1,3,384,640]", "-hint", "throughput", "-d", "CPU",
                        "-t", int(self.args.seconds), "-infer_precision", precision])
        return float(re.search(r"Throughput:\s+([\d.]+)\s*FPS", out).group(1)), None

    def peer(self, script, video, *more):
        out = self.run([self.args.python, ROOT / "bench" / script, self.model, video, self.args.seconds, *more])
        return json.loads(out.strip().splitlines()[-1])["fps"], None

    # --- comparing --------------------------------------------------------------------------------------------------

    def compare(self, title, ours, other, wanted):
        """Alternates the two; the ratio of each round, its median and extremes."""
        pairs = []
        for _ in range(self.args.rounds):
            a, report = ours()
            b, _ = other()
            pairs.append((a, b))
        ratios = [a / b for a, b in pairs]
        row = {"title": title, "ours_fps": statistics.median(a for a, _ in pairs),
               "other_fps": statistics.median(b for _, b in pairs), "ratio": statistics.median(ratios),
               "ratio_min": min(ratios), "ratio_max": max(ratios), "wanted": wanted, "rounds": self.args.rounds}
        self.rows.append(row)
        met = "" if wanted is None else ("  met" if row["ratio"] >= wanted else "  NOT MET")
        print(f"{title:58s} {row['ours_fps']:7.1f} {row['other_fps']:7.1f}   {row['ratio']:5.2f} "
              f"({row['ratio_min']:.2f}..{row['ratio_max']:.2f})  {'' if wanted is None else f'>= {wanted}'}{met}",
              flush=True)
        return row

    def section_bare(self):
        for precision in ("bf16", "f32"):
            mine = {"bf16": "bf16", "f32": "fp32"}[precision]
            self.compare(f"pipeline / bare model, tunnel 360p, {precision}",
                         lambda: self.ours(self.video("autostrade-tunnel-360p.mp4"), mine),
                         lambda: self.bare(precision), 0.90)

    def section_peers(self):
        for clip in ("autostrade-tunnel-360p.mp4", "highway-720p.mp4"):
            video = self.video(clip)
            self.compare(f"pipeline / ultralytics, {clip}", lambda: self.ours(video),
                         lambda: self.peer("peer_ultralytics.py", video), 2.0)
        for clip, wanted in (("highway-720p.mp4", 1.15), ("autostrade-tunnel-360p.mp4", None)):
            video = self.video(clip)
            self.compare(f"pipeline / AsyncInferQueue loop, bf16, {clip}", lambda: self.ours(video, "bf16"),
                         lambda: self.peer("peer_async.py", video, "bf16"), wanted)

    def rtsp(self, cameras, mounts, warmup, seconds, stagger=0, ramp=0):
        """The tunnel clip from GStreamer's RTSP server on this machine, which takes its share of the processors. stagger:
        seconds over which the mounts' places in the clip are spread, and with them their key frames, one a second."""
        stream = ROOT / "build/bench-data/tunnel.h264"
        stream.parent.mkdir(parents=True, exist_ok=True)
        self.run(["ffmpeg", "-v", "error", "-y", "-i", self.video("autostrade-tunnel-360p.mp4"), "-c", "copy", "-bsf:v",
                  "h264_mp4toannexb", stream])
        server = subprocess.Popen(["/usr/bin/python3", str(ROOT / "tests/capture/rtsp_server.py"), str(stream),
                                   "--mounts", str(mounts), "--stagger", str(stagger)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            port = int(re.search(r"(\d+)", server.stdout.readline()).group(1))
            time.sleep(1)
            urls = f"rtsp://127.0.0.1:{port}/cam{{i%{mounts}}}"
            out = self.run([self.args.binary, "performance", "benchmark", "--streams", cameras, "--warmup", warmup, "--ramp", ramp,
                            "--duration", seconds, "--source", urls, "--model", self.model, "--format", "json"])
        finally:
            server.stdin.close()
            server.terminate()
            server.wait(10)
        r = json.loads(out)
        if r["cameras_refused"]:
            print(f"{r['cameras_refused']} of {cameras} cameras refused, the first: {r['refusal']}", flush=True)
        levels = ", ".join(f"{n} {level}" for level, n in reversed(r["quality_levels"].items()) if n)
        print(f"{r['streams']} RTSP cameras at 25 fps, {seconds} s: p95 {r['end_to_end_ms']['p95']:.1f} ms, {100 * r['on_time_admitted_ratio']:.2f}"
              f" % of the frames taken on time, analysed {r['analysed_fps']:.1f} frames/s, of the camera with the fewest"
              f" {r['least_analysed_fps']:.2f}; {levels}; ledger {'balanced' if r['ledger_balanced'] else 'NOT BALANCED'}, memory"
              f" {r['rss_start_mb']:.0f} -> {r['rss_mb']:.0f} MiB, {r['allocations']} allocations", flush=True)
        return r

    def section_rtsp(self):
        self.results["rtsp"] = self.rtsp(8, 8, 5, 60)

    def section_hundred(self):
        """More than the machine can analyse in full: quality gives way, latency does not."""
        self.results["hundred"] = self.rtsp(100, 10, 15, 120, stagger=1)

    def section_instep(self):
        """The same with cameras that fire in step, as after a power cut."""
        self.results["instep"] = self.rtsp(100, 10, 15, 60)

    def section_crowd(self):
        self.results["crowd"] = self.rtsp(200, 10, 10, 60, stagger=1, ramp=60)

    def section_rush(self):
        """The same at once, before anything of them was measured."""
        self.results["rush"] = self.rtsp(200, 10, 10, 60, stagger=1, ramp=0.5)

    def section_parts(self):
        build = pathlib.Path(self.args.binary).parents[2]
        for name in ("bench_letterbox", "bench_yolo", "bench_books", "bench_recording", "bench_batcher", "bench_pool",
                     "bench_spare"):
            tool = build / "bench" / name
            if tool.exists():
                print(self.run([tool]).strip(), flush=True)

    def script(self, name):
        """One of the benches that print for themselves; its figures as it wrote them."""
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            subprocess.run([sys.executable, ROOT / "bench" / f"{name}.py", self.args.binary, "--json", file.name], check=True)
            self.results[name] = json.load(open(file.name))

    def section_overload(self):
        self.script("overload")

    def section_machinery(self):
        self.script("machinery")

    def section_step(self):
        self.script("step")

    def section_pool_redis(self):
        self.script("pool_redis")

    def section_database(self):
        self.script("database")

    def section_store(self):
        self.script("store")

    def section_track(self):
        """What a level's cadence and input size save, and what tracking between detections leaves of their accuracy."""
        tool = pathlib.Path(self.args.binary).parents[2] / "bench/bench_track"
        clips = sorted((self.data / "videos").glob("*.mp4"))
        lines = self.run([tool, "--model", self.model, *clips]).splitlines()
        rows = [row for row in map(json.loads, lines) if row["clip"] == "pooled"]
        self.results["track"] = rows
        print(f"tracking between detections, {len(clips)} clips: F1 against {rows[0]['input']} on every picture")
        for row in rows:
            if row["detected"] > 0:
                when = f"at doubt {row['tolerance']:g}, at least every {row['interval']}" if row["rule"] == "doubt" else \
                    f"every {row['interval']} on average" if row["rule"] == "budget" else f"every {row['interval']}"
                stale = ", boxes left in place" if row["rule"] == "stale" else ""
                print(f"  {row['input']:>8s} {when + stale:32s} inference / {row['saving']:5.2f}   F1 {row['f1']:.3f}"
                      f"   by a larger input {row['f1_large']:.3f}   ids kept {row['ids_kept']:.3f}", flush=True)
        best = max((r for r in rows if r["detected"] > 0 and r["saving"] >= 2.0), key=lambda r: r["f1"])
        print(f"  at half the inference: F1 {best['f1']:.3f}  >= 0.98  {'met' if best['f1'] >= 0.98 else 'NOT MET'}", flush=True)


NEED_MODEL = ("bare", "peers", "rtsp", "hundred", "instep", "crowd", "rush", "track")
SECTIONS = (*NEED_MODEL[:-1], "parts", "overload", "machinery", "step", "pool_redis", "database", "store",
            "track")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/run/src/cli/its-camera-ai"))
    parser.add_argument("--python", default=str(ROOT / ".venv-bench/bin/python"))
    parser.add_argument("--data", default=os.environ.get("ITS_TEST_DATA", str(ROOT.parent / "shared")))
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append")
    parser.add_argument("--json")
    bench = Bench(parser.parse_args())
    sections = bench.args.only or SECTIONS
    if not bench.model.exists():
        print(f"no model at {bench.model} (ITS_TEST_DATA names another place): skipping {', '.join(NEED_MODEL)}")
        sections = [name for name in sections if name not in NEED_MODEL]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; recovered YOLO11n at 640x384;"
          f" {bench.args.rounds} alternating rounds of {bench.args.seconds:.0f} s")
    print(f"{'':58s} {'ours':>7s} {'other':>7s}   ratio (spread)     wanted", flush=True)
    for name in sections:
        getattr(bench, f"section_{name}")()
    if bench.args.json:
        pathlib.Path(bench.args.json).write_text(json.dumps({"rows": bench.rows, **bench.results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
