#!/usr/bin/env python3
"""Post-training quantisation of a model to int8 (NNCF; QDQ nodes in the ONNX file), calibrated on rendered frames.

usage: quantize.py MODEL OUT --frames DIR [--count 300] [--size WxH ...]

Names, types and free sides of input and output stay as they are, metadata too. The last convolutions stay in float
(small layers: the time is the same, and half a percent of mAP50 stays), and so does what follows them: boxes of 0..1000
joined with scores of 0..1 are no place for 8 bits.
"""

import argparse

import numpy as np
import onnx
from onnx import numpy_helper

from evaluate_rendered import Frames
from sizes import LEVELS, parse_size


def makers(graph):
    """{name of a value: the node that makes it}"""
    return {name: node for node in graph.node for name in node.output}


def constants(graph):
    """{name: initializer}"""
    return {constant.name: constant for constant in graph.initializer}


def widen(graph):
    """Float16 constants behind a Cast become float32 constants, which the quantiser knows as weights."""
    stored, kept = constants(graph), []
    for node in graph.node:
        if node.op_type != "Cast" or node.input[0] not in stored:
            kept.append(node)
            continue
        half = stored[node.input[0]]
        values = numpy_helper.to_array(half).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        graph.initializer.remove(half)
    del graph.node[:]
    graph.node.extend(kept)


def name_nodes(graph):
    """Gives every node without a name one of its own: the quantiser speaks of nodes by name."""
    taken = {node.name for node in graph.node}
    for i, node in enumerate(graph.node):
        if not node.name:
            node.name = f"{node.op_type}_{i}"
            while node.name in taken:
                node.name += "_"
            taken.add(node.name)


def tail(graph):
    """Names of the last convolutions and of all nodes between them and the outputs. A convolution with a bias is a
    layer of the network; one without may be the expectation over a box's distribution, as some exporters write it. The
    shape of a feature map is no value of it, so the walk back ends there too."""
    made_by = makers(graph)
    found, open_ends = set(), [output.name for output in graph.output]
    while open_ends:
        node = made_by.get(open_ends.pop())
        if node is None or node.name in found or node.op_type == "Shape":
            continue
        found.add(node.name)
        if node.op_type != "Conv" or len(node.input) < 3:
            open_ends += node.input
    return found


def make_unsigned(graph):
    """Activations of int8 become the same ones of uint8: value and zero point 128 higher. With int8 ones OpenVINO
    2026.4.1 went wrong on a processor with AVX-512 VNNI (scores of 0.88 came out as 0.04); with uint8 ones it agrees
    with ONNX Runtime."""
    stored = constants(graph)
    for node in graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear") or node.input[0] in stored:
            continue  # the rest are weights
        zero = stored[node.input[2]]
        if zero.data_type == onnx.TensorProto.INT8:
            values = numpy_helper.to_array(zero).astype(np.int16) + 128
            zero.CopyFrom(numpy_helper.from_array(values.astype(np.uint8), zero.name))
    del graph.value_info[:]  # notes on types inside the graph, which readers infer


def quantize(model, pictures):
    """model: onnx.ModelProto, changed into a form fit for it; pictures: list of float32 [1, 3, H, W].
    Returns the quantised ModelProto."""
    import nncf

    widen(model.graph)
    name_nodes(model.graph)
    name = model.graph.input[0].name
    dataset = nncf.Dataset(pictures, lambda picture: {name: picture})
    # Weights per channel and symmetric, activations with a zero point: SiLU gives little below zero and much above it.
    quantised = nncf.quantize(model, dataset, preset=nncf.QuantizationPreset.MIXED, subset_size=len(pictures),
                              ignored_scope=nncf.IgnoredScope(names=sorted(tail(model.graph)), validate=False))
    make_unsigned(quantised.graph)
    onnx.checker.check_model(quantised, full_check=True)
    return quantised


def calibration(folder, count, sizes):
    """`count` pictures for quantize(), spread over the folder's frames, the sizes in turn."""
    return [np.ascontiguousarray(tensor.transpose(2, 0, 1)[None], np.float32) / 255
            for tensor, _, _ in Frames(folder, count).tensors(sizes)]


def interface(model):
    """What quantisation must leave alone: inputs, outputs, metadata."""
    ends = [value.SerializeToString() for value in (*model.graph.input, *model.graph.output)]
    return ends, {entry.key: entry.value for entry in model.metadata_props}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--frames", required=True, help="folder of *.frames: training ones, not those held out")
    parser.add_argument("--count", type=int, default=300, help="pictures to calibrate on")
    parser.add_argument("--size", type=parse_size, nargs="+", default=list(LEVELS.values()),
                        help="sizes to calibrate at, in turn (those of the quality levels)")
    given = parser.parse_args()
    model = onnx.load(given.model)
    before = interface(model)
    quantised = quantize(model, calibration(given.frames, given.count, given.size))
    if interface(quantised) != before:
        raise SystemExit(f"{given.model}: quantisation changed its inputs, outputs or metadata")
    onnx.save(quantised, given.out)
    kinds = [node.op_type for node in quantised.graph.node]
    print(f"{given.out}: {kinds.count('Conv')} convolutions, {kinds.count('QuantizeLinear')} quantised activations")


if __name__ == "__main__":
    main()
