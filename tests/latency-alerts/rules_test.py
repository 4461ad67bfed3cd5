#!/usr/bin/env python3
"""The table of scenarios through the Prometheus rules: writes it as a test file for promtool and runs that.
usage: rules_test.py RULES SCENARIOS; exits 77 (skipped) where promtool is missing."""
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

STEP = 15  # seconds between samples
SEVERITIES = ["info", "warning", "critical", "emergency"]
DAEMON = 'instance="edge-7", job="its-camera-ai"'


class Camera:
    """Counters of one camera, second by second."""

    def __init__(self, name, group, begin):
        self.name, self.group, self.begin = name, group, begin
        self.sums = [0.0, 0.0, 0.0]  # expected, skipped, delivered
        self.rates = [0.0, 0.0, 0.0]
        self.samples = ([], [], [])

    def sample(self, second):
        for sum_, samples in zip(self.sums, self.samples):
            samples.append(math.floor(sum_ + 1e-9) if second >= self.begin else "_")


def scenarios(path):
    name, lines = None, []
    for line in path.read_text().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "scenario":
            if name:
                yield name, lines
            name, lines = words[1], []
        else:
            lines.append(words)
    yield name, lines


def apply(lines, cameras, second):
    for words in lines:
        if words[0] == "rate" and int(words[4]) == second:
            for n in range(1, int(words[2]) + 1):
                camera = cameras[f"{words[1]}{n}"]
                camera.rates = [float(w) for w in words[5:8]]
        if words[0] == "reset" and int(words[3]) == second:
            for n in range(1, int(words[2]) + 1):
                cameras[f"{words[1]}{n}"].sums = [0.0, 0.0, 0.0]


def cameras_of(lines):
    cameras = {}
    for words in sorted((w for w in lines if w[0] == "rate"), key=lambda w: int(w[4])):
        for n in range(1, int(words[2]) + 1):
            name = f"{words[1]}{n}"
            cameras.setdefault(name, Camera(name, "" if words[3] == "-" else words[3], int(words[4])))
    return cameras


def replay(lines, last):
    """Samples of every counter, of each camera and of all."""
    cameras = cameras_of(lines)
    total, totals = [0.0, 0.0, 0.0], ([], [], [])
    for second in range(last + 1):
        if second:
            for camera in cameras.values():
                for i in range(3):
                    before = math.floor(camera.sums[i] + 1e-9)
                    camera.sums[i] += camera.rates[i]
                    total[i] += math.floor(camera.sums[i] + 1e-9) - before
        apply(lines, cameras, second)
        if second % STEP == 0:
            for camera in cameras.values():
                camera.sample(second)
            for i in range(3):
                totals[i].append(int(total[i]))
    return cameras, totals


# Where a frame that takes so long is counted: the edges that the rules look at, in milliseconds.
EDGES = sorted({e * factor for e in (5, 10, 20, 50, 80, 95) for factor in (1, 2)})


def values_of(lines):
    """(what, name) -> [(second, number)]"""
    values = {}
    for words in (w for w in lines if w[0] == "value"):
        values.setdefault((words[1], words[2]), []).append((int(words[3]), float(words[4])))
    return values


def at(steps_of, second):
    return next((number for begin, number in reversed(steps_of) if begin <= second), None)


def histogram(steps_of, last):
    """Samples of every bucket and of the count."""
    counts, samples = {edge: 0 for edge in [*EDGES, math.inf]}, {edge: [] for edge in [*EDGES, math.inf]}
    for second in range(last + 1):
        ms = at(steps_of, second)
        for edge in counts:
            counts[edge] += 20 * (second > 0 and ms is not None and ms <= edge)
            if second % STEP == 0:
                samples[edge].append(counts[edge])
    return samples


def value_series(lines, last):
    for (what, name), steps_of in values_of(lines).items():
        if what in ("latency", "stage"):
            metric = "its_end_to_end_seconds" if what == "latency" else "its_stage_total_seconds"
            labels = "" if what == "latency" else f'stage="{name}"'
            for edge, samples in histogram(steps_of, last).items():
                yield ((f"{metric}_count", labels, samples) if edge == math.inf else
                       (f"{metric}_bucket", ", ".join(filter(None, (labels, f'le="{edge / 1000:g}"'))), samples))
        else:
            yield (GAUGES[what], f'{LABELS[what]}="{name}"' if what in LABELS else "",
                   [at(steps_of, second) or 0 for second in range(0, last + 1, STEP)])


def series_of(lines, last):
    cameras, totals = replay(lines, last)
    steps = last // STEP

    def series(name, labels, values):
        labels = f"{DAEMON}, {labels}" if labels else DAEMON
        return {"series": f"{name}{{{labels}}}", "values": values}

    def text(values):
        return " ".join(str(v) for v in values)

    yield series("process_start_time_seconds", "", f"0x{steps}")
    yield series("its_slo_budget_ratio", "", f"0.05x{steps}")
    yield series("its_frames_expected_total", "", text(totals[0]))
    yield series("its_frames_total", 'outcome="skipped"', text(totals[1]))
    yield series("its_frames_total", 'outcome="delivered"', text(totals[2]))
    for c in cameras.values():
        label = f'camera="{c.name}"'
        yield series("its_camera_info", f'{label}, group="{c.group}"', f"1x{steps}")
        yield series("its_camera_start_time_seconds", label, f"{c.begin}x{steps}")
        for name, samples in zip(("expected", "skipped", "delivered"), c.samples):
            yield series(f"its_camera_frames_{name}_total", label, text(samples))
    for name, labels, samples in value_series(lines, last):
        yield series(name, labels, text(samples))


# Findings of the daemon.
GAUGES = {"regression": "its_latency_regression_percent", "age": "its_oldest_frame_in_flight_seconds",
          "exhausted": "its_quality_exhausted_seconds", "outage": "its_pool_outage_seconds"}
LABELS = {"regression": "stage", "outage": "pool"}

# Subjects that are no budgets: the alert and the label that holds the name.
FINDINGS = {"latency": ("ItsLatencyOverTarget", "quantile"), "stage": ("ItsStageOverBudget", "stage"),
            "regression": ("ItsLatencyRegression", "stage"), "stuck": ("ItsFrameStuck", None),
            "quality": ("ItsQualityExhausted", None), "pool": ("ItsPoolDown", "pool")}


def firing(subject, severities):
    scope, _, name = subject.partition(":")
    alert, label = FINDINGS.get(scope, ("ItsErrorBudgetBurn", scope))
    which = f', {label}="{name}"' if name else ""
    scope = "system" if scope in FINDINGS else scope
    return (f'max(ALERTS{{alertname="{alert}", alertstate="firing", scope="{scope}"{which}, '
            f'severity=~"{"|".join(severities)}"}})')


def expectations(lines):
    """The named severity fires, and none that is graver."""
    for words in (w for w in lines if w[0] == "expect"):
        at, subject, wanted = f"{words[1]}s", words[2], words[3]
        graver = SEVERITIES
        if wanted != "none":
            yield {"expr": firing(subject, [wanted]), "eval_time": at, "exp_samples": [{"labels": "{}", "value": 1}]}
            graver = SEVERITIES[SEVERITIES.index(wanted) + 1:]
        if graver:
            yield {"expr": firing(subject, graver), "eval_time": at, "exp_samples": []}


def document(rules, table):
    tests = []
    for name, lines in scenarios(table):
        last = max(int(w[1]) for w in lines if w[0] == "expect") + STEP
        tests.append({"name": name, "interval": f"{STEP}s", "input_series": list(series_of(lines, last)),
                      "promql_expr_test": list(expectations(lines))})
    return {"rule_files": [str(rules)], "evaluation_interval": f"{STEP}s", "tests": tests}


def main():
    rules, table = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
    promtool = shutil.which("promtool")
    if not promtool:
        print("skipped: promtool (package prometheus) is not installed")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "scenarios.yml"  # JSON is YAML
        tests = document(rules, table)
        path.write_text(json.dumps(tests))
        print(f"{len(tests['tests'])} scenarios, {sum(len(t['promql_expr_test']) for t in tests['tests'])} assertions")
        return subprocess.run([promtool, "test", "rules", path], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
