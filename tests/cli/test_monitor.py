"""The Latency Monitor as its users meet it: measurements, flight records and their replay, reports held against others.

usage: test_monitor.py PATH-TO-its-camera-ai"""
import concurrent.futures
import contextlib
import http.server
import json
import pathlib
import re
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

from test_cli import NULL, Daemon, run, wait_for

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
        with Daemon(*NULL, "--camera", "gate=null://?fps=1") as daemon:
            for stage in STAGES:
                done = post(daemon, self.PATH, {"camera_id": "gate", "stage": stage, "latency_ms": 250,
                                                "request_id": "r1", "metadata": {"batch_size": 8}})
                self.assertEqual(done, (204, ""), stage)

            def windows():  # once every stage is in them: measured between two ticks or over one
                monitoring = json.loads(daemon.get("/api/v1/performance/metrics"))["latency_monitoring"]
                counts = [monitoring["stages"][stage]["short_window"]["sample_count"] for stage in STAGES]
                return monitoring if all(counts) and monitoring["total_sla_violations"] else None
            monitoring = wait_for(windows, "measurements in the windows")
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


FLOWN = 60


def flown_frames(daemon):
    return int(re.search(r"^its_flight_entries_total (\d+)", daemon.get("/metrics").decode(), re.M)[1])


class Flight(unittest.TestCase):
    def test_what_was_flown_is_replayed(self):
        with tempfile.TemporaryDirectory() as kept:
            with Daemon(*NULL, "--camera", "north=null://?fps=40", "--camera", "south=null://?fps=20") as daemon:
                wait_for(lambda: flown_frames(daemon) >= FLOWN, "frames in the flight recorder")
                status, body = post(daemon, "/api/v1/performance/flight", {"why": "a test"})
                self.assertEqual(status, 201, body)
                record = pathlib.Path(json.loads(body)["path"])
                flown = pathlib.Path(kept) / "flown.flight"
                flown.write_bytes(record.read_bytes())
            with concurrent.futures.ThreadPoolExecutor() as pool:
                done, table = pool.map(lambda form: run("performance", "benchmark", *NULL, "--replay", flown,
                                                        "--format", form, "--set", f"data_dir={kept}/{form}"),
                                       ("json", "table"))
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertEqual(report["streams"], 2)
            self.assertGreaterEqual(report["recorded"]["frames"], FLOWN)
            self.assertEqual(report["frames_expected"], report["recorded"]["frames"])
            self.assertTrue(report["ledger_balanced"])
            self.assertRegex(table.stdout, r"recorded: \d+ frames")
            one = run("performance", "benchmark", *NULL, "--replay", flown, "--streams", 1, "--format", "json", "--set",
                      f"data_dir={kept}")
            part = json.loads(one.stdout)
            self.assertEqual(part["streams"], 1)
            self.assertEqual(part["frames_expected"], part["recorded"]["frames"])
            self.assertLess(part["frames_expected"], report["frames_expected"])

    def test_what_is_switched_off_is_no_failure_of_the_server(self):
        with Daemon(*NULL, "--set", "monitor.flight_recorder_seconds=0") as daemon:
            status, body = post(daemon, "/api/v1/performance/flight", {})
            self.assertEqual(status, 409, body)
            self.assertIn("flight_recorder_seconds", body)

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


class Measuring:
    """Benchmarks that take their time, most of it waiting: they run beside the other tests. A comparison needs 20
    batches of a second; the baseline's are those of two seconds, over and over."""
    LEAST_BATCHES = 20

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.pool = concurrent.futures.ThreadPoolExecutor()
        self.compared = self.pool.submit(self.compare)

    def close(self):
        self.pool.shutdown()
        self.folder.cleanup()

    def measure(self, seconds, *args):
        name = "-".join(pathlib.Path(str(a)).stem for a in args) or "first"
        return run("performance", "benchmark", *NULL, "--null-ms", 10, "--streams", 2, "--source", "null://?fps=25",
                   "--duration", seconds, "--warmup", 0.5, "--set", f"data_dir={self.folder.name}/{name}", "--format",
                   "json", *args, timeout=120)

    def compare(self):
        """The benchmark held against one alike and against one with an engine that was half as quick again."""
        first = self.measure(2.6)
        if first.returncode != 0:
            raise AssertionError(first.stderr)
        report = json.loads(first.stdout)
        repeat(report["run"], self.LEAST_BATCHES)
        same, quicker = pathlib.Path(self.folder.name, "same.json"), pathlib.Path(self.folder.name, "quicker.json")
        same.write_text(json.dumps(report))
        stage = report["run"]["stages"]["ml_inference"]
        stage["service_us"] = [us and us / 1.5 for us in stage["service_us"]]
        quicker.write_text(json.dumps(report))
        return list(self.pool.map(lambda path: self.measure(21.5, "--baseline", path), (same, quicker)))


def repeat(run, least):
    """Lengthens a run until it has so many batches."""
    times = -(-least // len(run["frames"]))
    run["frames"] *= times
    for stage in run["stages"].values():
        for key in stage:
            stage[key] *= times


def setUpModule():
    global measuring
    measuring = Measuring()


def tearDownModule():
    measuring.close()


class Reports(unittest.TestCase):
    """Last by its name: what it waits for is measured meanwhile."""

    def test_a_slower_stage_is_named(self):
        alike, slower = measuring.compared.result()
        comparison = json.loads(slower.stdout)["comparison"]
        self.assertEqual(comparison["verdict"], "slower")
        self.assertEqual(comparison["stage"], "ml_inference")
        self.assertEqual(slower.returncode, 1)
        inference = json.loads(alike.stdout)["comparison"]["stages"]["ml_inference"]["service"]
        self.assertIn(inference["verdict"], ("same", "faster"), inference)

    def test_no_verdict_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder, "short.json")
            args = ["performance", "benchmark", *NULL, "--source", "null://?fps=25", "--duration", 1, "--warmup", 0,
                    "--set", f"data_dir={folder}"]
            self.assertEqual(run(*args, "--output", report).returncode, 0)
            held = run(*args, "--baseline", report)
            self.assertEqual(held.returncode, 1)
            self.assertIn("no verdict: too few batches", held.stdout)

    def test_what_is_no_report_is_refused_by_name(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("{}")
            file.flush()
            for path in (file.name, "/nowhere.json"):
                done = run("performance", "benchmark", *NULL, "--baseline", path)
                self.assertEqual(done.returncode, 2)
                self.assertIn(path, done.stderr)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Notes who calls, and what is said."""

    def do_POST(self):
        self.server.calls.append(self.path)
        self.server.said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.calls, server.said = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Overload(unittest.TestCase):
    def test_a_measurement_alarms_nobody(self):
        with receiver() as (server, url):
            with tempfile.TemporaryDirectory() as folder:
                done = run("performance", "benchmark", *NULL, "--null-ms", 60, "--streams", 2, "--source", "null://?fps=50",
                           "--duration", 8, "--warmup", 1, "--set", f"data_dir={folder}",
                           "--set", f"alert_webhook_url={url}/hook", "--set", f"monitor.alertmanager_url={url}")
                self.assertFalse(pathlib.Path(folder, "flight").exists())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(server.calls, [])

    def test_what_fires_at_the_daemons_end_is_cleared(self):
        with receiver() as (server, url):
            with Daemon(*NULL, "--set", "latency_monitoring.monitoring_window_seconds=2", "--set",
                        "latency_monitoring.alert_window_seconds=4", "--set", "target_latency_ms=0.001", "--set",
                        f"alert_webhook_url={url}/hook", "--camera", "gate=null://?fps=50") as daemon:
                wait_for(lambda: server.said, "an alert", 30)
                self.assertEqual(daemon.stop()[0], 0)
            states = {}
            for alert in (alert for said in server.said for alert in said["alerts"]):
                states[alert["fingerprint"]] = (alert["status"], alert["reason"])
            self.assertEqual(set(states.values()), {("resolved", "stopped")})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
