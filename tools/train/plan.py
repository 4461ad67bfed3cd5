"""What is rendered: draws scenes from a seed and runs the frame renderer on all processors.

usage: plan.py FRAMES_BINARY OUT_DIR --part train|held --count N --seed S [--size WxH]

Training and held-out frames share no scene seed (so no viewpoint, layout, vehicle or traffic), and the held-out ones
include the weathers HELD_OUT, which training never sees.
"""

import argparse
import concurrent.futures
import os
import random
import subprocess
from pathlib import Path

WEATHERS = {"clear": 5, "cloudy": 4, "rain": 2, "fog": 1.5}
LIGHTS = {"day": 6, "dusk": 2, "night": 2.5, "glare": 1}
HELD_OUT = {("rain", "dusk"), ("fog", "night"), ("cloudy", "glare")}
SCENES = {"motorway": 4, "crossroads": 3, "street": 3, "plaza": 1, "tunnel": 1, "carpark": 1}
VIEWS = {"usual": 6, "mast": 3, "tele": 2, "overhead": 3, "close": 3, "kerb": 1.5}
FRAMES_PER_SCENE = 4
SHARD_FRAMES = 200


def pick(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]


def scene_line(rng, part, seed, size):
    """One scene's URL and the frames wanted of it, as the renderer reads them."""
    unseen = part == "held" and rng.random() < 0.3
    while True:
        weather, light = pick(rng, WEATHERS), pick(rng, LIGHTS)
        if ((weather, light) in HELD_OUT) == unseen:
            break
    traffic = min(4.0, rng.lognormvariate(0.1, 0.55))
    mix = 0 if rng.random() < 0.25 else rng.random() ** 0.5
    noise = min(3.0, rng.expovariate(1.2))
    url = (f"synth://{pick(rng, SCENES)}?size={size}&fps=25&seed={seed}&weather={weather}&light={light}"
           f"&view={pick(rng, VIEWS)}&traffic={traffic:.2f}&mix={mix:.2f}&noise={noise:.2f}"
           f"&timecode={int(rng.random() < 0.05)}")
    return f"{url} {' '.join(str(rng.randrange(50000)) for _ in range(FRAMES_PER_SCENE))}\n"


def make_plan(part, count, seed, size):
    """-> list of shards, each a list of lines."""
    rng = random.Random(f"{part} {seed}")
    first = (1 if part == "train" else 2) * 10**12 + seed * 10**8
    scenes = [scene_line(rng, part, first + i, size) for i in range((count + FRAMES_PER_SCENE - 1) // FRAMES_PER_SCENE)]
    per_shard = SHARD_FRAMES // FRAMES_PER_SCENE
    return [scenes[i:i + per_shard] for i in range(0, len(scenes), per_shard)]


def render(binary, path, lines):
    part = path.with_suffix(".part")
    subprocess.run([binary, part], input="".join(lines), text=True, check=True)
    part.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("out", type=Path)
    parser.add_argument("--part", choices=("train", "held"), required=True)
    parser.add_argument("--count", type=int, required=True, help="frames")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--size", default="640x384", metavar="WxH")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    shards = make_plan(args.part, args.count, args.seed, args.size)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        paths = [args.out / f"{args.part}-{args.seed}-{i:04d}.frames" for i in range(len(shards))]
        jobs = [pool.submit(render, args.binary, path, lines) for path, lines in zip(paths, shards) if not path.exists()]
        for job in jobs:
            job.result()
    (args.out / "complete").touch()


if __name__ == "__main__":
    main()
