"""Writes the trained weights as the ONNX file that ships: half-precision weights, free batch, height and width.

usage: export.py WEIGHTS.pt OUT.onnx
"""

import argparse
import hashlib
import warnings

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from network import STRIDES, Decoded, Detector, fuse
from shards import CLASSES

OPSET = 17
SMALL = 64  # constants of fewer values stay as they are


def halve(graph):
    """Stores large float32 constants as float16 behind a Cast, which every runtime folds when it loads the model. They
    keep 11 bits, as much as the bfloat16 and int8 arithmetic that they usually feed can tell apart."""
    kept, casts = [], []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < SMALL:
            kept.append(constant)
            continue
        kept.append(numpy_helper.from_array(values.astype(np.float16), constant.name + ".half"))
        casts.append(helper.make_node("Cast", [constant.name + ".half"], [constant.name], name=constant.name + ".cast",
                                      to=onnx.TensorProto.FLOAT))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)


def fingerprint(state):
    """Names these weights, so that a quantised file can be told from one of other weights."""
    digest = hashlib.sha256()
    for name, values in state.items():
        digest.update(name.encode() + values.numpy().tobytes())
    return digest.hexdigest()[:16]


def export(weights, path):
    model = Detector()
    state = torch.load(weights, map_location="cpu")
    model.load_state_dict(state)
    decoded = Decoded(fuse(model.eval())).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and the one that keeps shapes out of graphs
        torch.onnx.export(decoded, (torch.zeros(1, 3, 384, 640),), path, dynamo=False, opset_version=OPSET,
                          input_names=["images"], output_names=["output0"],
                          dynamic_axes={"images": {0: "batch", 2: "height", 3: "width"},
                                        "output0": {0: "batch", 2: "anchors"}})
    onnx_model = onnx.load(path)
    halve(onnx_model.graph)
    helper.set_model_props(onnx_model, {
        "names": str(dict(enumerate(CLASSES))), "task": "detect", "stride": str(max(STRIDES)),
        "description": "its-road: road users seen by traffic cameras; trained on rendered frames only",
        "author": "ITS Camera AI", "license": "Apache-2.0", "version": fingerprint(state)})
    onnx.checker.check_model(onnx_model, full_check=True)
    onnx.save(onnx_model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("out")
    args = parser.parse_args()
    export(args.weights, args.out)


if __name__ == "__main__":
    main()
