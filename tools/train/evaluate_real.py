#!/usr/bin/env python3
"""How well a model finds what a reference model finds, on real clips that no training has seen.

usage: evaluate_real.py MODEL [--reference FILE] [--clips DIR] [--size 640x384] [--every 5] [--json FILE] [--draw DIR]

Truth: the reference's boxes of confidence 0.5 and above, its input letterboxed to 640x384. Cars, trucks and buses are
one class on both sides, suppressed together. A detection is right from IoU 0.5 on. Road clips make the pooled figures;
persons and bicycles of the street clip are told apart from them.

The required reading counts every detection without a true box as false, also one on an object that the reference gives
0.4. The second reading leaves detections on the reference's boxes of 0.1 to 0.5 out of the account.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

import clips
import metrics
from detector import Detector
from sizes import parse_size

PRECISION = 0.60  # recall is asked for at this precision
CONFIDENCE = 0.25  # the product's default threshold


class Account:
    """Detections of some pictures, judged; `doubt` says whether the reference's unsure boxes are ignored."""

    def __init__(self, found, truth, doubt):
        """found, truth: per picture rows x1, y1, x2, y2, score of one class."""
        self.found, self.truth = found, [rows[rows[:, 4] >= clips.TRUTH] for rows in truth]
        unsure = [rows[rows[:, 4] < clips.TRUTH] if doubt else rows[:0] for rows in truth]
        judged = [metrics.match(f, f[:, 4], t, u) for f, t, u in zip(found, self.truth, unsure)]
        self.right, self.ignored = ([pair[k][:, 0] for pair in judged] for k in (0, 1))

    @staticmethod
    def pool(accounts):
        """One account of the pictures of all."""
        whole = Account([], [], False)
        for part in accounts:
            whole.found, whole.truth = whole.found + part.found, whole.truth + part.truth
            whole.right, whole.ignored = whole.right + part.right, whole.ignored + part.ignored
        return whole

    def figures(self, shared_threshold=None):
        """shared_threshold: where the pooled precision reaches PRECISION; None: this account's own."""
        counted = ~np.concatenate(self.ignored)
        scores = np.concatenate([rows[:, 4] for rows in self.found])[counted]
        right = np.concatenate(self.right)[counted]
        positives = sum(map(len, self.truth))
        curve = metrics.Curve(scores, right, positives)
        most, f1, at = curve.most_recall(PRECISION), curve.best_f1(), curve.at(CONFIDENCE)
        if shared_threshold is None:
            shared_threshold = most.threshold if most else None
        shared = curve.at(shared_threshold) if shared_threshold is not None else None
        return {
            "frames": len(self.found), "true_boxes": positives,
            "recall_at_pooled_precision": shared.recall if shared else 0.0,
            "precision_there": shared.precision if shared else None, "threshold_there": shared_threshold,
            "ap50": metrics.average_precision(scores, right, positives),
            "most_recall_at_precision": most.recall if most else 0.0,
            "most_recall_threshold": most.threshold if most else None,
            "best_f1": f1.f1 if f1 else 0.0, "best_f1_threshold": f1.threshold if f1 else None,
            "recall_at_confidence": at.recall, "precision_at_confidence": at.precision,
        }


def detect_clip(model, clip, size, wanted):
    """Rows of every frame, see detector.decode()."""
    tensors, fit = clip.tensors(size)
    groups = model.groups(wanted)
    return [model.detect(tensor, fit, groups) for tensor in tensors]


def judge(found, truth, doubt):
    """found, truth: {clip: rows per frame}. Returns figures per clip and of all together (key "pooled"), and the
    accounts by clip."""
    accounts = {name: Account(found[name], truth[name], doubt) for name in found}
    pooled = Account.pool(accounts.values()).figures()
    table = {name: account.figures(pooled["threshold_there"]) for name, account in accounts.items()}
    return {**table, "pooled": pooled}, accounts


def show(table, title):
    print(f"\n{title}")
    print(f"{'':30} {'frames':>6} {'true':>5} | {'recall':>6} {'prec.':>6} {'at':>5} | {'AP50':>5} | "
          f"{'max R':>5} {'at':>5} | {'F1':>5} {'at':>5} | {'R':>5} {'P':>5} at {CONFIDENCE}")

    def number(value, width=5):
        return f"{'-' if value is None or np.isnan(value) else format(value, '.3f'):>{width}}"

    for name, row in table.items():
        print(f"{name:30} {row['frames']:6} {row['true_boxes']:5} | {number(row['recall_at_pooled_precision'], 6)} "
              f"{number(row['precision_there'], 6)} {number(row['threshold_there'])} | {number(row['ap50'])} | "
              f"{number(row['most_recall_at_precision'])} {number(row['most_recall_threshold'])} | "
              f"{number(row['best_f1'])} {number(row['best_f1_threshold'])} | "
              f"{number(row['recall_at_confidence'])} {number(row['precision_at_confidence'])}")


def of_group(rows_of_frames, group):
    return [rows[rows[:, 5] == group] for rows in rows_of_frames]


def evaluate(model, reference, folder, size=clips.REFERENCE_SIZE, every=5, cache=clips.CACHE, draw=None):
    """The whole evaluation; returns {"required": {...}, "doubt_ignored": {...}, "street": {...}}, each by clip."""
    paths = {name: pathlib.Path(folder) / f"{name}.mp4" for name in (*clips.ROAD_CLIPS, clips.STREET_CLIP)}
    absent = [name for name, path in paths.items() if not path.exists()]
    for name in absent:
        print(f"skipped: {paths[name]} is absent", file=sys.stderr)
    of = {name: clips.Clip(path, every, cache) for name, path in paths.items() if name not in absent}
    found, truth = {}, {}
    for name in clips.ROAD_CLIPS:
        if name in of:
            truth[name] = of[name].truth(reference, clips.VEHICLE)
            found[name] = detect_clip(model, of[name], size, clips.VEHICLE)
    if not found:
        raise FileNotFoundError(f"{folder}: none of the clips there")
    result = {}
    result["required"], accounts = judge(found, truth, doubt=False)
    result["doubt_ignored"], _ = judge(found, truth, doubt=True)
    if clips.STREET_CLIP in of:
        clip = of[clips.STREET_CLIP]
        rows, true = detect_clip(model, clip, size, clips.STREET_GROUPS), clip.truth(reference, clips.STREET_GROUPS)
        result["street"] = {name: Account(of_group(rows, group), of_group(true, group), doubt=False).figures()
                            for name, group in clips.STREET_GROUPS.items()}
    if draw:
        import sheets

        threshold = result["required"]["pooled"]["threshold_there"]
        for name, account in accounts.items():
            sheets.draw(draw, of[name], account, CONFIDENCE if threshold is None else threshold)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--reference", default=clips.DATA / "models" / "yolo11n.onnx")
    parser.add_argument("--clips", default=clips.DATA / "videos", help="folder of the clips")
    parser.add_argument("--size", type=parse_size, default=clips.REFERENCE_SIZE, help="the model's input (640x384)")
    parser.add_argument("--every", type=int, default=5, help="every k-th frame of a clip")
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument("--cache", default=clips.CACHE, help="folder for decoded frames and reference boxes")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--draw", help="write contact sheets into this folder")
    given = parser.parse_args()
    model = Detector(given.model, given.engine)
    result = evaluate(model, Detector(given.reference), given.clips, given.size, given.every, given.cache, given.draw)
    show(result["required"], f"Vehicles, truth: reference at {clips.TRUTH} and above (recall where pooled precision is "
                             f"{PRECISION:.2f})")
    show(result["doubt_ignored"], "EXTRA READING, not the required one: detections on reference boxes of "
                                  f"{clips.DOUBT} to {clips.TRUTH} ignored")
    if "street" in result:
        show(result["street"], f"{clips.STREET_CLIP}: persons and bicycles, not in the figures above")
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
