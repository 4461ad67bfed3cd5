#!/usr/bin/env python3
"""mAP of a model on rendered frames that training has not seen, per class, at one or more input sizes.

usage: evaluate_rendered.py MODEL --frames DIR [--size 640x384 ...] [--limit N] [--engine openvino] [--every-class]
           [--objects VISIBLE PIXELS] [--json FILE]
"""

import argparse
import itertools
import json
import pathlib

import numpy as np

import metrics
import shards
from detector import Detector
from letterbox import Fit, bt601_limited, letterbox
from sizes import FULL, name as size_name, parse_size

# Which objects are asked for: share of it that is seen, and shorter side in pixels of the letterboxed picture at 640x384,
# whatever size is evaluated. Others are neither asked for nor held against the model.
ALL, CLEAR = (0.25, 8.0), (0.5, 16.0)
NONE = {"classes": {}, "map50": None, "map50_95": None}


class Frames:
    """All frames of a folder's shards (or of one shard), or `limit` of them spread evenly."""

    def __init__(self, folder, limit=None):
        self.parts = [shards.read_shard(path) for path in shards.find_shards(folder)]
        places = [(p, i) for p, part in enumerate(self.parts) for i in range(len(part[0]))]
        if limit and limit < len(places):
            places = [places[k] for k in np.linspace(0, len(places) - 1, limit).astype(int)]
        self.places = places

    def __len__(self):
        return len(self.places)

    def __iter__(self):
        """(I420 frame [height * 3 // 2, width], its boxes)"""
        for p, i in self.places:
            frames, offsets, boxes = self.parts[p]
            yield frames[i], np.asarray(boxes[offsets[i]:offsets[i + 1]])

    def tensors(self, sizes):
        """(uint8 [H, W, 3], Fit, boxes) of every frame; sizes: (width, height), taken in turn."""
        for (frame, boxes), size in zip(self, itertools.cycle(sizes)):
            planes = shards.planes(frame)
            h, w = planes[0].shape
            yield letterbox(planes, size, bt601_limited), Fit(w, h, *size), boxes


def asked(boxes, w, h, limits=ALL):
    """Which boxes of a frame of w x h count: bool [n]."""
    visible, shortest = limits
    scale = Fit(w, h, *FULL).scale
    shorter = np.minimum(boxes["x2"] - boxes["x1"], boxes["y2"] - boxes["y1"])
    return (boxes["visible"] >= visible) & (shorter * scale >= shortest)


def corners(boxes):
    return np.stack([boxes[side] for side in ("x1", "y1", "x2", "y2")], -1).astype(np.float64)


class Tally:
    """Detections against truth, class by class, gathered picture by picture."""

    def __init__(self, limits=ALL):
        self.limits = limits
        self.scores = [[] for _ in shards.CLASSES]
        self.right = [[] for _ in shards.CLASSES]
        self.positives = np.zeros(len(shards.CLASSES), int)

    def add(self, found, boxes, w, h):
        """found: rows x1, y1, x2, y2, score, class; boxes: the truth; of one picture of w x h."""
        counts = asked(boxes, w, h, self.limits)
        for cls in range(len(shards.CLASSES)):
            mine, true = found[found[:, 5] == cls], boxes["class"] == cls
            self.positives[cls] += int((true & counts).sum())
            right, ignored = metrics.match(mine, mine[:, 4], corners(boxes[true & counts]),
                                           corners(boxes[true & ~counts]), metrics.COCO_THRESHOLDS)
            # a score per threshold, as a detection may be right at one and ignored at a stricter one (-1)
            self.scores[cls].append(np.where(ignored, -1.0, mine[:, 4:5]))
            self.right[cls].append(right)

    def average_precisions(self, cls):
        """At each of COCO's thresholds; NaN where the class does not occur."""
        scores, right = np.concatenate(self.scores[cls]), np.concatenate(self.right[cls])
        return np.array([metrics.average_precision(scores[scores[:, t] >= 0, t], right[scores[:, t] >= 0, t],
                                                   self.positives[cls]) for t in range(right.shape[1])])

    def figures(self):
        table = {}
        for cls, name in enumerate(shards.CLASSES):
            if self.positives[cls]:
                at = self.average_precisions(cls)
                table[name] = {"boxes": int(self.positives[cls]), "map50": float(at[0]), "map50_95": float(at.mean())}
        if not table:
            raise ValueError("none of the frames has a box that counts")
        return {"classes": table, "map50": float(np.mean([row["map50"] for row in table.values()])),
                "map50_95": float(np.mean([row["map50_95"] for row in table.values()]))}


def evaluate(model, frames, size, every_class=False, limits=ALL):
    """The figures of the objects within the limits, and under "clear" those of the clear ones; every_class: see
    detector.decode."""
    tally, clear = Tally(limits), Tally(CLEAR)
    groups = model.groups({name: cls for cls, name in enumerate(shards.CLASSES)})
    for tensor, fit, boxes in frames.tensors([size]):
        found = model.detect(tensor, fit, groups, every_class=every_class)
        tally.add(found, boxes, fit.w, fit.h)
        clear.add(found, boxes, fit.w, fit.h)
    return {"frames": len(frames), **tally.figures(), "clear": clear.figures() if clear.positives.any() else NONE}


def show(result, size):
    print(f"\n{size_name(size)}, {result['frames']} rendered frames")
    print(f"{'class':12} {'boxes':>6} {'mAP50':>6} {'50-95':>6}   clear: {'boxes':>6} {'mAP50':>6} {'50-95':>6}")
    rows = [(name, row, result["clear"]["classes"].get(name)) for name, row in result["classes"].items()]
    for name, *halves in [*rows, ("mean", result, result["clear"])]:
        figures = [f"{half.get('boxes', ''):6} {half['map50']:6.3f} {half['map50_95']:6.3f}" if half and half["map50"] is not None else f"{'-':>20}"
                   for half in halves]
        print(f"{name:12} {figures[0]}          {figures[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--frames", required=True, help="folder of *.frames, or one of them")
    parser.add_argument("--size", type=parse_size, nargs="+", default=[FULL], help="input sizes (640x384)")
    parser.add_argument("--limit", type=int, help="that many frames, spread evenly")
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument("--every-class", action="store_true", help="an anchor stands for all its classes, as is usual")
    parser.add_argument("--objects", type=float, nargs=2, default=ALL, metavar=("VISIBLE", "PIXELS"),
                        help="least share seen and least shorter side of those that count (0.25 8)")
    parser.add_argument("--json", help="write the figures here")
    given = parser.parse_args()
    model, frames = Detector(given.model, given.engine), Frames(given.frames, given.limit)
    result = {}
    for size in given.size:
        result[size_name(size)] = evaluate(model, frames, size, given.every_class, tuple(given.objects))
        show(result[size_name(size)], size)
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
