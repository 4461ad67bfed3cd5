#!/usr/bin/env python3
"""What a model loses on rendered frames, and why: true objects by size and by how much of them is seen.

usage: evaluate_misses.py MODEL --frames DIR [--size 640x384] [--limit N] [--engine openvino] [--json FILE]

Per band: AP50 with all classes as one, and what becomes of the true objects at a low confidence: found, given another
class, placed badly, or not found. Then, over all, how much mAP50 would rise if one kind of error alone were mended (Bolya
et al., TIDE: A General Toolbox for Identifying Object Detection Errors, 2020).
"""

import argparse
import json
import pathlib
from dataclasses import dataclass

import numpy as np

import metrics
import shards
from detector import Detector, decode
from evaluate_rendered import ALL, Frames, asked, corners
from sizes import FULL, parse_size

SIDES = (8, 12, 16, 24, 48, np.inf)  # of the shorter side, pixels of the frame
SEEN = (0.25, 0.5, 0.75, np.inf)
CONFIDENCE = 0.05  # from which a detection is one
RIGHT, NEAR, FAR = 0.5, 0.3, 0.1  # IoU: right; placed badly; below the last, TIDE sees no connection
FATES = ("found", "other class", "placed badly", "not found")
ERRORS = ("class", "place", "both", "twice", "background", "missed")


@dataclass
class Picture:
    """found and merged: rows x1, y1, x2, y2, score, class as detector.decode gives them, merged with all classes as one;
    boxes: the truth; counts: which of it is asked for."""

    found: np.ndarray
    merged: np.ndarray
    boxes: np.ndarray
    counts: np.ndarray


def detect(model, frames, size):
    own, one = model.groups({name: cls for cls, name in enumerate(shards.CLASSES)}), np.zeros(len(model.names), int)
    for tensor, fit, boxes in frames.tensors([size]):
        output = model.raw(tensor)
        yield Picture(decode(output, fit, own), decode(output, fit, one), boxes, asked(boxes, fit.w, fit.h, ALL))


def shorter(boxes):
    return np.minimum(boxes["x2"] - boxes["x1"], boxes["y2"] - boxes["y1"])


def merged_precision(pictures, sides, seen):
    """AP50 of the band with all classes as one, as COCO takes it: other objects are ignored, and so are false alarms of
    another size."""
    scores, right, positives = [], [], 0
    for p in pictures:
        wanted = p.counts & within(shorter(p.boxes), sides) & within(p.boxes["visible"], seen)
        hit, ignored = metrics.match(p.merged, p.merged[:, 4], corners(p.boxes[wanted]), corners(p.boxes[~wanted]))
        side = (p.merged[:, 2:4] - p.merged[:, :2]).min(1, initial=np.inf)
        kept = hit[:, 0] | (~ignored[:, 0] & within(side, sides))
        scores.append(p.merged[kept, 4])
        right.append(hit[kept, 0])
        positives += int(wanted.sum())
    return metrics.average_precision(np.concatenate(scores), np.concatenate(right), positives)


def within(values, band):
    return (values >= band[0]) & (values < band[1])


def fates(picture):
    """Of every true box, an index into FATES."""
    found = picture.found[picture.found[:, 4] >= CONFIDENCE]
    hit = np.zeros(len(picture.boxes), bool)
    for cls in range(len(shards.CLASSES)):
        own = np.flatnonzero(picture.boxes["class"] == cls)
        mine = found[found[:, 5] == cls]
        for i in np.argsort(-mine[:, 4], kind="stable"):
            overlap = metrics.overlaps(mine[i:i + 1], corners(picture.boxes[own]))[0] * ~hit[own]
            if overlap.max(initial=0) >= RIGHT:
                hit[own[overlap.argmax()]] = True
    best = metrics.overlaps(corners(picture.boxes), found).max(1, initial=0)
    return np.select([hit, best >= RIGHT, best >= NEAR], [0, 1, 2], 3)


def bands(pictures):
    """{label: {"boxes": n, "ap50": .., fate: share ..}}"""
    whole = (0, np.inf)
    rows = {"all": (whole, whole)}
    rows.update({f"{lo:g}..{hi:g} px": ((lo, hi), whole) for lo, hi in zip(SIDES, SIDES[1:])})
    rows.update({f"seen {lo:g}..{min(hi, 1):g}": (whole, (lo, hi)) for lo, hi in zip(SEEN, SEEN[1:])})
    known = [(p, fates(p)) for p in pictures]
    result = {}
    for label, (sides, seen) in rows.items():
        fate = np.concatenate([f[p.counts & within(shorter(p.boxes), sides) & within(p.boxes["visible"], seen)]
                               for p, f in known])
        shares = np.bincount(fate, minlength=len(FATES)) / max(len(fate), 1)
        result[label] = {"boxes": len(fate), "ap50": merged_precision(pictures, sides, seen),
                         **{name: float(share) for name, share in zip(FATES, shares)}}
    return result


def judge(picture):
    """Rows (score, class, error, object) of the detections and the bool [objects asked for] of the found ones. error:
    "" for the right ones, else one of ERRORS; object: index of the one that it is about, or -1."""
    found = picture.found[np.argsort(-picture.found[:, 4], kind="stable")]
    real, ignored = picture.boxes[picture.counts], picture.boxes[~picture.counts]
    iou, same = metrics.overlaps(found, corners(real)), found[:, 5:6] == real["class"][None]
    aside = (metrics.overlaps(found, corners(ignored)) * (found[:, 5:6] == ignored["class"][None])).max(1, initial=0)
    taken, rows, rest = np.zeros(len(real), bool), [], []
    for i, row in enumerate(found):
        free = iou[i] * same[i] * ~taken
        if free.max(initial=0) >= RIGHT:
            taken[free.argmax()] = True
            rows.append((row[4], int(row[5]), "", int(free.argmax())))
        elif aside[i] < metrics.IOU_IGNORE:
            rest.append(i)
    for i in rest:
        own, other = iou[i] * same[i], iou[i] * ~same[i]
        rows.append((found[i, 4], int(found[i, 5]), *error(own, other)))
    return rows, taken


def error(own, other):
    """own, other: overlaps with the objects of its class and of others -> (kind, object)."""
    best, foreign = own.max(initial=0), other.max(initial=0)
    if FAR <= best < RIGHT:
        return "place", int(own.argmax())
    if foreign >= RIGHT:
        return "class", int(other.argmax())
    if best >= RIGHT:
        return "twice", -1
    return ("both" if foreign >= FAR else "background"), -1


def mended(judged, truth, kind=None):
    """mAP50 with one kind of error mended. judged: judge() of every picture; truth: the classes of its objects."""
    positives = np.zeros(len(shards.CLASSES))
    curves = [[] for _ in shards.CLASSES]
    for (rows, taken), classes in zip(judged, truth):
        lacking = np.zeros(len(classes), bool)
        if kind == "missed":
            lacking = ~taken
            lacking[[about for _, _, error_, about in rows if error_ in ("class", "place")]] = False
        positives += np.bincount(classes[~lacking], minlength=len(positives))
        won = taken.copy()
        for score, cls, error_, about in rows:
            if error_ == kind and kind in ("class", "place"):
                if not won[about]:
                    won[about] = True
                    curves[classes[about]].append((score, True))
            elif error_ != kind:
                curves[cls].append((score, error_ == ""))
    return float(np.nanmean([average(curve, n) for curve, n in zip(curves, positives)]))


def average(curve, positives):
    scores, right = np.array(curve, float).reshape(-1, 2).T
    return metrics.average_precision(scores, right.astype(bool), positives)


def gains(pictures):
    judged, truth = [judge(p) for p in pictures], [p.boxes["class"][p.counts] for p in pictures]
    whole = mended(judged, truth)
    return {"map50": whole, **{kind: mended(judged, truth, kind) - whole for kind in ERRORS}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--frames", required=True, help="folder of *.frames, or one of them")
    parser.add_argument("--size", type=parse_size, default=FULL, help="input size (640x384)")
    parser.add_argument("--limit", type=int, help="that many frames, spread evenly")
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument("--json", help="write the figures here")
    given = parser.parse_args()
    pictures = list(detect(Detector(given.model, given.engine), Frames(given.frames, given.limit), given.size))
    result = {"bands": bands(pictures), "gains": gains(pictures)}
    print(f"{'':14} {'boxes':>6} {'AP50':>6}", *(f"{name:>13}" for name in FATES))
    for label, row in result["bands"].items():
        print(f"{label:14} {row['boxes']:6} {row['ap50']:6.3f}", *(f"{row[name]:13.3f}" for name in FATES))
    print("mAP50 {map50:.3f}; mended alone:".format(**result["gains"]),
          ", ".join(f"{kind} {result['gains'][kind]:+.3f}" for kind in ERRORS))
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
