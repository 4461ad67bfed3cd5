"""The binary as its users meet it: commands, mistakes, exit codes, the daemon's life.

usage: test_cli.py PATH-TO-its-camera-ai"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARY = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[2]
ROAD = "synth://motorway?size=640x384&fps=25&seconds=4&seed=5"
NULL = ["--set", "backend=null"]
PLAIN = ["--set", "adaptive_quality.enable_adaptive_quality=false"]  # full quality, however full the machine is


def run(*args, **kw):
    kw.setdefault("timeout", 60)
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, **kw)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, what, seconds=20):
    """The condition's value, once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return value


class Daemon:
    """A daemon on a free port, stopped at the end of the block."""

    def __init__(self, *args, cwd=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.dir = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.dir.name, *map(str, args)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)

    def __enter__(self):
        deadline = time.monotonic() + 90  # an engine of all input sizes is compiled, on a machine that others use too
        while time.monotonic() < deadline:
            try:
                self.get("/api/v1/health/ready")
                return self
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    raise AssertionError("the daemon ended: " + self.process.stderr.read())
                time.sleep(0.05)
        raise AssertionError("the daemon did not become ready")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()
        self.process.stderr.close()
        self.dir.cleanup()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


class Mistakes(unittest.TestCase):
    """Each is exit code 2 (or 1) and one line that names the thing."""

    def refused(self, code, words, *args, **kw):
        done = run(*args, **kw)
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_no_and_unknown_command(self):
        self.refused(2, ["usage"], )
        self.refused(2, ["'sevre'"], "sevre")

    def test_unknown_option(self):
        self.refused(2, ["gpu.batch_timeout", "gpu.batch_timeout_ms"], "serve", *NULL, "--set", "gpu.batch_timeout=5")
        self.refused(2, ["--frobnicate"], "serve", "--frobnicate")

    def test_bad_value_names_range(self):
        self.refused(2, ["jpeg_quality", "0", "100"], "serve", *NULL, "--set", "server.jpeg_quality=0")
        self.refused(2, ["--batcher", "deadline", "fixed"], "performance", "benchmark", *NULL, "--batcher", "fast")
        self.refused(2, ["batcher", "deadline", "fixed"], "serve", *NULL, "--batcher", "fast")

    def test_no_model(self):
        """A program that the shipped model was not installed with."""
        with tempfile.TemporaryDirectory() as folder:
            lonely = shutil.copy(BINARY, folder)
            done = subprocess.run([lonely, "serve"], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2)
        for words in ("its-road.onnx", "--model", "backend=null"):
            self.assertIn(words, done.stderr)

    def test_missing_model(self):
        self.refused(2, ["/nowhere/x.onnx"], "serve", "--model", "/nowhere/x.onnx")

    def test_model_that_is_text(self):
        with tempfile.NamedTemporaryFile("w", suffix=".onnx") as file:
            file.write("not a model\n" * 100)
            file.flush()
            self.refused(2, [file.name], "serve", "--model", file.name)

    def test_port_in_use(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            port = s.getsockname()[1]
            self.refused(1, [f"127.0.0.1:{port}", "in use"], "serve", *NULL, "--listen", f"127.0.0.1:{port}")

    def test_beyond_loopback_needs_a_token(self):
        self.refused(2, ["token"], "serve", *NULL, "--listen", f"0.0.0.0:{free_port()}")

    def test_bad_quality(self):
        camera = ["camera", "quality"]
        self.refused(2, ["--pin", "hihg", "ultra_low", "none"], *camera, "gate", "--pin", "hihg")
        self.refused(2, ["--boost", "best"], *camera, "gate", "--boost", "best", "--seconds", 5)
        self.refused(2, ["--boost", "--seconds"], *camera, "gate", "--boost", "high")
        self.refused(2, ["--seconds"], *camera, "gate", "--seconds", 5)
        self.refused(2, ["--seconds"], *camera, "gate", "--boost", "high", "--seconds", 100000)
        self.refused(2, ["camera id"], *camera, "../x", "--pin", "low")
        self.refused(2, ["a pin goes before a boost"], *camera, "gate", "--pin", "low", "--boost", "high", "--seconds", 5)

    def test_bad_camera(self):
        self.refused(2, ["gopher"], "serve", *NULL, "--listen", f"127.0.0.1:{free_port()}", "--camera", "gopher://x/")

    def test_config_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"strategy": "balanced",\n "gpu": {"batch_timeout_ms": }}')
            file.flush()
            self.refused(2, [file.name, "2"], "config", "validate", file.name)
        self.refused(2, ["/nowhere.json"], "serve", "--config", "/nowhere.json")

    def test_benchmark_source_missing(self):
        self.refused(2, ["/nowhere.mp4", "No such file"], "performance", "benchmark", *NULL, "--streams", 1,
                     "--duration", 1, "--source", "/nowhere.mp4", timeout=20)  # at once, not after a long wait

    def test_sources_that_are_no_video(self):
        with tempfile.TemporaryDirectory() as folder:
            text = pathlib.Path(folder) / "text.mp4"
            text.write_text("this is not a video\n" * 50)
            self.refused(2, [str(text)], "performance", "benchmark", *NULL, "--streams", 1, "--duration", 1, "--source",
                         text, timeout=20)
            self.refused(2, [str(text)], "camera", "probe", text, "--seconds", 1, timeout=20)
            probe = run("camera", "probe", f"rtsp://u:s3cr3t@127.0.0.1:{free_port()}/x", "--seconds", 1)
            self.assertEqual(probe.returncode, 1)
            self.assertNotIn("s3cr3t", probe.stderr)
            self.assertIn("refused", probe.stderr.lower())


class Help(unittest.TestCase):
    def test_every_command_and_option(self):
        for command in ("serve", "camera", "model", "config", "performance"):
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"its-camera-ai {command}", done.stdout)
        options = run("serve", "--help").stdout
        documented = (ROOT / "docs/configuration.md").read_text()
        keys = re.findall(r"--set (\S+)=\.\.\.", options)
        self.assertGreater(len(keys), 100)
        for key in keys:
            self.assertIn(key.split(".")[-1], documented)
        self.assertEqual(run("--version").stdout.split()[0], "its-camera-ai")

    def test_the_readme_names_what_a_road_takes(self):
        """Scenes, keys and words of keys, as the refusal of a wrong one lists them."""
        readme = (ROOT / "README.md").read_text()
        table = re.search(r"a rendered road.*?pace`", readme, re.DOTALL).group()
        for url, least in (("synth://x", 6), ("synth://street?x=1", 14), ("synth://street?weather=x", 4),
                           ("synth://street?light=x", 4), ("synth://street?view=x", 7)):
            words = run("camera", "probe", url).stderr.split("allowed are ")[1].strip().split(", ")
            self.assertGreaterEqual(len(words), least, url)
            for word in words:
                self.assertRegex(table, rf"\b{word}\b", url)


class Status(unittest.TestCase):
    def test_without_a_daemon(self):
        url = f"http://127.0.0.1:{free_port()}"
        done = run("performance", "status", "--format", "json", "--url", url)
        self.assertEqual(done.returncode, 3)
        document = json.loads(done.stdout)
        self.assertIs(document["running"], False)
        self.assertEqual(run("camera", "list", "--url", url).returncode, 3)
        with Daemon(*NULL) as daemon:
            running = run("performance", "status", "--format", "json", "--url", daemon.url)
            self.assertEqual(running.returncode, 0, running.stderr)
            self.assertEqual(set(json.loads(running.stdout)), set(document))
            self.assertIs(json.loads(running.stdout)["running"], True)


class Monitor(unittest.TestCase):
    STAGES = ["camera_capture", "preprocessing", "ml_inference", "postprocessing", "encoding", "network_transmission"]

    def monitor(self, url, *args, **kw):
        return run("performance", "monitor", "--url", url, *args, **kw)

    def wait_for_books(self, daemon, cameras, frames):
        """Until all cameras run and the books, looked at every second, have so many frames."""
        def document():
            done = self.monitor(daemon.url, "--duration", 0.1, "--format", "json")
            lines = done.stdout.splitlines()
            return json.loads(lines[-1]) if done.returncode == 0 and lines else None

        def looked_at():
            now = document()
            return (now and now["cameras_running"] == cameras and (now["end_to_end_ms"]["count"] or 0) > frames
                    and now["slo"]["short_window"]["frames_due"])
        wait_for(looked_at, "frames in the books")

    def test_without_a_daemon(self):
        done = self.monitor(f"http://127.0.0.1:{free_port()}", "--interval", 0.1, "--duration", 5)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("no daemon answers", done.stderr)

    def test_mistakes(self):
        for args, words in ((["--interval", "0"], "0.1 to 3600"), (["--interval", "soon"], "soon"),
                            (["--duration", "-1"], "0.1 to 86400"), (["--format", "xml"], "xml")):
            done = self.monitor("http://127.0.0.1:1", *args)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)

    def test_a_line_every_interval(self):
        with Daemon(*NULL, "--camera", "a=null://?fps=50", "--camera", "b=null://?fps=25") as daemon:
            self.wait_for_books(daemon, 2, 50)
            done = self.monitor(daemon.url, "--interval", 0.5, "--duration", 1.25)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = [line for line in done.stdout.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)]
            self.assertEqual(len(lines), 3, done.stdout)
            for word in ("SLA 100", "cameras", "p99", "capture<20", "infer<50", "network<20"):
                self.assertIn(word, done.stdout)
            for line in lines:
                cells = line.split()
                self.assertEqual((cells[1], len(cells)), ("2/2", 14), line)
                self.assertTrue(all(re.fullmatch(r"[\d.]+\+[\d.]+!?", cell) for cell in cells[8:12]), line)
                self.assertEqual(cells[12], "-", "nothing was encoded")

    def test_the_first_second_has_no_window_yet(self):
        with Daemon(*NULL) as daemon:
            done = self.monitor(daemon.url, "--duration", 0.1)
            self.assertRegex(done.stdout, "ms over the (first second|last 60 s), SLA 100")

    def test_one_document_a_line(self):
        with Daemon(*NULL, "--camera", "a=null://?fps=50") as daemon:
            self.wait_for_books(daemon, 1, 60)
            done = self.monitor(daemon.url, "--interval", 0.4, "--duration", 1, "--format", "json")
            self.assertEqual(done.returncode, 0, done.stderr)
            documents = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual(len(documents), 3)
            for document in documents:
                self.assertEqual((document["cameras"], document["cameras_running"]), (1, 1))
                self.assertGreater(document["end_to_end_ms"]["count"], 50)
                self.assertLessEqual(document["end_to_end_ms"]["p50"], document["end_to_end_ms"]["p99"])
                self.assertEqual(list(document["stages"]), self.STAGES)
                self.assertGreater(document["slo"]["short_window"]["frames_due"], 0)
                self.assertIsInstance(document["alerts"], list)
            times = [document["time"] for document in documents]
            self.assertEqual(times, sorted(set(times)))

    def test_interrupt_and_the_daemons_end(self):
        with Daemon(*NULL) as daemon:
            watch = subprocess.Popen([BINARY, "performance", "monitor", "--url", daemon.url, "--interval", "30"],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while not watch.stdout.readline().startswith("    time"):
                pass
            watch.stdout.readline()
            watch.send_signal(signal.SIGINT)
            _, err = watch.communicate(timeout=5)
            self.assertEqual((watch.returncode, err), (0, ""))
            watch = subprocess.Popen([BINARY, "performance", "monitor", "--url", daemon.url, "--interval", "0.2"],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            watch.stdout.readline()
            daemon.stop()
            _, err = watch.communicate(timeout=10)
            self.assertEqual(watch.returncode, 3, err)

    def test_what_alerts_is_told_once(self):
        limits = ["monitoring_window_seconds=2", "alert_window_seconds=10", "latency_sla_ms=0.1"]  # never met
        limits = [part for limit in limits for part in ("--set", f"latency_monitoring.{limit}")]
        limits += PLAIN  # or hardly a frame is left to be late
        with Daemon("--camera", f"road={ROAD}", *limits) as daemon:
            deadline = time.monotonic() + 60
            while not json.loads(daemon.get("/api/v1/performance/alerts"))["firing"]:
                self.assertLess(time.monotonic(), deadline, "nothing alerts though every frame is late")
                time.sleep(0.2)
            violations = json.loads(daemon.get("/api/v1/performance/violations?camera=road"))["violations"]
            self.assertEqual({v["camera"] for v in violations}, {"road"})
            done = self.monitor(daemon.url, "--interval", 0.2, "--duration", 0.9)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = re.findall(r"(?m)^  (\w+) since [\d:]{8}: the system: (.*)$", done.stdout)
            self.assertTrue(told, done.stdout)
            self.assertIn(told[0][0], ("critical", "emergency"))
            self.assertIn("frames due", told[0][1])


    def test_the_headline_knows_what_alerts(self):
        """Every frame is late though none takes long: p95 alone would say that all is well."""
        limits = ["--set", "latency_monitoring.monitoring_window_seconds=2", "--set", "latency_monitoring.alert_window_seconds=4",
                  "--set", "target_latency_ms=0.001"]
        with Daemon(*NULL, *limits, "--camera", "gate=null://?fps=50") as daemon:
            deadline = time.monotonic() + 30
            while not json.loads(daemon.get("/api/v1/performance/alerts"))["firing"]:
                self.assertLess(time.monotonic(), deadline, "nothing alerts though every frame is late")
                time.sleep(0.2)
            overview = json.loads(daemon.get("/api/v1/overview"))
            self.assertLess(overview["end_to_end_recent_ms"]["p95"], 100)
            self.assertEqual((overview["state"], overview["state_reason"]), ("degraded", "too many frames are late or lost"))


class Benchmark(unittest.TestCase):
    KEYS = {"streams", "duration_s", "backend", "model", "precision", "frames_expected", "frames_delivered",
            "frames_late", "frames_skipped", "frames_dropped", "frames_corrupt", "frames_missing", "ledger_balanced",
            "analysed_fps", "on_time_ratio", "on_time_admitted_ratio", "end_to_end_ms", "stages", "batch",
            "cpu_percent", "rss_mb"}

    def check(self, report):
        self.assertLessEqual(self.KEYS, set(report))
        self.assertTrue(report["ledger_balanced"])
        ended = (report["frames_delivered"] + report["frames_late"] + report["frames_skipped"] +
                 report["frames_dropped"]["total"] + report["frames_corrupt"] + report["frames_missing"])
        self.assertEqual(report["frames_expected"], ended)
        self.assertEqual(report["frames_dropped"]["total"], sum(d["count"] for d in report["frames_dropped"]["by"]))
        for stage in ("camera_capture", "preprocessing", "ml_inference", "postprocessing", "encoding",
                      "network_transmission"):
            for part in ("wait_ms", "service_ms"):
                self.assertLessEqual({"p50", "p95", "p99"}, set(report["stages"][stage][part]))

    def test_machinery(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "report.json"
            done = run("performance", "benchmark", *NULL, "--streams", 20, "--duration", 2, "--warmup", 1, "--source",
                       "null://?fps=25", "--format", "json", "--output", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.check(report)
            self.assertEqual(report["streams"], 20)
            self.assertEqual(report["backend"], "null")
            self.assertGreater(report["analysed_fps"], 400)
            self.assertEqual(report, json.loads(out.read_text()))

    def test_either_batcher(self):
        for asked, got in ((("--batcher", "fixed"), "fixed"), (("--batcher", "deadline"), "deadline"), ((), "deadline"),
                           (("--set", "enabled=false"), "fixed")):
            done = run("performance", "benchmark", *NULL, "--streams", 2, "--duration", 0.5, "--warmup", 0, "--source",
                       "null://?fps=25", "--format", "json", *asked)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["batch"]["batcher"], got)

    def test_synthetic_road(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("performance", "benchmark", *NULL, "--streams", 2, "--duration", 2, "--warmup", 1, "--source",
                       "synth://crossroads?size=320x192&fps=25&seconds=4", "--format", "json", "--set",
                       f"data_dir={folder}", timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.check(report)
            self.assertGreater(report["frames_delivered"], 80)
            self.assertEqual(report["frames_corrupt"], 0)
            self.assertIsNone(report["detection"])  # nothing detects

    def test_detection(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("performance", "benchmark", "--streams", 2, "--duration", 3, "--warmup", 1, "--source",
                       f"{ROAD}&pace=off", "--format", "json", "--set", f"data_dir={folder}", timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.check(report)
        self.assertTrue(report["model"].startswith("its-road"), report["model"])
        self.assertEqual(report["frames_dropped"]["total"], 0)
        self.assertGreater(report["analysed_fps"], 3)
        self.assertGreater(report["detection"]["vehicles"]["truth"], 0)
        # a frame may be counted just before the window's first look and be seen just after it
        self.assertLessEqual(report["detection"]["frames"], report["frames_delivered"] + 1)

    def test_an_engine_that_hangs_is_named(self):
        done = run("performance", "benchmark", *NULL, "--null-ms", 1e9, "--streams", 1, "--duration", 0.5, "--warmup", 0,
                   "--source", "null://?fps=50")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertRegex(done.stderr, r"benchmark: cannot end: ml_inference does not end: a batch with a frame of camera \S+ ")

    def test_full_disk_for_the_report(self):
        done = run("performance", "benchmark", *NULL, "--streams", 1, "--duration", 0.5, "--warmup", 0, "--source",
                   "null://", "--output", "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/dev/full", done.stderr)
        self.assertIn("No space left", done.stderr)


class Serving(unittest.TestCase):
    def test_signals_drain_and_end_with_zero(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Daemon(*NULL, "--camera", "gate=null://?fps=50") as daemon:
                time.sleep(0.5)
                code, out, err = daemon.stop(number)
                self.assertEqual(code, 0, err)
                self.assertIn("(balanced)", out)
                self.assertIn(daemon.url, out)

    def test_an_engine_that_hangs_does_not_hold_the_end(self):
        with Daemon(*NULL, "--null-ms", 1e9, "--set", "drain_timeout_seconds=0.5", "--camera",
                    "gate=null://?fps=50") as daemon:
            deadline = time.monotonic() + 30
            while re.search(r"(?m)^its_oldest_frame_in_flight_seconds 0$", daemon.get("/metrics").decode()):
                self.assertLess(time.monotonic(), deadline, "no batch in the engine")
                time.sleep(0.05)
            code, out, err = daemon.stop()
        self.assertEqual(code, 4, err)
        self.assertRegex(err, r"cannot end: ml_inference does not end: a batch with a frame of camera gate was submitted [\d.]+ s ago")
        self.assertNotIn("stopped after", out)

    def test_duration_ends_by_itself(self):
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            done = run("serve", *NULL, "--listen", f"127.0.0.1:{free_port()}", "--camera", "null://", "--duration", 1.5,
                       "--status-line", "--data-dir", folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(time.monotonic() - start, 1.4)
        self.assertIn("(balanced)", done.stdout)

    def test_cameras_at_run_time(self):
        with Daemon(*NULL, "--camera", "steady=null://?fps=50") as daemon:
            url = ["--url", daemon.url]
            added = run("camera", "add", "guest=null://?fps=10", *url)
            self.assertEqual((added.returncode, added.stdout), (0, "added guest\n"), added.stderr)
            again = run("camera", "add", "guest=null://?fps=10", *url)
            self.assertEqual(again.returncode, 1)
            self.assertIn("exists already", again.stderr)
            for name in ("guest", "steady"):
                wait_for(lambda: re.search(rf"(?m)^{name} +running", run("camera", "list", *url).stdout), f"{name} runs")
            self.assertEqual(run("camera", "remove", "guest", *url).returncode, 0)
            gone = run("camera", "remove", "guest", *url)
            self.assertEqual(gone.returncode, 1)
            self.assertIn("guest", gone.stderr)
            camera = json.loads(daemon.get("/api/v1/cameras/steady"))
            self.assertEqual(camera["ledger"]["missing"], 0)

    def test_quality_of_a_camera(self):
        with Daemon(*NULL, "--camera", "gate=null://?fps=50") as daemon:
            url = ["--url", daemon.url]
            shown = run("camera", "quality", "gate", *url)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            for words in (r"^gate$", r"^  level +high, 0 changes$", r"^  detected +at \d+x\d+$", r"^  pin +none$",
                          r"^  boost +none$"):
                self.assertRegex(shown.stdout, re.compile(words, re.MULTILINE))
            pinned = run("camera", "quality", "gate", "--pin", "low", *url)
            self.assertEqual(pinned.returncode, 0, pinned.stderr)
            self.assertRegex(pinned.stdout, r"(?m)^  pin +low$")
            wait_for(lambda: "low, " in run("camera", "quality", "gate", *url).stdout.splitlines()[1], "the level pinned")
            shown = run("camera", "quality", "gate", *url).stdout
            self.assertRegex(shown, r"(?m)^  pictures +at most 360 rows, JPEG quality 65$")
            self.assertRegex(shown, r"(?m)^  misses +not known yet \(0 pictures compared with full analysis\)$")
            self.assertRegex(shown, r"(?m)^  detected .*, one frame of 3$")
            boosted = run("camera", "quality", "gate", "--pin", "none", "--boost", "ultra_high", "--seconds", 90,
                          "--format", "json", *url)
            quality = json.loads(boosted.stdout)["quality"]
            self.assertEqual((quality["pin"], quality["boost"]), (None, "ultra_high"))
            self.assertTrue(80 < quality["boost_seconds_left"] <= 90, quality)
            document = json.loads(daemon.get("/api/v1/performance/quality?changes=5"))
            self.assertIn(("gate", "pinned"), [(c["camera"], c["reason"]) for c in document["recent_adjustments"]])
            status = json.loads(daemon.get("/api/v1/performance/status"))
            self.assertTrue(status["components"]["quality_manager"])
            self.assertIn("enabled", json.loads(daemon.get("/api/v1/performance/metrics"))["quality_management"])
            self.assertNotIn("note", shown)
            gone = run("camera", "quality", "nobody", "--pin", "low", *url)
            self.assertEqual(gone.returncode, 1)
            self.assertIn("nobody", gone.stderr)

    def test_a_level_without_effect_is_said_to_have_none(self):
        with Daemon(*NULL, "--camera", "gate=null://?fps=50&pace=off") as daemon:
            refused = run("camera", "quality", "gate", "--pin", "low", "--url", daemon.url)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("pace=off", refused.stderr)
            shown = run("camera", "quality", "gate", "--url", daemon.url)
            self.assertRegex(shown.stdout, r"(?m)^  note +.*pace=off")

    def test_quality_without_its_manager(self):
        with Daemon(*NULL, "--set", "enabled=false", "--camera", "gate=null://?fps=50") as daemon:
            refused = run("camera", "quality", "gate", "--pin", "low", "--url", daemon.url)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("enabled=false", refused.stderr)
            status = json.loads(daemon.get("/api/v1/performance/status"))
            self.assertFalse(status["components"]["quality_manager"])
            self.assertEqual(status["performance_summary"]["global_quality_level"], "high")

    def test_a_dead_camera_delays_nobody_and_hides_its_password(self):
        dead = f"dead=rtsp://admin:s3cr3t@127.0.0.1:{free_port()}/live"
        start = time.monotonic()
        with Daemon(*NULL, "--camera", dead, "--camera", "good=null://?fps=25") as daemon:
            self.assertLess(time.monotonic() - start, 5)
            wait_for(lambda: re.search(r"(?m)^good +running", run("camera", "list", "--url", daemon.url).stdout),
                     "the good one runs")
            wait_for(lambda: re.search(r"(?m)^dead +(backoff|waiting)", run("camera", "list", "--url", daemon.url).stdout),
                     "the dead one was tried")
            listed = run("camera", "list", "--url", daemon.url)
            status = daemon.get("/api/v1/performance/status?detailed=1").decode()
            code, out, err = daemon.stop()
            self.assertEqual(code, 0)
            for text in (listed.stdout, status, out, err):
                self.assertNotIn("s3cr3t", text)

    def test_reload(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "its.json"

            def write(fps, quality, listen=None):
                document = {"backend": "null", "server": {"jpeg_quality": quality},
                            "cameras": [{"id": "a", "url": "null://?fps=50"}, {"id": "b", "url": f"null://?fps={fps}"}]}
                path.write_text(json.dumps(document))

            write(10, 70)
            with Daemon("--config", path) as daemon:
                expected = lambda: json.loads(daemon.get("/api/v1/cameras/a"))["ledger"]["expected"]
                before = wait_for(expected, "frames of a")
                write(20, 60)
                daemon.process.send_signal(signal.SIGHUP)
                quality = lambda: json.loads(daemon.get("/api/v1/performance/config"))["server"]["jpeg_quality"]
                wait_for(lambda: quality() == 60, "the picture quality of the new file")
                wait_for(lambda: "fps=20" in json.loads(daemon.get("/api/v1/cameras/b"))["url"], "the new camera b")
                wait_for(lambda: expected() > before + 25, "untouched, it keeps counting")
                self.assertEqual(json.loads(daemon.get("/api/v1/cameras/a"))["ledger"]["missing"], 0)
                path.write_text('{"backend": "null", "sever": {}}')
                daemon.process.send_signal(signal.SIGHUP)
                time.sleep(0.7)
                self.assertEqual(json.loads(daemon.get("/api/v1/performance/config"))["server"]["jpeg_quality"], 60)
                _, _, err = daemon.stop()
                self.assertIn("last good one stays", err)
                self.assertIn("sever", err)

    def test_lines_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "lines.jsonl"
            with Daemon(*NULL, "--set", f"output.jsonl_path={path}", "--camera", "a=null://?fps=50") as daemon:
                wait_for(lambda: path.exists() and path.read_text().count("\n") > 20, "lines")
                daemon.stop()
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            self.assertTrue(all(line["camera"] == "a" for line in lines))
            traces = {line["trace_id"] for line in lines}
            self.assertEqual(len(traces), len(lines), "every frame has a trace of its own")
            self.assertTrue(all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces))

    def test_detection(self):
        with Daemon("--camera", f"road={ROAD}", *PLAIN) as daemon:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    latest = json.loads(daemon.get("/api/v1/cameras/road/detections?format=json"))
                    if any(d["class"] in ("car", "truck", "bus") for d in latest["detections"]):
                        break
                except urllib.error.HTTPError as error:
                    self.assertIn(error.code, (404, 503))  # nothing to show yet
                time.sleep(0.1)
            else:
                self.fail("no vehicle was found on the rendered road")
            self.assertEqual(daemon.get("/api/v1/cameras/road/snapshot.jpg")[:2], b"\xff\xd8")
            trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01"
            asked = urllib.request.Request(daemon.url + "/api/v1/cameras/road/snapshot.jpg",
                                           headers={"traceparent": trace.format("00f067aa0ba902b7")})
            with urllib.request.urlopen(asked, timeout=10) as answer:
                self.assertRegex(answer.headers["traceparent"], trace.format("[0-9a-f]{16}"))
                self.assertNotEqual(answer.headers["traceparent"], asked.get_header("Traceparent"))

            def monitored():  # what was served is in the windows with the next tick
                metrics = json.loads(daemon.get("/api/v1/performance/metrics"))["latency_monitoring"]
                served = [metrics["stages"][stage] for stage in ("encoding", "network_transmission")]
                return metrics if all(s["short_window"]["sample_count"] and s["service"]["short_window"]["sample_count"]
                                      for s in served) else None
            metrics = wait_for(monitored, "what was served, in the windows")
            self.assertIs(metrics["monitoring_active"], True)
            self.assertGreaterEqual(metrics["active_requests"], 0)
            self.assertEqual(set(metrics["alerts"]), {"slo", "firing", "muted", "active", "receivers"})
            engine = json.loads(daemon.get("/api/v1/performance/status"))["engine"]
            self.assertEqual(engine["model"], "its-road-int8.onnx" if engine["precision"] == "int8" else "its-road.onnx")
            metrics = daemon.get("/metrics").decode()
            self.assertRegex(metrics, r'(?m)^its_end_to_end_seconds_bucket\{.*le="0\.1"')


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
