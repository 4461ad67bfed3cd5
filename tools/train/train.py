"""Trains the detector on rendered frames, in steps that end by the clock and resume where they stopped.

usage: train.py --frames DIR --out DIR [--iterations N] [--minutes M] [--batch B] [--seed S]
           [--until N] [--capacity FRAMES] [--weights WEIGHTS.pt] [--rate R] [--consume]
       torchrun --nproc-per-node GPUS train.py ...   (the batch is of each GPU, and each holds its share of the frames)

Frames may still arrive while it runs: shards that a renderer finishes are taken up every 50 iterations, and removed then
with --consume. --iterations 0 means as many as the measured speed allows in --minutes.
Writes OUT/checkpoint.pt (all state), OUT/average.pt (the averaged weights so far, fp32), OUT/train.jsonl (a line per 100
iterations) and, once all iterations are done, OUT/weights.pt, which is average.pt of the end.
"""

import argparse
import copy
import json
import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

from data import IGNORED, PAD, REAL, Batch, Batches, Frames
from loss import loss
from network import Detector
from overlays import make_overlays
from photometric import Photometric

WIDTH, HEIGHT = 640, 384
RATE, LAST_RATE, WARM_UP, DECAY = 2e-3, 2e-5, 500, 0.03  # RATE: unless --rate says otherwise
FIRST_FRAMES = 4000  # of all GPUs together, or however many there are once the renderer has finished
PLAIN_END = 0.15  # the last part of the training is plainer
MOSAIC, CLEAN, ZOOMED = (0.6, 0.0), (0.35, 0.6), (0.4, 0.2)  # shares of the pictures: before it, and in it
AVERAGE = 0.999
MEASURED = 150  # iterations over which the speed is measured, after as many to settle
SAVED = 1000  # iterations between checkpoints


def schedule(iteration, total, peak=RATE):
    if iteration < WARM_UP:
        return peak * (iteration + 1) / WARM_UP
    part = (iteration - WARM_UP) / max(1, total - WARM_UP)
    return LAST_RATE + (peak - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * part))


def optimizer_of(model):
    """AdamW; no weight decay on biases and normalisation."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    free = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": free, "weight_decay": 0.0}],
                             lr=RATE, betas=(0.9, 0.99), fused=decayed[0].is_cuda)


class Training:
    def __init__(self, args):
        self.args = args
        self.began = time.monotonic()
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device("cuda", self.rank) if torch.cuda.is_available() else torch.device("cpu")
        if self.world > 1:
            torch.cuda.set_device(self.device)
            dist.init_process_group("nccl")
        torch.manual_seed(args.seed)
        self.model = Detector().to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = optimizer_of(self.model)
        self.generator = torch.Generator(self.device).manual_seed(args.seed * 1000 + self.rank)
        self.host = torch.Generator()  # seeded anew by every iteration, so it needs no saving
        self.iteration = 0
        self.seconds = 0.0
        self.measured_from = None  # iteration and time

    def resume(self, path):
        """From the checkpoint of an earlier step, else from the weights of an earlier training, else from nothing."""
        if not path.exists():
            if self.args.weights:
                weights = torch.load(self.args.weights, map_location=self.device)
                self.model.load_state_dict(weights)
                self.average.load_state_dict(weights)
            return
        state = torch.load(path, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generators"][self.rank].cpu())
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        self.args.iterations = self.args.iterations or state["iterations"]

    def save(self, path):
        states = [self.generator.get_state()]
        if self.world > 1:
            states = [None] * self.world
            dist.all_gather_object(states, self.generator.get_state())
        if self.rank > 0:
            return
        part = path.with_suffix(".part")
        torch.save({"model": self.model.state_dict(), "average": self.average.state_dict(),
                    "optimizer": self.optimizer.state_dict(), "generators": states,
                    "iteration": self.iteration, "iterations": self.args.iterations, "seconds": self.seconds}, part)
        part.rename(path)
        torch.save({k: v.float().cpu() for k, v in self.average.state_dict().items()}, path.with_name("average.pt"))

    def prepare(self):
        overlays = torch.from_numpy(make_overlays(256, WIDTH, HEIGHT, self.args.seed)).to(self.device)
        on_gpu = self.device.type == "cuda"
        overlays = overlays.permute(0, 3, 1, 2).to(torch.half if on_gpu else torch.float) / 255
        self.photometric = Photometric(self.generator, self.host, overlays)
        self.loss = torch.compile(loss, dynamic=False) if on_gpu else loss
        self.network = torch.compile(self.model, dynamic=False) if on_gpu else self.model

    def wait_for_frames(self):
        self.frames = Frames(WIDTH, HEIGHT, self.args.capacity // self.world, self.device)
        self.taken = set()
        while len(self.frames) * self.world < FIRST_FRAMES and not (self.args.frames / "complete").exists():
            time.sleep(1)
            self.take_up()
        self.take_up()
        if len(self.frames) == 0:
            raise SystemExit(f"train: {self.args.frames}: no frames for GPU {self.rank}")
        self.batches = Batches(self.frames, WIDTH, HEIGHT, self.generator, self.host)

    def take_up(self):
        """Shards that have appeared since, every GPU its own."""
        for path in sorted(self.args.frames.glob("train-*.frames")):
            mine = int(path.stem.split("-")[-1]) % self.world == self.rank
            if mine and path not in self.taken and len(self.frames) < self.args.capacity // self.world:
                self.frames.add(path)
                self.taken.add(path)
                if self.args.consume:
                    path.unlink()

    def warm_up(self):
        """One step on nothing, so that kernels are compiled and chosen while the first frames are rendered."""
        b, device = self.args.batch, self.device
        images = self.photometric(torch.rand(b, 3, HEIGHT, WIDTH, device=device), CLEAN[0])
        images = images.contiguous(memory_format=torch.channels_last)
        total, _ = self.costs(images, Batch(
            images, images[:, :1] > 2, torch.zeros(b, REAL, dtype=torch.int64, device=device),
            torch.tensor([8.0, 8, 40, 40], device=device).repeat(b, REAL, 1),
            torch.ones(b, REAL, dtype=torch.bool, device=device), torch.zeros(b, IGNORED, 4, device=device)))
        total.backward()
        self.optimizer.zero_grad(set_to_none=True)
        print(f"GPU {self.rank}: warm", flush=True)

    def costs(self, images, batch):
        with torch.autocast(self.device.type, torch.bfloat16):
            outputs = self.network(images)
        return self.loss(outputs, batch.labels, batch.boxes, batch.real, batch.ignored)

    @torch.no_grad()
    def batch(self):
        self.host.manual_seed(((self.args.seed * 1000) + self.rank) * 10**8 + self.iteration)
        plain = self.iteration >= (self.args.iterations or math.inf) * (1 - PLAIN_END)
        batch = self.batches.draw(self.args.batch, MOSAIC[plain], ZOOMED[plain])
        images = torch.where(batch.content, self.photometric(batch.images, CLEAN[plain]), PAD)
        return images.contiguous(memory_format=torch.channels_last), batch

    def step(self):
        rate = schedule(self.iteration, self.args.iterations or math.inf, self.args.rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        images, batch = self.batch()
        total, parts = self.costs(images, batch)
        total.backward()
        self.share_gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.follow()
        self.iteration += 1
        return parts

    def share_gradients(self):
        """The mean over all GPUs; a network this small is not worth sending in pieces while the rest is computed."""
        if self.world == 1:
            return
        mine = [p.grad for p in self.model.parameters()]
        mean = _flatten_dense_tensors(mine)
        dist.all_reduce(mean, dist.ReduceOp.AVG)
        torch._foreach_copy_(mine, list(_unflatten_dense_tensors(mean, mine)))

    @torch.no_grad()
    def follow(self):
        """The averaged weights that are shipped."""
        keep = min(AVERAGE, (1 + self.iteration) / (10 + self.iteration))
        mine, theirs = list(self.average.state_dict().values()), list(self.model.state_dict().values())
        pairs = [(a, b.detach()) for a, b in zip(mine, theirs) if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in pairs], [b for _, b in pairs], 1 - keep)

    def run(self):
        spent, first = self.seconds, self.iteration
        log = (self.args.out / "train.jsonl").open("a")
        parts = torch.zeros(3, device=self.device)
        until = self.args.until or self.args.iterations or math.inf
        while self.iteration < until and not self.time_is_up():
            parts += self.step()
            if self.iteration % 50 == 0:
                self.take_up()
            if self.iteration % SAVED == 0:
                self.save(self.args.out / "checkpoint.pt")
            if not self.args.iterations and self.iteration - first >= MEASURED:
                self.args.iterations = self.fitting()
                until = self.args.iterations or math.inf
            if self.rank == 0 and self.iteration % 100 == 0:
                box, cls, dfl = (parts / 100).tolist()
                parts.zero_()
                self.seconds = spent + time.monotonic() - self.began
                line = {"iteration": self.iteration, "frames": len(self.frames) * self.world,
                        "seconds": round(self.seconds, 1), "box": round(box, 4), "cls": round(cls, 4),
                        "dfl": round(dfl, 4), "rate": self.optimizer.param_groups[0]["lr"]}
                print(json.dumps(line), file=log, flush=True)
                if self.iteration % 500 == 0:
                    print(json.dumps(line), flush=True)
        self.seconds = spent + time.monotonic() - self.began

    def fitting(self):
        """How many iterations --minutes allow, by the speed of MEASURED ones; asked until it knows, 0 before."""
        now = time.monotonic()
        if self.measured_from is None:
            self.measured_from = self.iteration, now
        done = self.iteration - self.measured_from[0]
        if done < MEASURED:
            return 0
        each = (now - self.measured_from[1]) / done
        left = (self.args.minutes * 60 - (now - self.began)) * 0.97
        total = torch.tensor([self.iteration + int(left / each)], device=self.device)
        if self.world > 1:
            dist.broadcast(total, 0)
        return int(total.item())

    def time_is_up(self):
        """The first process's clock decides for all, every 20 iterations."""
        if self.iteration % 20:
            return False
        over = torch.tensor([time.monotonic() - self.began > self.args.minutes * 60], device=self.device, dtype=torch.int32)
        if self.world > 1:
            dist.broadcast(over, 0)
        return bool(over.item())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--iterations", type=int, default=12000, help="of the whole training; 0: as many as fit")
    parser.add_argument("--until", type=int, help="end this step there (--iterations)")
    parser.add_argument("--minutes", type=float, default=8.0, help="of this step, from its start")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--capacity", type=int, default=48000, help="frames kept in GPU memory, 0.37 MB each")
    parser.add_argument("--weights", type=Path, help="weights of an earlier training")
    parser.add_argument("--rate", type=float, default=RATE, help="the highest learning rate; half of it to train on")
    parser.add_argument("--consume", action="store_true", help="remove shards that are in GPU memory")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    training = Training(args)
    training.prepare()
    training.warm_up()
    training.resume(args.out / "checkpoint.pt")
    training.wait_for_frames()
    training.run()
    training.save(args.out / "checkpoint.pt")
    if training.iteration >= args.iterations > 0 and training.rank == 0:
        (args.out / "average.pt").rename(args.out / "weights.pt")
    if training.world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
