"""Contact sheets: frames of a clip with the truth (green), hits (blue), false alarms (red), what is ignored (grey)."""

import pathlib

import cv2
import numpy as np

from clips import REFERENCE_SIZE

COLUMNS, PICTURES = 3, 12
# BGR
TRUE, HIT, FALSE, IGNORED = (0, 200, 0), (255, 120, 0), (0, 0, 255), (160, 160, 160)


def draw(folder, clip, account, threshold):
    """PICTURES frames spread over the clip, detections from `threshold` on, into folder/CLIP.jpg."""
    tensors, fit = clip.tensors(REFERENCE_SIZE)
    pictures = []
    for i in np.unique(np.linspace(0, len(tensors) - 1, PICTURES).astype(int)):
        picture = np.ascontiguousarray(tensors[i][..., ::-1])
        _boxes(picture, fit, account.truth[i], [TRUE] * len(account.truth[i]), 2, scores=False)
        rows, right, ignored = account.found[i], account.right[i], account.ignored[i]
        colours = [HIT if r else IGNORED if g else FALSE for r, g in zip(right, ignored)]
        sure = np.flatnonzero(rows[:, 4] >= threshold)
        _boxes(picture, fit, rows[sure], [colours[k] for k in sure], 1, scores=True)
        pictures.append(picture)
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % COLUMNS)
    lines = [np.hstack(pictures[i:i + COLUMNS]) for i in range(0, len(pictures), COLUMNS)]
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(folder) / f"{clip.name}.jpg"
    if not cv2.imwrite(str(path), np.vstack(lines)):
        raise OSError(f"{path}: could not be written")


def _boxes(picture, fit, rows, colours, thickness, scores):
    for (x1, y1, x2, y2), score, colour in zip(fit.to_input(rows[:, :4]).round().astype(int), rows[:, 4], colours):
        cv2.rectangle(picture, (x1, y1), (x2, y2), colour, thickness)
        if scores:
            cv2.putText(picture, f"{score:.2f}", (x1, y1 - 2), cv2.FONT_HERSHEY_PLAIN, 0.8, colour, 1)
