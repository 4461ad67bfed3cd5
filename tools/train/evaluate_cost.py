#!/usr/bin/env python3
"""What a model costs on the processor beside a reference model, under OpenVINO as the product runs it.

usage: evaluate_cost.py MODEL --reference FILE [--int8 FILE] [--size 640x384 ...] [--rounds 7] [--json FILE]

One picture at a time, latency mode, two threads, static shapes. All models of a size run in turn within every round; a
ratio is taken within a round, so that what else the machine does weighs on both sides alike. Given are the median over
rounds and the extremes. int8 is the quantised file of MODEL, with bf16 (fp32 where the processor lacks it) for what the
file leaves in float, which is the product's choice.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import time

import numpy as np
import openvino

from evaluate_real import parse_size

THREADS = 2
HINTS = {"fp32": "f32", "bf16": "bf16"}


class Run:
    """One model compiled for one size and precision."""

    def __init__(self, core, path, size, hint):
        model = core.read_model(path)
        model.reshape([1, 3, size[1], size[0]])
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": THREADS, "ENABLE_CPU_PINNING": False,
                    "INFERENCE_PRECISION_HINT": hint}
        self.request = core.compile_model(model, "CPU", settings).create_infer_request()
        pictures = np.random.default_rng(1).random((1, 3, size[1], size[0]), np.float32)
        self.request.set_input_tensor(openvino.Tensor(pictures))

    def milliseconds(self, seconds):
        """The median of the runs that fit into that time, five at least."""
        times, end = [], time.perf_counter() + seconds
        while len(times) < 5 or time.perf_counter() < end:
            began = time.perf_counter()
            self.request.infer()
            times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times)


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def measure(runs, pairs, rounds, seconds):
    """runs: {label: Run}; pairs: [(label, label of what it is divided by)]."""
    for run in runs.values():
        run.milliseconds(seconds / 2)  # warm
    labels = list(runs)
    times = {label: [] for label in labels}
    for r in range(rounds):
        for label in labels[r % len(labels):] + labels[:r % len(labels)]:
            times[label].append(runs[label].milliseconds(seconds))
    return {"milliseconds": {label: spread(values) for label, values in times.items()},
            "ratios": [{"of": a, "to": b, **spread([x / y for x, y in zip(times[a], times[b])])} for a, b in pairs]}


def evaluate(model, reference, sizes, int8=None, rounds=7, seconds=0.5):
    """Costs of all sizes; {"machine": text, "sizes": {"640x384": measure()}}."""
    core = openvino.Core()
    hints = {name: hint for name, hint in HINTS.items() if name != "bf16" or "BF16" in core.get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES")}
    wanted, pairs = {}, []
    for name, hint in hints.items():
        wanted[f"own {name}"], wanted[f"reference {name}"] = (model, hint), (reference, hint)
        pairs.append((f"own {name}", f"reference {name}"))
    if int8:
        wanted["own int8"] = int8, list(hints.values())[-1]
        pairs += [("own int8", name) for name in wanted if name != "own int8"]
    result = {"machine": describe_machine(core), "sizes": {}}
    for size in sizes:
        runs = {label: Run(core, path, size, hint) for label, (path, hint) in wanted.items()}
        result["sizes"][f"{size[0]}x{size[1]}"] = measure(runs, pairs, rounds, seconds)
    return result


def describe_machine(core):
    name = core.get_property("CPU", "FULL_DEVICE_NAME")
    able = ", ".join(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")))
    return (f"{THREADS} threads, {os.cpu_count()} processors of {name} ({able}), {platform.system()} {platform.release()}, "
            f"OpenVINO {openvino.__version__}")


def show(result):
    print(result["machine"])
    for size, figures in result["sizes"].items():
        print(f"\n{size}")
        for label, ms in figures["milliseconds"].items():
            print(f"  {label:18} {ms['median']:7.2f} ms ({ms['least']:.2f}..{ms['most']:.2f})")
        for ratio in figures["ratios"]:
            print(f"  {ratio['of']} / {ratio['to']}: {ratio['median']:.2f} ({ratio['least']:.2f}..{ratio['most']:.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--reference", required=True)
    parser.add_argument("--int8", help="the quantised form of MODEL")
    parser.add_argument("--size", type=parse_size, nargs="+", default=[(640, 384)], help="input sizes (640x384)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="time of one model in one round")
    parser.add_argument("--json", help="write the figures here")
    given = parser.parse_args()
    result = evaluate(given.model, given.reference, given.size, given.int8, given.rounds, given.seconds)
    show(result)
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
