"""A detection model of the product's contract: `images` [b, 3, H, W] RGB 0..1 -> `output0` [b, 4 + classes, anchors],
rows 0-3 cx, cy, w, h in input pixels, then scores of classes after sigmoid; class names in the metadata."""

import ast
import os

import numpy as np

import metrics

LOWEST = 0.001  # confidence from which detections enter a curve, as is usual for average precision


def _names(session, path):
    text = session.get_modelmeta().custom_metadata_map.get("names")
    if text is None:
        raise ValueError(f"{path}: no class names in its metadata")
    names = {int(key): name for key, name in ast.literal_eval(text).items()}  # exporters write {0: ...} or {"0": ...}
    return [names[i] for i in range(len(names))]


def hints(core):
    """{precision: OpenVINO's name for it} of what this processor computes in, slowest first."""
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return {"fp32": "f32", **({"bf16": "bf16"} if "BF16" in able else {})}


class Detector:
    """engine: "onnxruntime" (fp32, the reference) or "openvino" (as the product runs it: what is not quantised in the
    file at the fastest precision that the processor has)."""

    def __init__(self, path, engine="onnxruntime", threads=2):
        import onnxruntime

        self.path = os.fspath(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        self.names = _names(session, path)
        if engine == "onnxruntime":
            name = session.get_inputs()[0].name
            self._run = lambda images: session.run(None, {name: images})[0]
        elif engine == "openvino":
            import openvino

            core = openvino.Core()
            fastest = list(hints(core).values())[-1]
            settings = {"INFERENCE_PRECISION_HINT": fastest, "INFERENCE_NUM_THREADS": threads}
            compiled = core.compile_model(self.path, "CPU", settings)
            self._run = lambda images: compiled(images)[0]
        else:
            raise ValueError(f"{engine}: no such engine")

    def raw(self, tensor):
        """uint8 [H, W, 3] RGB -> float32 [4 + classes, anchors]"""
        return self._run(np.ascontiguousarray(tensor.transpose(2, 0, 1)[None], np.float32) / 255)[0]

    def groups(self, wanted):
        """wanted: {class name: group}; returns the group of every class of the model, -1 for what is not wanted. A name
        that the model lacks is an error."""
        absent = sorted(set(wanted) - set(self.names))
        if absent:
            raise ValueError(f"{self.path}: has no class {', '.join(absent)}")
        return np.array([wanted.get(name, -1) for name in self.names])

    def detect(self, tensor, fit, groups, confidence=LOWEST, iou=metrics.IOU_SUPPRESS, every_class=False):
        """Boxes of a letterboxed picture, in pixels of the picture: see decode()."""
        return decode(self.raw(tensor), fit, groups, confidence, iou, every_class)


def decode(output, fit, groups, confidence=LOWEST, iou=metrics.IOU_SUPPRESS, every_class=False):
    """Rows x1, y1, x2, y2, score, group by falling score, as the product's post-processing gives them: an anchor stands
    for its best class alone. With every_class it stands for each class that reaches the confidence, as detectors are
    usually scored. Classes of one group suppress each other.

    output [4 + classes, anchors]; fit: letterbox.Fit; groups: int [classes], -1 for classes to leave out."""
    wanted = output[4:] >= confidence
    if not every_class:
        wanted &= np.arange(len(output) - 4)[:, None] == output[4:].argmax(0)
    anchors, cls = np.nonzero((wanted & (groups >= 0)[:, None]).T)
    scores, group = output[4 + cls, anchors], groups[cls]
    cx, cy, w, h = output[:4, anchors].astype(np.float64)
    boxes = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1)
    kept = metrics.suppress(boxes, group, scores, iou)
    boxes = fit.to_picture(boxes[kept])
    inside = (boxes[:, 2:] > boxes[:, :2]).all(1)  # the rest lay in the padding
    return np.column_stack([boxes, scores[kept], group[kept]])[inside]
