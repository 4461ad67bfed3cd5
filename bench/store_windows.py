"""What loads do to the frames of one daemon that runs all the while: windows without and with each of them, in random order.

Equal runs of a few streams differ by a fifth in their p95, since the streams' pictures meet in the engine or do not. In one
run they meet as they do, in the windows of every load alike."""
import json
import random
import subprocess
import threading
import time
import urllib.request

from daemon import Daemon

WARM_S = 6  # the detector is compiled, and quality has settled
BEGIN_S = 1.5  # a load connects and makes its tables
REST_S = 0.7  # what it left is written
RESAMPLES = 2000


def listen(daemon, frames):
    """(when it came, its latency in ms) of every frame, until the daemon ends."""
    with urllib.request.urlopen(daemon.url + "/api/v1/detections", timeout=60) as events:
        for line in events:
            if line.startswith(b"data:"):
                frames.append((time.monotonic(), json.loads(line[5:])["latency_ms"]))


def window(command, seconds):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL) if command else None
    time.sleep(BEGIN_S)
    begin = time.monotonic()
    time.sleep(seconds)
    end = time.monotonic()
    if process:
        if process.poll() is not None:
            raise RuntimeError(f"ended before its window did: {' '.join(command)}")
        process.terminate()
        process.wait()
    time.sleep(REST_S)
    return begin, end


def p95(windows):
    latencies = sorted(ms for frames in windows for ms in frames)
    return latencies[int(0.95 * len(latencies))]


def interval(without, beside):
    """Of the ratio: 95 % of what windows drawn again and again give (the bootstrap of Efron, 1979)."""
    ratios = []
    for _ in range(RESAMPLES):
        drawn = random.choices(range(len(without)), k=len(without))
        ratios.append(p95([beside[i] for i in drawn]) / p95([without[i] for i in drawn]))
    ratios.sort()
    return ratios[RESAMPLES // 40], ratios[-RESAMPLES // 40]


def in_windows(args, folder, loads):
    """loads: {name: command}, each running on for longer than a window. args: binary, clip, streams, seconds (a window's),
    rounds (windows of each). Returns a row for each load, and prints it."""
    folder.mkdir()
    cameras = [word for i in range(args.streams) for word in ("--camera", f"c{i}=file://{args.clip}")]
    frames, windows = [], {name: [] for name in (None, *loads)}
    with Daemon(args.binary, folder, {}, *cameras) as daemon:
        threading.Thread(target=listen, args=(daemon, frames), daemon=True).start()
        time.sleep(WARM_S)
        for _ in range(args.rounds):
            for name in random.sample(list(windows), len(windows)):
                windows[name].append(window(loads.get(name), args.seconds))
    seen = {name: [[ms for at, ms in frames if begin <= at < end] for begin, end in those] for name, those in windows.items()}
    return [row_of(folder.name, name, seen[None], seen[name]) for name in loads]


def row_of(database, name, without, beside):
    low, high = interval(without, beside)
    row = {"database": database, "load": name, "p95_ms_without": p95(without), "p95_ms_beside": p95(beside),
           "ratio": p95(beside) / p95(without), "ratio_low": low, "ratio_high": high, "wanted_ratio": 1.05,
           "windows": len(beside), "frames": sum(map(len, beside))}
    print(f"  {database:12s}beside {name}: frame p95 {row['p95_ms_without']:.1f} -> {row['p95_ms_beside']:.1f} ms, "
          f"x{row['ratio']:.3f} ({low:.3f}..{high:.3f}, {row['windows']} windows)  <= 1.05  "
          f"{'met' if row['ratio'] <= 1.05 else 'NOT MET'}", flush=True)
    return row
