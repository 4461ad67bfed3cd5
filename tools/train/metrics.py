"""Suppression, matching and the figures made from them. Boxes are corners x1, y1, x2, y2; all is NumPy."""

from dataclasses import dataclass

import numpy as np

IOU_SUPPRESS = 0.7  # the product's default
MOST = 300  # boxes of a picture, as in the product
COCO_THRESHOLDS = np.linspace(0.5, 0.95, 10)
# A detection on an "ignore" box leaves the account from this overlap on, whatever the threshold for being right: it is
# then the ignored object that was found, well or badly placed.
IOU_IGNORE = 0.5


def overlaps(a, b):
    """IoU [len(a), len(b)] of every box of a with every one of b."""
    a, b = a[:, None, :4], b[None, :, :4]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.prod(np.clip(sides, 0, None), axis=-1)
    whole = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1) - common
    return common / np.maximum(whole, 1e-12)


def suppress(boxes, classes, scores, iou=IOU_SUPPRESS, most=MOST):
    """Indices kept, by falling score: a box goes when it overlaps a kept one of its class by more than iou
    (src/postprocess/yolo.h; of equal scores the first wins)."""
    kept = []
    order = np.argsort(-scores, kind="stable")
    while order.size and len(kept) < most:
        best, order = order[0], order[1:]
        kept.append(best)
        close = overlaps(boxes[best:best + 1], boxes[order])[0] > iou
        order = order[~(close & (classes[order] == classes[best]))]
    return np.array(kept, int)


def match(found, scores, truth, ignore=None, thresholds=(0.5,)):
    """Detections of one picture and class against its truth, as COCO pairs them: by falling score, each takes the free
    true box it overlaps most, if by at least the threshold. What is left over and lies on an ignore box is ignored.

    found [n, 4], scores [n], truth [m, 4], ignore [k, 4]; returns bool (right, ignored), both [n, len(thresholds)]."""
    right = np.zeros((len(found), len(thresholds)), bool)
    iou = overlaps(found, truth)
    best = iou.max(1, initial=0)
    order = np.argsort(-scores, kind="stable")
    for t, threshold in enumerate(thresholds):
        free = np.ones(len(truth), bool)
        for i in order[best[order] >= threshold]:
            candidates = np.flatnonzero(free & (iou[i] >= threshold))
            if candidates.size:
                free[candidates[iou[i, candidates].argmax()]] = False
                right[i, t] = True
    ignored = np.zeros_like(right)
    if ignore is not None and len(ignore):
        ignored = ~right & (overlaps(found, ignore).max(1) >= IOU_IGNORE)[:, None]
    return right, ignored


def average_precision(scores, right, positives):
    """COCO's interpolated average precision at one threshold: the mean over recalls 0, 0.01 .. 1 of the best precision
    at that recall or above (pycocotools/cocoeval.py, COCOeval.accumulate, in github.com/cocodataset/cocoapi).

    scores [n], right bool [n], positives: number of true boxes. NaN without any."""
    if positives == 0:
        return float("nan")
    right = right[np.argsort(-scores, kind="stable")]
    true = np.cumsum(right)
    recall, precision = true / positives, true / np.arange(1, len(right) + 1)
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(envelope[np.searchsorted(recall, np.linspace(0, 1, 101), side="left")].mean())


@dataclass(frozen=True)
class Point:
    """What is found at or above a score."""

    threshold: float
    recall: float
    precision: float

    @property
    def f1(self):
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0


class Curve:
    """Precision and recall over all thresholds. scores [n] and right bool [n] in any order, positives true boxes."""

    def __init__(self, scores, right, positives):
        order = np.argsort(-scores, kind="stable")
        scores, true = scores[order], np.cumsum(right[order])
        # boxes of one score come in together: a threshold cannot tell them apart
        last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)[:len(scores)])
        self.positives = positives
        self.thresholds = scores[last]
        self.recall = true[last] / max(positives, 1)
        self.precision = true[last] / (last + 1)

    def _point(self, i):
        return Point(float(self.thresholds[i]), float(self.recall[i]), float(self.precision[i]))

    def at(self, threshold):
        """With boxes of at least that score. Precision is NaN when there are none."""
        count = int((self.thresholds >= threshold).sum())
        if count == 0:
            return Point(threshold, 0.0, float("nan"))
        return Point(threshold, float(self.recall[count - 1]), float(self.precision[count - 1]))

    def most_recall(self, precision):
        """The lowest threshold at which precision is at least that: the greatest recall it can be had with. None when
        no threshold gives it."""
        enough = np.flatnonzero(self.precision >= precision)
        return self._point(enough[-1]) if enough.size else None

    def best_f1(self):
        """None without boxes."""
        if not len(self.thresholds):
            return None
        # 2 r p / (r + p); where nothing is right both are 0
        f1 = 2 * self.recall * self.precision / np.maximum(self.recall + self.precision, 1e-12)
        return self._point(int(f1.argmax()))
