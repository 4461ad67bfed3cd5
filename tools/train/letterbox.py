"""Pictures into the model's input, as src/preprocess/letterbox.h defines it for the product."""

from dataclasses import dataclass

import numpy as np

PADDING = 114


@dataclass(frozen=True)
class Fit:
    """How a picture of w x h pixels lies in an input of width x height."""

    w: int
    h: int
    width: int
    height: int

    @property
    def scale(self):
        return min(self.width / self.w, self.height / self.h)

    @property
    def inner(self):
        """Width and height of the picture inside the input."""
        return max(round(self.w * self.scale), 1), max(round(self.h * self.scale), 1)

    @property
    def pad(self):
        """Padding at the left and at the top."""
        inner_w, inner_h = self.inner
        return round((self.width - inner_w) / 2 - 0.1), round((self.height - inner_h) / 2 - 0.1)

    def to_picture(self, boxes):
        """Corners [n, 4] in pixels of the input -> pixels of the picture, clipped to it."""
        return np.clip((boxes - [*self.pad, *self.pad]) / self.scale, 0, [self.w, self.h, self.w, self.h])

    def to_input(self, boxes):
        """Corners [n, 4] in pixels of the picture -> pixels of the input."""
        return np.asarray(boxes, np.float64) * self.scale + [*self.pad, *self.pad]


def letterbox(planes, size, to_rgb=None):
    """planes: three uint8 arrays, the first of the picture's size, the others that or half of it; size: (width, height)
    of the input; to_rgb: what turns float planes of one size into R, G, B of 0..255 (None: they are that already).
    Returns uint8 [height, width, 3]."""
    h, w = planes[0].shape
    fit = Fit(w, h, *size)
    (inner_w, inner_h), (pad_x, pad_y) = fit.inner, fit.pad
    scaled = [_bilinear(plane, inner_w, inner_h, w, h) for plane in planes]
    rgb = np.stack(to_rgb(*scaled) if to_rgb else scaled, -1)
    tensor = np.full((size[1], size[0], 3), PADDING, np.uint8)
    tensor[pad_y:pad_y + inner_h, pad_x:pad_x + inner_w] = np.clip(np.floor(rgb + 0.5), 0, 255).astype(np.uint8)
    return tensor


def bt601_limited(y, u, v):
    """Float planes of one size, 0..255 -> R, G, B, 0..255 and beyond."""
    y, u, v = (y - 16) * (255 / 219), (u - 128) * (255 / 224), (v - 128) * (255 / 224)
    red, blue = y + 1.402 * v, y + 1.772 * u
    return red, (y - 0.299 * red - 0.114 * blue) / 0.587, blue


def _bilinear(plane, inner_w, inner_h, w, h):
    """A plane of a picture of w x h (chroma may have fewer samples) shown on inner_w x inner_h pixels, float32."""
    rows, cols = plane.shape
    if (rows, cols) == (inner_h, inner_w):
        return plane.astype(np.float32)
    x0, x1, fx = _taps(inner_w, w, 1 if cols == w else 2, cols)
    y0, y1, fy = _taps(inner_h, h, 1 if rows == h else 2, rows)
    fy = fy[:, None]
    tall = plane[y0] * (1 - fy) + plane[y1] * fy
    return tall[:, x0] * (1 - fx) + tall[:, x1] * fx


def _taps(count, full, step, samples):
    """Left taps, right taps and right weights of `count` outputs over `full` pixels, on samples `step` pixels apart."""
    at = np.clip((np.arange(count) + 0.5) * full / count / step - 0.5, 0, samples - 1)
    left = np.floor(at).astype(int)
    return left, np.minimum(left + 1, samples - 1), (at - left).astype(np.float32)
