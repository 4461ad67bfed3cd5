"""The steps around the quantiser, on graphs of a few nodes. Needs onnx, which the test environment may lack: then it
says so and exits 77."""

import pathlib
import sys
import unittest

import numpy as np
import onnxruntime

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    print("skipped: onnx is not installed")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "train"))

import quantize  # noqa: E402


def build(nodes, constants, out_shape):
    """A model images [1, 2, 1, 2] -> output0."""
    graph = helper.make_graph(
        [helper.make_node(op, inputs, outputs, name=name, **given) for name, op, inputs, outputs, given in nodes],
        "test",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 2, 1, 2])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, out_shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model, images):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images})[0]


class Steps(unittest.TestCase):
    images = np.array([[[[-1.0, 0.3]], [[2.0, 0.7]]]], np.float32)

    def detector(self):
        """Convolution with bias, SiLU, convolution with bias, softmax, convolution without (expectation), sigmoid."""
        weights = np.arange(4, dtype=np.float16).reshape(2, 2, 1, 1)
        return build([("widen", "Cast", ["half"], ["weights"], {"to": TensorProto.FLOAT}),
                      ("first", "Conv", ["images", "weights", "bias"], ["a"], {}),
                      ("gate", "Sigmoid", ["a"], ["b"], {}),
                      ("silu", "Mul", ["a", "b"], ["c"], {}),
                      ("last", "Conv", ["c", "weights", "bias"], ["d"], {}),
                      ("", "Softmax", ["d"], ["e"], {"axis": 1}),
                      ("expect", "Conv", ["e", "bins"], ["f"], {}),
                      ("", "Sigmoid", ["f"], ["output0"], {})],
                     {"half": weights, "bias": np.array([0.5, -0.5], np.float32),
                      "bins": np.array([0, 1], np.float32).reshape(1, 2, 1, 1)}, [1, 1, 1, 2])

    def test_tail_begins_at_the_last_convolution_with_a_bias(self):
        graph = self.detector().graph
        quantize.name_nodes(graph)
        self.assertEqual(quantize.tail(graph), {"last", "Softmax_5", "expect", "Sigmoid_7"})

    def test_names_are_unique(self):
        graph = self.detector().graph
        graph.node[1].name = "Softmax_5"
        quantize.name_nodes(graph)
        names = [node.name for node in graph.node]
        self.assertEqual(len(set(names)), len(names))
        self.assertNotIn("", names)

    def test_widening_changes_no_value(self):
        model = self.detector()
        want = run(model, self.images)
        quantize.widen(model.graph)
        onnx.checker.check_model(model, full_check=True)
        self.assertNotIn("Cast", [node.op_type for node in model.graph.node])
        np.testing.assert_array_equal(run(model, self.images), want)

    def test_unsigned_activations_mean_the_same(self):
        model = build([("q", "QuantizeLinear", ["images", "scale", "zero"], ["q"], {}),
                       ("dq", "DequantizeLinear", ["q", "scale", "zero"], ["a"], {}),
                       ("wdq", "DequantizeLinear", ["w", "wscale", "wzero"], ["weights"], {"axis": 0}),
                       ("conv", "Conv", ["a", "weights", "bias"], ["output0"], {})],
                      {"scale": np.float32(0.01), "zero": np.int8(-100), "w": np.full((1, 2, 1, 1), -7, np.int8),
                       "wscale": np.array([0.5], np.float32), "wzero": np.array([0], np.int8),
                       "bias": np.array([1], np.float32)}, [1, 1, 1, 2])
        model.graph.value_info.append(helper.make_tensor_value_info("q", TensorProto.INT8, [1, 2, 1, 2]))
        want = run(model, self.images)
        # -1 is cut at (-128 + 100) / 100 = -0.28: 1 - 3.5 * (-0.28 + 2.0) and 1 - 3.5 * (0.3 + 0.7)
        np.testing.assert_allclose(want.ravel(), [-5.02, -2.5], rtol=1e-5)
        quantize.make_unsigned(model.graph)
        onnx.checker.check_model(model, full_check=True)
        kinds = {c.name: c.data_type for c in model.graph.initializer}
        self.assertEqual((kinds["zero"], kinds["wzero"]), (TensorProto.UINT8, TensorProto.INT8))
        np.testing.assert_array_equal(run(model, self.images), want)


if __name__ == "__main__":
    unittest.main()
