"""mAP50-95 on the first 128 images of COCO val2017 through the C path: it must lie within 0.005 of the reference.

The JPEG decoder hands out YCbCr as stored (BT.601, full range), so the conversion to RGB is the C letterbox's. mAP as
ultralytics computes it: per class and threshold, a prediction goes to the ground truth it overlaps most, and of those on
one ground truth the surest is right; precision envelope interpolated at 101 recalls; mean over classes that occur.
"""

import sys
import time

import numpy as np
from PIL import Image

import common
import metrics

WANTED, WITHIN = 0.451, 0.005
THRESHOLDS = np.linspace(0.5, 0.95, 10)


def read_image(path):
    image = Image.open(path)
    layout = "gray" if image.mode == "L" else "i444"
    if layout == "i444":
        image.draft("YCbCr", image.size)  # no conversion in the decoder
        assert image.mode == "YCbCr", f"{path}: decoded as {image.mode}"
    data = np.asarray(image)
    planes = data if layout == "gray" else data.transpose(2, 0, 1)
    return (common.frame_line(layout, *image.size, "bt601", "full"), planes.tobytes()), image.size


def read_labels(path, size):
    """x1 y1 x2 y2 and class, in pixels"""
    if not path.exists():
        return np.zeros((0, 5))
    rows = np.array([line.split() for line in path.read_text().splitlines() if line], np.float64).reshape(-1, 5)
    centre, half = rows[:, 1:3] * size, rows[:, 3:5] * size / 2
    return np.column_stack([centre - half, centre + half, rows[:, 0]])


def hits(found, labels):
    """Which predictions are right at which threshold: every label to one prediction, every prediction to one label."""
    right = np.zeros((len(found), len(THRESHOLDS)), bool)
    iou = metrics.overlaps(labels, found) * (labels[:, None, 4] == found[None, :, 5])
    for t, threshold in enumerate(THRESHOLDS):
        label, guess = np.nonzero(iou >= threshold)
        order = np.argsort(-iou[label, guess], kind="stable")
        label, guess = label[order], guess[order]
        first = np.unique(guess, return_index=True)[1]  # a prediction's best label; predictions now by falling score
        label, guess = label[first], guess[first]
        first = np.unique(label, return_index=True)[1]  # that label's surest prediction
        right[guess[first], t] = True
    return right


def average_precision(right, labels):
    """right: predictions by falling score, at one threshold"""
    true = right.cumsum()
    recall = np.concatenate([[0], true / labels, [1]])
    precision = np.concatenate([[1], true / np.arange(1, len(right) + 1), [0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.linspace(0, 1, 101)
    return np.trapezoid(np.interp(at, recall, envelope), at)


def mean_average_precision(found, labels):
    right = np.concatenate([hits(f, l) for f, l in zip(found, labels)])
    found, labels = np.concatenate(found), np.concatenate(labels)
    order = np.argsort(-found[:, 4], kind="stable")
    right, classes = right[order], found[order, 5]
    table = []
    for cls in np.unique(labels[:, 4]):
        mine, count = right[classes == cls], int((labels[:, 4] == cls).sum())
        table.append([average_precision(mine[:, t], count) if len(mine) else 0.0 for t in range(len(THRESHOLDS))])
    table = np.array(table)
    return table.mean(), table[:, 0].mean()


def main(tool):
    folder = common.need("coco/val2017-128")
    model = common.need("models/yolo11n.onnx")
    began = time.monotonic()
    paths = sorted((folder / "images/val2017").glob("*.jpg"))
    frames, sizes = zip(*(read_image(path) for path in paths))
    labels = [read_labels(folder / "labels/val2017" / f"{p.stem}.txt", size) for p, size in zip(paths, sizes)]
    options = ("--tensor", "640x640", "--confidence", "0.001", "--iou", "0.7")
    failed = False
    for precision in ("fp32", "auto"):
        found, said = common.detect(tool, model, frames, "--precision", precision, *options)
        assert len(found) == len(paths), f"{len(found)} of {len(paths)} images came back"
        map_all, map_50 = mean_average_precision(found, labels)
        print(f"{precision}: mAP50-95 {map_all:.4f}, mAP50 {map_50:.4f} ({len(paths)} images, "
              f"{sum(map(len, labels))} boxes, recovered YOLO11n at 640x640; {said})")
        if precision == "fp32" and abs(map_all - WANTED) > WITHIN:
            print(f"wanted mAP50-95 {WANTED} +- {WITHIN}")
            failed = True
    print(f"took {time.monotonic() - began:.0f} s")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1])
