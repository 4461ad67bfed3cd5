"""Detections of the C path against a reference that shares nothing with it: letterbox in numpy by the definition in
letterbox.h, the model in onnxruntime at fp32, suppression in numpy.

At fp32 at least 99 % of the boxes must pair at IoU 0.95 with scores within 0.01; at auto precision 97 % at IoU 0.9.
Frames: every 15th of every clip. Also prints, without a verdict, how the usual OpenCV way of making the tensor agrees.

Which boxes count: the threshold is 0.25, and a box at 0.251 here may rightly be at 0.249 there. So both sides run at
0.24 and pair what they find. A pair counts when either score reaches 0.25. A box without a partner counts as a failure
from 0.26 on: below that its partner may lie under 0.24 within the tolerance of 0.01. The share is
pairs / (pairs + boxes without a partner on either side).
"""

import json
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

import common
import metrics

WIDTH, HEIGHT = 640, 384
CONFIDENCE, TOLERANCE, IOU = 0.25, 0.01, 0.7
EVERY = 15
# Kr, Kb
MATRICES = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}


# ---- the definition ----


def fit(w, h, width=WIDTH, height=HEIGHT):
    """scale, inner size, padding at left and top"""
    scale = min(width / w, height / h)
    inner_w, inner_h = max(round(w * scale), 1), max(round(h * scale), 1)
    return scale, inner_w, inner_h, round((width - inner_w) / 2 - 0.1), round((height - inner_h) / 2 - 0.1)


def along(count, full, step, samples):
    """Left taps, right taps and right weights of `count` outputs over `full` pixels, on samples `step` pixels apart."""
    at = np.clip((np.arange(count) + 0.5) * full / count / step - 0.5, 0, samples - 1)
    left = np.floor(at).astype(int)
    return left, np.minimum(left + 1, samples - 1), at - left


def bilinear(plane, inner_w, inner_h, w, h):
    rows, cols = plane.shape
    x0, x1, fx = along(inner_w, w, 1 if cols == w else 2, cols)
    y0, y1, fy = along(inner_h, h, 1 if rows == h else 2, rows)
    fy = fy[:, None]
    tall = plane[y0].astype(np.float64) * (1 - fy) + plane[y1] * fy
    return tall[:, x0] * (1 - fx) + tall[:, x1] * fx


def letterbox(planes, w, h, matrix, value_range):
    _, inner_w, inner_h, pad_x, pad_y = fit(w, h)
    y, u, v = (bilinear(plane, inner_w, inner_h, w, h) for plane in planes)
    kr, kb = MATRICES[matrix]
    if value_range == "limited":
        y, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    else:
        y, u, v = y / 255, (u - 128) / 255, (v - 128) / 255
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    tensor = np.full((HEIGHT, WIDTH, 3), 114, np.uint8)
    rgb = np.clip(np.floor(255 * np.stack([red, green, blue], -1) + 0.5), 0, 255)
    tensor[pad_y : pad_y + inner_h, pad_x : pad_x + inner_w] = rgb.astype(np.uint8)
    return tensor


def decode(output, w, h):
    scale, _, _, pad_x, pad_y = fit(w, h)
    scores = output[4:].max(0)
    anchors = np.flatnonzero(scores > CONFIDENCE - TOLERANCE)
    cx, cy, bw, bh = output[:4, anchors].astype(np.float64)
    boxes = np.stack([cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2], -1)
    classes = output[4:, anchors].argmax(0)
    kept = metrics.suppress(boxes, classes, scores[anchors], IOU)
    boxes = (boxes[kept] - [pad_x, pad_y, pad_x, pad_y]) / scale
    boxes = np.clip(boxes, 0, [w, h, w, h])
    inside = (boxes[:, 2:] > boxes[:, :2]).all(1)  # the rest lay in the padding
    return np.column_stack([boxes, scores[anchors][kept], classes[kept]])[inside]


class Model:
    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def __call__(self, tensor, w, h):
        image = np.ascontiguousarray(tensor.transpose(2, 0, 1)[None], np.float32) / 255
        return decode(self.session.run(None, {self.input: image})[0][0], w, h)


# ---- clips ----


def clip_frames(path):
    """Every 15th frame as yuv420p, with size, matrix and range as its stream says (BT.601 limited when it does not)."""
    probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_streams", "-of", "json", str(path)]
    stream = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)["streams"][0]
    w, h = stream["width"], stream["height"]
    matrix = {"bt709": "bt709", "bt2020nc": "bt2020"}.get(stream.get("color_space"), "bt601")
    value_range = "full" if stream.get("color_range") == "pc" else "limited"
    pick = ["-vf", f"select=not(mod(n\\,{EVERY}))", "-fps_mode", "passthrough"]
    command = ["ffmpeg", "-v", "error", "-i", str(path), *pick, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    size = w * h + 2 * ((w + 1) // 2) * ((h + 1) // 2)
    assert len(raw) % size == 0 and raw, f"{path}: {len(raw)} bytes of frames of {size}"
    line = common.frame_line("i420", w, h, matrix, value_range)
    return [(line, raw[i : i + size]) for i in range(0, len(raw), size)], (w, h, matrix, value_range)


def planes_of(raw, w, h):
    cw, ch = (w + 1) // 2, (h + 1) // 2
    y, u, v = np.split(np.frombuffer(raw, np.uint8), [w * h, w * h + cw * ch])
    return y.reshape(h, w), u.reshape(ch, cw), v.reshape(ch, cw)


def opencv_tensor(cv2, raw, w, h):
    """As the usual Python pipelines do it: BGR frame, resize, border, RGB."""
    _, inner_w, inner_h, pad_x, pad_y = fit(w, h)
    bgr = cv2.cvtColor(np.frombuffer(raw, np.uint8).reshape(h * 3 // 2, w), cv2.COLOR_YUV2BGR_I420)
    inner = cv2.resize(bgr, (inner_w, inner_h), interpolation=cv2.INTER_LINEAR)
    border = (pad_y, HEIGHT - inner_h - pad_y, pad_x, WIDTH - inner_w - pad_x)
    return cv2.copyMakeBorder(inner, *border, cv2.BORDER_CONSTANT, value=(114, 114, 114))[..., ::-1]


# ---- comparison ----


def pair(ours, theirs, iou, score_tolerance):
    """(pairs that count, boxes without a partner, score differences of the pairs) of one frame. Pairs are taken by
    falling IoU among boxes of one class."""
    near = metrics.overlaps(ours, theirs) * (ours[:, None, 5] == theirs[None, :, 5])
    near[near < iou] = 0
    near[np.abs(ours[:, None, 4] - theirs[None, :, 4]) > score_tolerance] = 0
    free = [np.ones(len(ours), bool), np.ones(len(theirs), bool)]
    pairs, differences = 0, []
    for flat in np.argsort(-near, axis=None, kind="stable"):
        i, k = np.unravel_index(flat, near.shape)
        if near[i, k] == 0:
            break
        if free[0][i] and free[1][k]:
            free[0][i] = free[1][k] = False
            if max(ours[i, 4], theirs[k, 4]) >= CONFIDENCE:
                pairs += 1
                differences.append(abs(ours[i, 4] - theirs[k, 4]))
    alone = sum(int((side[mask, 4] >= CONFIDENCE + TOLERANCE).sum()) for side, mask in zip((ours, theirs), free))
    return pairs, alone, differences


def agreement(ours, theirs, iou, score_tolerance=np.inf):
    assert len(ours) == len(theirs), f"{len(ours)} frames came back of {len(theirs)}"
    results = [pair(a, b, iou, score_tolerance) for a, b in zip(ours, theirs)]
    pairs, alone = sum(r[0] for r in results), sum(r[1] for r in results)
    worst = max((d for r in results for d in r[2]), default=0)
    return pairs, alone, worst


def share(pairs, alone):
    return pairs / max(pairs + alone, 1)


def check_tensors(path, wanted):
    """The C letterbox gives the reference's pixels to within one level."""
    have = np.fromfile(path, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
    assert len(have) == len(wanted), f"{len(have)} tensors of {len(wanted)}"
    difference = np.abs(have.astype(np.int16) - np.stack(wanted))
    return int(difference.max()), float((difference > 0).mean())


def main(tool):
    clips = sorted(common.need("videos").glob("*.mp4"))
    model_path = common.need("models/yolo11n-384x640.onnx")
    try:
        import cv2
    except ImportError:
        cv2 = None
    model = Model(model_path)
    began = time.monotonic()
    total = {"fp32": [0, 0, 0.0], "auto": [0, 0, 0.0], "opencv": [0, 0, 0.0]}
    limits = {"fp32": (0.95, TOLERANCE), "auto": (0.9, np.inf), "opencv": (0.9, np.inf)}
    failures = []
    for clip in clips:
        frames, (w, h, matrix, value_range) = clip_frames(clip)
        tensors = [letterbox(planes_of(raw, w, h), w, h, matrix, value_range) for _, raw in frames]
        wanted = [model(tensor, w, h) for tensor in tensors]
        found = {}
        threshold = ("--confidence", str(CONFIDENCE - TOLERANCE), "--iou", str(IOU))
        with tempfile.NamedTemporaryFile() as kept:
            options = ("--precision", "fp32", "--tensors", kept.name, *threshold)
            found["fp32"], _ = common.detect(tool, model_path, frames, *options)
            off, differing = check_tensors(kept.name, tensors)
        found["auto"], said = common.detect(tool, model_path, frames, "--precision", "auto", *threshold)
        if cv2 and h % 2 == 0 and w % 2 == 0:
            found["opencv"] = [model(opencv_tensor(cv2, raw, w, h), w, h) for _, raw in frames]
        parts = []
        for name, boxes in found.items():
            pairs, alone, worst = agreement(boxes, wanted, *limits[name])
            total[name] = [total[name][0] + pairs, total[name][1] + alone, max(total[name][2], worst)]
            parts.append(f"{name} {100 * share(pairs, alone):.2f} % of {pairs + alone}")
        print(f"{clip.name}: {len(frames)} frames, tensors off by {off} at most ({100 * differing:.3f} % of values); "
              + ", ".join(parts))
        if off > 1:
            failures.append(f"{clip.name}: a tensor value is {off} levels off")
    print(f"engine: {said}")
    for name, wanted_share in (("fp32", 0.99), ("auto", 0.97), ("opencv", None)):
        pairs, alone, worst = total[name]
        if pairs + alone == 0:
            if name == "opencv":
                print("opencv: not installed, not compared")
            else:
                failures.append(f"{name}: no boxes to compare")
            continue
        print(f"{name}: {100 * share(pairs, alone):.2f} % of {pairs + alone} boxes paired at IoU {limits[name][0]}, "
              f"scores {worst:.4f} apart at most" + (f" (wanted {100 * wanted_share:.0f} %)" if wanted_share else ""))
        if wanted_share and share(pairs, alone) < wanted_share:
            failures.append(f"{name}: too few boxes pair")
    print(f"took {time.monotonic() - began:.0f} s")
    sys.exit("\n".join(failures) or 0)


if __name__ == "__main__":
    main(sys.argv[1])
