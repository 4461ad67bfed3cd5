"""The Latency Monitor as its users meet it: measurements, flight records and their replay, reports held against others.

usage: test_monitor.py PATH-TO-its-camera-ai"""
import concurrent.futures
import json
import pathlib
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from test_cli import NULL, Daemon, run

STAGES = ("camera_capture", "preprocessing", "ml_inference", "postprocessing", "encoding", "network_transmission",
          "client_rendering", "end_to_end")


def post(daemon, path, body):
    """Status and body of the answer."""
    request = urllib.request.Request(daemon.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Measurements(unittest.TestCase):
    PATH = "/api/v1/performance/measurements"

    def test_they_land_in_the_windows(self):
        with Daemon(*NULL, "--camera", "gate=null://?fps=20") as daemon:
            for stage in STAGES:
                done = post(daemon, self.PATH, {"camera_id": "gate", "stage": stage, "latency_ms": 250,
                                                "request_id": "r1", "metadata": {"batch_size": 8}})
                self.assertEqual(done, (204, ""), stage)
            time.sleep(2.5)  # two ticks
            monitoring = json.loads(daemon.get("/api/v1/performance/metrics"))["latency_monitoring"]
            for stage in STAGES:
                for window in ("short_window", "medium_window", "long_window"):
                    figures = monitoring["stages"][stage][window]
                    self.assertGreaterEqual(figures["sample_count"], 1, stage)
                    self.assertAlmostEqual(figures["max_latency_ms"], 250, delta=0.2)
            encoding = monitoring["stages"]["encoding"]["short_window"]
            self.assertEqual(encoding["sample_count"], 1)
            self.assertEqual(encoding["sla_violation_rate"], 1)  # its budget is 10 ms
            self.assertEqual(monitoring["total_sla_violations"], 1)  # the end-to-end one
            self.assertAlmostEqual(monitoring["cameras"]["gate"]["short_window"]["max_latency_ms"], 250, delta=3)
            self.assertEqual(monitoring["stages"]["end_to_end"]["long_window"]["window_seconds"], 3600)

    def test_mistakes_are_named(self):
        good = {"camera_id": "gate", "stage": "encoding", "latency_ms": 1}
        with Daemon(*NULL, "--camera", "gate=null://?fps=5") as daemon:
            for change, status, words in (({"stage": "parking"}, 400, "parking"), ({"camera_id": "nobody"}, 404, "nobody"),
                                          ({"latency_ms": -1}, 400, "latency_ms"), ({"latency_ms": "1"}, 400, "latency_ms"),
                                          ({"latency_ms": None}, 400, "latency_ms"), ({"extra": 1}, 400, "extra")):
                done = post(daemon, self.PATH, {**good, **change})
                self.assertEqual(done[0], status, done)
                self.assertIn(words, done[1])


class Flight(unittest.TestCase):
    def test_what_was_flown_is_replayed(self):
        with tempfile.TemporaryDirectory() as kept:
            with Daemon(*NULL, "--camera", "north=null://?fps=40", "--camera", "south=null://?fps=20") as daemon:
                time.sleep(2)
                status, body = post(daemon, "/api/v1/performance/flight", {"why": "a test"})
                self.assertEqual(status, 201, body)
                record = pathlib.Path(json.loads(body)["path"])
                flown = pathlib.Path(kept) / "flown.flight"
                flown.write_bytes(record.read_bytes())
            done = run("performance", "benchmark", *NULL, "--replay", flown, "--format", "json", "--set", f"data_dir={kept}")
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertEqual(report["streams"], 2)
            self.assertGreater(report["recorded"]["frames"], 90)
            self.assertEqual(report["frames_expected"], report["recorded"]["frames"])
            self.assertTrue(report["ledger_balanced"])
            table = run("performance", "benchmark", *NULL, "--replay", flown, "--set", f"data_dir={kept}")
            self.assertRegex(table.stdout, r"recorded: \d+ frames")
            one = run("performance", "benchmark", *NULL, "--replay", flown, "--streams", 1, "--format", "json", "--set",
                      f"data_dir={kept}")
            part = json.loads(one.stdout)
            self.assertEqual(part["streams"], 1)
            self.assertEqual(part["frames_expected"], part["recorded"]["frames"])
            self.assertLess(part["frames_expected"], report["frames_expected"])

    def test_what_is_no_record_is_refused_by_name(self):
        with tempfile.NamedTemporaryFile(suffix=".flight") as file:
            file.write(b"hello, this is no record")
            file.flush()
            for args in (["--replay", file.name], ["--replay", "/nowhere.flight"]):
                done = run("performance", "benchmark", *NULL, *args)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(args[1], done.stderr)
            both = run("performance", "benchmark", *NULL, "--replay", file.name, "--source", "null://")
            self.assertEqual(both.returncode, 2)


class Baseline(unittest.TestCase):
    """A comparison needs 20 batches of a second."""

    def measure(self, folder, *args):
        name = "-".join(pathlib.Path(str(a)).stem for a in args) or "first"
        return run("performance", "benchmark", *NULL, "--null-ms", 4, "--streams", 2, "--source", "null://?fps=25",
                   "--duration", 21.5, "--warmup", 0.5, "--set", f"data_dir={folder}/{name}", "--format", "json", *args,
                   timeout=120)

    def test_a_slower_stage_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            first = self.measure(folder)
            self.assertEqual(first.returncode, 0, first.stderr)
            same, quicker = pathlib.Path(folder, "same.json"), pathlib.Path(folder, "quicker.json")
            same.write_text(first.stdout)
            earlier = json.loads(first.stdout)
            stage = earlier["run"]["stages"]["ml_inference"]
            stage["service_us"] = [us and us / 1.5 for us in stage["service_us"]]
            quicker.write_text(json.dumps(earlier))
            with concurrent.futures.ThreadPoolExecutor() as pool:
                alike, slower = pool.map(lambda path: self.measure(folder, "--baseline", path), (same, quicker))
            comparison = json.loads(slower.stdout)["comparison"]
            self.assertEqual(comparison["verdict"], "slower")
            self.assertEqual(comparison["stage"], "ml_inference")
            self.assertEqual(slower.returncode, 1)
            inference = json.loads(alike.stdout)["comparison"]["stages"]["ml_inference"]["service"]
            self.assertNotEqual(inference["verdict"], "slower", inference)

    def test_what_is_no_report_is_refused_by_name(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("{}")
            file.flush()
            for path in (file.name, "/nowhere.json"):
                done = run("performance", "benchmark", *NULL, "--baseline", path)
                self.assertEqual(done.returncode, 2)
                self.assertIn(path, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
