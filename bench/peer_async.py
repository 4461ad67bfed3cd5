"""The strongest Python loop: OpenCV capture, letterbox, OpenVINO's AsyncInferQueue (type and layout in the graph, u8
input), NumPy non-maximum suppression. Prints one JSON line with frames per second.

usage: peer_async.py MODEL VIDEO SECONDS [PRECISION]"""
import json
import sys
import time

import cv2
import numpy as np
import openvino as ov
from openvino.preprocess import ColorFormat, PrePostProcessor
from openvino import Layout, Type

WIDTH, HEIGHT = 640, 384


def compile_model(path, precision):
    core = ov.Core()
    model = core.read_model(path)
    model.reshape([1, 3, HEIGHT, WIDTH])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().model().set_layout(Layout("NCHW"))
    steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB).scale(255.0)
    return core.compile_model(steps.build(), "CPU", {
        "PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision})


def letterbox(image):
    h, w = image.shape[:2]
    scale = min(WIDTH / w, HEIGHT / h)
    inner_w, inner_h = round(w * scale), round(h * scale)
    if (inner_w, inner_h) != (w, h):
        image = cv2.resize(image, (inner_w, inner_h), interpolation=cv2.INTER_LINEAR)
    x, y = (WIDTH - inner_w) // 2, (HEIGHT - inner_h) // 2
    return cv2.copyMakeBorder(image, y, HEIGHT - inner_h - y, x, WIDTH - inner_w - x, cv2.BORDER_CONSTANT,
                              value=(114, 114, 114))


def boxes_of(output, confidence=0.25, iou=0.7):
    scores = output[4:]
    best = scores.max(0)
    keep = best > confidence
    if not keep.any():
        return []
    classes, best, boxes = scores[:, keep].argmax(0), best[keep], output[:4, keep].T
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], 1)
    return cv2.dnn.NMSBoxesBatched(corners.tolist(), best.tolist(), classes.tolist(), confidence, iou)


def main():
    model_path, video, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    precision = sys.argv[4] if len(sys.argv) > 4 else "bf16"
    compiled = compile_model(model_path, precision)
    queue = ov.AsyncInferQueue(compiled)
    done = [0]

    def finish(request, _):
        boxes_of(request.get_output_tensor(0).data[0])
        done[0] += 1

    queue.set_callback(finish)
    capture = cv2.VideoCapture(video)
    warm_until = time.monotonic() + 2
    start, base = None, 0
    while True:
        now = time.monotonic()
        if start is None and now >= warm_until:
            start, base = now, done[0]
        if start is not None and now - start >= seconds:
            break
        ok, image = capture.read()
        if not ok:
            capture.release()
            capture = cv2.VideoCapture(video)
            continue
        queue.start_async({0: letterbox(image)[None]})
    elapsed, count = time.monotonic() - start, done[0] - base
    queue.wait_all()
    print(json.dumps({"fps": count / elapsed, "frames": count, "seconds": elapsed}))


if __name__ == "__main__":
    main()
