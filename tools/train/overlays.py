"""Burnt-in texts, bars and logos as cameras and operators put them over pictures, drawn at random with OpenCV's fonts."""

import cv2
import numpy as np

WORDS = ("CAM", "A1 km", "Nord", "EXIT", "LIVE", "Str.", "Junction", "Lane", "REC", "Traffic", "P4", "Ponte", "West")


def text(rng):
    kind = rng.integers(3)
    if kind == 0:
        return f"{rng.integers(1, 32):02d}-{rng.integers(1, 13):02d}-20{rng.integers(10, 40)}"
    if kind == 1:
        return f"{rng.integers(24):02d}:{rng.integers(60):02d}:{rng.integers(60):02d}"
    return f"{rng.choice(WORDS)} {rng.integers(1, 400)}"


def corner(rng, width, height, w, h):
    """Mostly near the upper or lower edge."""
    x = rng.integers(0, max(1, width - w))
    y = rng.choice([rng.integers(2, 24), height - h - rng.integers(2, 24), rng.integers(0, max(1, height - h))],
                   p=[0.45, 0.45, 0.1])
    return int(x), int(y)


def draw_text(rng, image):
    height, width = image.shape[:2]
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX_SMALL,
                           cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_PLAIN]))
    scale, thick = float(rng.uniform(0.4, 1.1)), int(rng.integers(1, 3))
    words = " ".join(text(rng) for _ in range(rng.integers(1, 4)))
    (w, h), _ = cv2.getTextSize(words, font, scale, thick)
    x, y = corner(rng, width, height, w, h)
    ink = (255, 255, 255) if rng.random() < 0.7 else tuple(int(v) for v in rng.integers(0, 256, 3))
    if rng.random() < 0.3:
        cv2.rectangle(image, (x - 4, y - 4), (x + w + 4, y + h + 6),
                      (*[int(v) for v in rng.integers(0, 256, 3)], 255), -1)
    elif rng.random() < 0.6:
        cv2.putText(image, words, (x, y + h), font, scale, (0, 0, 0, 255), thick + 2, cv2.LINE_AA)
    cv2.putText(image, words, (x, y + h), font, scale, (*ink, 255), thick, cv2.LINE_AA)


def draw_bar(rng, image):
    """A bar over the whole width, or thin black edges at the sides."""
    height, width = image.shape[:2]
    colour = (*[int(v) for v in rng.integers(0, 256, 3)], 255)
    if rng.random() < 0.4:
        w = int(rng.integers(2, 12))
        cv2.rectangle(image, (0, 0), (w, height), (0, 0, 0, 255), -1)
        cv2.rectangle(image, (width - w, 0), (width, height), (0, 0, 0, 255), -1)
        return
    h = int(rng.integers(8, 34))
    y = 0 if rng.random() < 0.5 else height - h
    cv2.rectangle(image, (0, y), (width, y + h), colour, -1)


def draw_logo(rng, image):
    height, width = image.shape[:2]
    w, h = int(rng.integers(16, 140)), int(rng.integers(10, 40))
    x, y = corner(rng, width, height, w, h)
    for _ in range(rng.integers(1, 5)):
        points = rng.integers(0, [w, h], (int(rng.integers(3, 7)), 2)) + [x, y]
        colour = (*[int(v) for v in rng.integers(0, 256, 3)], int(rng.integers(120, 256)))
        cv2.fillPoly(image, [points.astype(np.int32)], colour)


def make_overlays(count, width, height, seed):
    """-> uint8 [count, height, width, 4], RGB and opacity."""
    rng = np.random.default_rng(seed)
    out = np.zeros((count, height, width, 4), np.uint8)
    for image in out:
        if rng.random() < 0.35:
            draw_bar(rng, image)
        for _ in range(rng.integers(1, 4)):
            draw_text(rng, image)
        if rng.random() < 0.4:
            draw_logo(rng, image)
    return out
