"""The shipped model as an installation has it: its contract, where the program finds it, and how well it detects.

usage: shipped_test.py PATH-TO-its-camera-ai BUILD-FOLDER"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BINARY = os.path.abspath(sys.argv[1])
BUILD = os.path.abspath(sys.argv[2])
MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"

CLASSES = ["car", "truck", "bus", "motorcycle", "bicycle", "person"]
MOST_BYTES = 6_000_000

# Scenes of their own, and what must be found on each: precision and recall at IoU 0.5 of cars, trucks and buses together,
# at the default confidence.
SCENES = {
    "crossroads by day": "synth://crossroads?size=960x540&fps=25&seconds=4&seed=90210",
    "motorway under clouds": "synth://motorway?size=960x540&fps=25&seconds=4&seed=90211&weather=cloudy",
}
LEAST_PRECISION = 0.8
LEAST_RECALL = 0.75


PLAIN = ("--set", "adaptive_quality.enable_adaptive_quality=false")  # the model at its own size, and no other compiled


def run(binary, *args):
    """Standard output of a command that must succeed."""
    done = subprocess.run([binary, *map(str, args)], capture_output=True, text=True, timeout=180)
    if done.returncode != 0:
        raise AssertionError(f"{args}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def benchmark(binary, source, *args, seconds=1):
    """The report of a run so long in which every frame of the source is analysed, however slow the machine."""
    with tempfile.TemporaryDirectory() as folder:
        return json.loads(run(binary, "performance", "benchmark", "--streams", 1, "--duration", seconds, "--warmup", 0.5,
                              "--source", f"{source}&pace=off", "--set", f"data_dir={folder}", "--format", "json", *PLAIN,
                              *args))


class Contract(unittest.TestCase):
    def check(self, path):
        info = json.loads(run(BINARY, "model", "info", path, "--format", "json"))
        self.assertLessEqual(info["file_bytes"], MOST_BYTES)
        self.assertTrue(info["has_names"])
        self.assertEqual(info["classes"], CLASSES)
        self.assertEqual(info["input"], {"name": "images", "shape": [None, 3, None, None]})
        self.assertEqual(info["output"]["name"], "output0")
        self.assertEqual(info["output"]["shape"][:2], [None, 4 + len(CLASSES)])
        self.assertEqual((info["width"], info["height"]), (640, 384))
        self.assertTrue(info["license"])
        self.assertTrue(info["version"])
        openvino = next(b for b in info["backends"] if b["name"] == "openvino")
        self.assertTrue(openvino["runs"], openvino["reason"])
        return info, openvino

    def test_the_model(self):
        info, openvino = self.check(MODELS / "its-road.onnx")
        self.assertFalse(info["quantized"])
        has_int8 = (MODELS / "its-road-int8.onnx").exists()
        self.assertEqual("int8" in openvino["precisions"], has_int8)
        runs_int8 = openvino["auto_precision"] == "int8"
        self.assertEqual(openvino["auto_file"], "its-road-int8.onnx" if runs_int8 else "its-road.onnx")

    def test_an_int8_version_keeps_it(self):
        """There is one only if it is worth having."""
        path = MODELS / "its-road-int8.onnx"
        if path.exists():
            info, _ = self.check(path)
            self.assertTrue(info["quantized"])
            self.assertEqual(info["version"], self.check(MODELS / "its-road.onnx")[0]["version"])


class Detection(unittest.TestCase):
    def test_vehicles_are_found(self):
        for name, source in SCENES.items():
            with self.subTest(name):
                report = benchmark(BINARY, source, seconds=4)
                self.assertTrue(report["model"].startswith("its-road"), report["model"])
                detection = report["detection"]
                print(name, report["precision"], detection)
                self.assertEqual(list(detection["classes"]), CLASSES)
                self.assertGreater(detection["frames"], 10)
                vehicles = detection["vehicles"]
                self.assertGreater(vehicles["truth"], 10)
                self.assertGreaterEqual(vehicles["precision"], LEAST_PRECISION)
                self.assertGreaterEqual(vehicles["recall"], LEAST_RECALL)

    def test_the_table_says_it_too(self):
        with tempfile.TemporaryDirectory() as folder:
            table = run(BINARY, "performance", "benchmark", "--streams", 1, "--duration", 0.5, "--warmup", 0.2, "--source",
                        "synth://street?size=320x192&fps=25&seconds=1&pace=off", "--set", f"data_dir={folder}", *PLAIN)
        self.assertRegex(table, r"precision +recall")
        self.assertRegex(table, r"(?m)^ +vehicles ")

    def test_without_truth_nothing_is_said(self):
        report = benchmark(BINARY, "null://?fps=25")
        self.assertIsNone(report["detection"])


class Installed(unittest.TestCase):
    def test_the_program_finds_it_and_one_option_replaces_it(self):
        with tempfile.TemporaryDirectory() as prefix:
            run("cmake", "--install", BUILD, "--prefix", prefix)
            binary = str(pathlib.Path(prefix) / "bin/its-camera-ai")
            about = json.loads(run(binary, "config", "explain", "model", "--format", "json"))
            self.assertEqual(about["in_force"], os.path.realpath(f"{prefix}/share/its-camera-ai/models/its-road.onnx"))
            report = benchmark(binary, "synth://street?size=320x192&fps=25&seconds=1")
            self.assertTrue(report["model"].startswith("its-road"), report["model"])
            os.rename(about["in_force"], f"{prefix}/another.onnx")
            report = benchmark(binary, "synth://street?size=320x192&fps=25&seconds=1", "--model", f"{prefix}/another.onnx")
            self.assertEqual(report["model"], "another.onnx")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
