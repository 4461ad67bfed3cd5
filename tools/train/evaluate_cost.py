#!/usr/bin/env python3
"""What a model costs on the processor beside a reference model, under OpenVINO as the product runs it.

usage: evaluate_cost.py MODEL --reference FILE [--int8 FILE] [--size 640x384 ...] [--rounds 9] [--json FILE]

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

from detector import hints
from sizes import FULL, name as size_name, parse_size

THREADS = 2
# Elapsed is what a camera waits for; processor time is what is left when others use the machine too.
CLOCKS = ("elapsed", "processor")


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
        """One picture's (elapsed time, processor time): medians of the runs that fit into that time, five at least."""
        elapsed, used, end = [], [], time.perf_counter() + seconds
        while len(elapsed) < 5 or time.perf_counter() < end:
            began, spent = time.perf_counter(), time.process_time()
            self.request.infer()
            elapsed.append(1000 * (time.perf_counter() - began))
            used.append(1000 * (time.process_time() - spent))
        return statistics.median(elapsed), statistics.median(used)


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def measure(runs, pairs, rounds, seconds):
    """runs: {label: Run}; pairs: [(label, label of what it is divided by)]."""
    for run in runs.values():
        run.milliseconds(seconds)  # warm
    labels = list(runs)
    times = {label: [] for label in labels}
    for r in range(rounds):
        for label in labels[r % len(labels):] + labels[:r % len(labels)]:
            times[label].append(runs[label].milliseconds(seconds))
    result = {"ratios": [{"of": a, "to": b} for a, b in pairs]}
    for k, clock in enumerate(CLOCKS):
        taken = {label: [pair[k] for pair in times[label]] for label in labels}
        result[f"{clock}_ms"] = {label: spread(values) for label, values in taken.items()}
        for ratio in result["ratios"]:
            ratio[clock] = spread([x / y for x, y in zip(taken[ratio["of"]], taken[ratio["to"]])])
    return result


def evaluate(model, reference, sizes, int8=None, rounds=9, seconds=0.25):
    """Costs of all sizes; {"machine": text, "sizes": {"640x384": measure()}}."""
    core = openvino.Core()
    able = hints(core)
    wanted, pairs = {}, []
    for name, hint in able.items():
        wanted[f"own {name}"], wanted[f"reference {name}"] = (model, hint), (reference, hint)
        pairs.append((f"own {name}", f"reference {name}"))
    if int8:
        fastest = list(able)[-1]
        wanted["own int8"] = int8, able[fastest]
        pairs += [("own int8", f"own {fastest}"), ("own int8", "reference fp32")]
    result = {"machine": describe_machine(core), "sizes": {}}
    for size in sizes:
        runs = {label: Run(core, path, size, hint) for label, (path, hint) in wanted.items()}
        result["sizes"][size_name(size)] = measure(runs, pairs, rounds, seconds)
    return result


def describe_machine(core):
    name = core.get_property("CPU", "FULL_DEVICE_NAME")
    able = ", ".join(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")))
    return (f"{THREADS} threads, {os.cpu_count()} processors of {name} ({able}), {platform.system()} "
            f"{platform.release()}, OpenVINO {openvino.__version__}")


def show(result):
    print(result["machine"])
    for size, figures in result["sizes"].items():
        print(f"\n{size:34} elapsed                      processor time")
        for label in figures["elapsed_ms"]:
            print(f"  {label:32}", *(f"{write(figures[f'{clock}_ms'][label], 'ms'):28}" for clock in CLOCKS))
        for ratio in figures["ratios"]:
            label = f"{ratio['of']} / {ratio['to']}"
            print(f"  {label:32}", *(f"{write(ratio[clock]):28}" for clock in CLOCKS))


def write(values, unit=""):
    """A spread as text: median (least..most)"""
    return f"{values['median']:.2f}{unit and ' '}{unit} ({values['least']:.2f}..{values['most']:.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--reference", required=True)
    parser.add_argument("--int8", help="the quantised form of MODEL")
    parser.add_argument("--size", type=parse_size, nargs="+", default=[FULL], help="input sizes (640x384)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.25, help="time of one model in one round")
    parser.add_argument("--json", help="write the figures here")
    given = parser.parse_args()
    result = evaluate(given.model, given.reference, given.size, given.int8, given.rounds, given.seconds)
    show(result)
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
