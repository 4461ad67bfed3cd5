"""Every endpoint of the server, its refusals, and who may ask."""
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

import harness
from harness import Case

LEVELS = ("ultra_low", "low", "medium", "high", "ultra_high")


class Endpoints(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server("--cameras", "3")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and cls.server.get("/api/v1/cameras/camera_001/snapshot.jpg")[0] != 200:
            time.sleep(0.05)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_pages_are_embedded_and_cached(self):
        for path, kind in (("/", "text/html"), ("/app.js", "text/javascript"), ("/monitor.js", "text/javascript"),
                           ("/quality.js", "text/javascript"), ("/pools.js", "text/javascript"),
                           ("/clips.js", "text/javascript"), ("/daemon.js", "text/javascript"),
                           ("/app.css", "text/css"), ("/icon.svg", "image/svg+xml"),
                           ("/openapi.json", "application/json")):
            status, headers, body = self.server.get(path)
            self.assertEqual(status, 200, path)
            self.assertTrue(headers["Content-Type"].startswith(kind))
            self.assertGreater(len(body), 100)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            status, _, body = self.server.get(path, If_None_Match=headers["ETag"])
            self.assertEqual((status, body), (304, b""))
        self.assertNotIn(b"http://", self.server.get("/")[2], "the page asks nobody else")

    def test_health(self):
        for path, word in (("performance", "ok"), ("ready", "ready"), ("startup", "started")):
            self.assertEqual(self.server.json(f"/api/v1/health/{path}"), {"status": word})

    def test_a_server_without_pools(self):
        self.assertEqual(self.server.json("/api/v1/performance/pools"), {"health": "ok", "pools": [], "store": None})
        self.assertEqual(self.server.json("/api/v1/overview")["pools"], {})
        self.assertEqual(self.server.ask("POST", "/api/v1/performance/pools")[0], 405)

    def test_cameras_are_listed_without_their_passwords(self):
        document = self.server.json("/api/v1/cameras")
        self.assertEqual([c["id"] for c in document["cameras"]], ["camera_001", "camera_002", "camera_003"])
        camera = document["cameras"][0]
        self.assertEqual(camera["url"], "rtsp://viewer:***@10.0.0.1/main")
        self.assertEqual(camera["state"], "running")
        self.assertEqual(camera["ledger"]["balance"], 0)
        self.assertEqual(self.server.json("/api/v1/cameras/camera_002")["id"], "camera_002")
        for path in ("/api/v1/cameras", "/api/v1/overview", "/metrics", "/api/v1/cameras/camera_001"):
            self.assertNotIn(b"hunter2", self.server.get(path)[2], path)

    def test_camera_comes_and_goes(self):
        status, headers, body = self.server.add({"id": "gate", "url": "rtsp://u:secret@host/x", "priority": 5, "fps": 12.5})
        self.assertEqual(status, 201, body)
        self.assertEqual(headers["Location"], "/api/v1/cameras/gate")
        camera = json.loads(body)
        self.assertEqual((camera["id"], camera["priority"], camera["url"]), ("gate", 5, "rtsp://u:***@host/x"))
        self.problem(self.server.add({"id": "gate", "url": "rtsp://host/y"}), 409, "gate")
        self.until(lambda: self.server.get("/api/v1/cameras/gate/snapshot.jpg")[0] == 200)
        self.assertIn(b'its_camera_up{camera="gate"}', self.server.get("/metrics")[2])
        self.assertEqual(self.server.ask("DELETE", "/api/v1/cameras/gate")[0], 204)
        self.problem(self.server.ask("DELETE", "/api/v1/cameras/gate"), 404, "gate")
        self.problem(self.server.get("/api/v1/cameras/gate"), 404)
        self.assertNotIn(b'camera="gate"', self.server.get("/metrics")[2], "its series went with it")

    def test_without_a_store_that_is_said(self):
        for path in ("cameras/camera_001/counts", "cameras/camera_001/events", "cameras/camera_001/violations",
                     "cameras/camera_001/quality/history", "store/cameras"):
            self.problem(self.server.get("/api/v1/" + path), 404, "store_enabled")
            self.problem(self.server.ask("DELETE", "/api/v1/" + path), 405)

    def test_an_id_is_chosen_where_none_is_given(self):
        _, headers, body = self.server.add({"url": "rtsp://host/x"})
        name = json.loads(body)["id"]
        self.assertRegex(name, r"^camera_\d+$")
        self.assertEqual(headers["Location"], f"/api/v1/cameras/{name}")
        self.assertEqual(self.server.ask("DELETE", f"/api/v1/cameras/{name}")[0], 204)

    def test_bad_cameras_are_explained(self):
        for camera, part in (({}, "url"), ({"url": 7}, "url"), ({"url": "rtsp://h/", "priority": 10}, "priority"),
                             ({"url": "rtsp://h/", "prio": 1}, "prio"), ({"url": "rtsp://h/", "id": "x" * 70}, "id"),
                             ({"url": "nonsense"}, "nonsense"), ([], "JSON object"), ({"url": "rtsp://h/", "fps": -1}, "fps")):
            self.problem(self.server.add(camera), 400, part)
        answer = self.server.ask("POST", "/api/v1/cameras", "{broken", {"Content-Type": "application/json"})
        self.problem(answer, 400, "JSON")
        answer = self.server.ask("POST", "/api/v1/cameras", "", {"Content-Type": "application/json"})
        self.problem(answer, 400, "JSON")
        self.problem(self.server.ask("POST", "/api/v1/cameras", "{}", {"Content-Type": "text/plain"}), 415)

    def test_large_bodies_are_refused(self):
        headers = {"Content-Type": "application/json"}
        for size in (65 * 1024, 300 * 1024):
            self.problem(self.server.ask("POST", "/api/v1/cameras", b"x" * size, headers), 413)
        chunks = [b"x" * 4096] * 30  # of unannounced length
        answer = self.server.ask("POST", "/api/v1/cameras", iter(chunks), {**headers, "Transfer-Encoding": "chunked"})
        self.problem(answer, 413)
        self.assertEqual(self.server.get("/api/v1/health/performance")[0], 200)

    def test_snapshot_says_what_it_is(self):
        status, headers, body = self.server.get("/api/v1/cameras/camera_001/snapshot.jpg?width=320")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "image/jpeg")
        self.assertEqual(jpeg_size(body), (320, 180))
        self.assertRegex(headers["X-ITS-Capture-Time"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        self.assertLess(float(headers["X-ITS-Age-Ms"]), 5000)
        self.assertEqual(headers["X-ITS-Quality"], "high")
        for stage in ("camera_capture", "preprocessing", "ml_inference", "postprocessing", "encoding"):
            self.assertRegex(headers["Server-Timing"], rf"{stage};dur=[\d.]+")
        self.assertEqual(jpeg_size(self.server.get("/api/v1/cameras/camera_001/snapshot.jpg")[2]), (640, 360))
        self.assertEqual(jpeg_size(self.server.get("/api/v1/cameras/camera_001/snapshot.jpg?width=5000")[2]), (640, 360))
        self.problem(self.server.get("/api/v1/cameras/nobody/snapshot.jpg"), 404)
        for query in ("width=0", "width=-5", "width=x", "width=", "boxes=maybe", "width=nan"):
            self.problem(self.server.get(f"/api/v1/cameras/camera_001/snapshot.jpg?{query}"), 400)

    def test_camera_without_pictures(self):
        self.server.add({"id": "deadcam", "url": "rtsp://dead/x"})
        self.server.add({"id": "nullcam", "url": "null://novideo"})
        self.addCleanup(self.server.ask, "DELETE", "/api/v1/cameras/deadcam")
        self.addCleanup(self.server.ask, "DELETE", "/api/v1/cameras/nullcam")
        self.problem(self.server.get("/api/v1/cameras/deadcam/snapshot.jpg"), 503, "no picture yet")
        self.problem(self.server.get("/api/v1/cameras/deadcam/detections?format=json"), 503)
        self.until(lambda: self.server.get("/api/v1/cameras/nullcam/detections?format=json")[0] == 200)
        self.problem(self.server.get("/api/v1/cameras/nullcam/snapshot.jpg"), 404, "no pictures")
        camera = self.server.json("/api/v1/cameras/deadcam")
        self.assertEqual((camera["state"], camera["last_error_code"]), ("backoff", "ITS_EREFUSED"))
        self.assertIsNone(camera["age_ms"])
        self.assertEqual(self.server.json("/api/v1/overview")["state"], "degraded")

    def test_newest_result_once(self):
        status, headers, body = self.server.get("/api/v1/cameras/camera_002/detections?format=json")
        self.assertEqual(status, 200)
        result = json.loads(body)
        self.assertEqual(result["camera"], "camera_002")
        self.assertEqual(headers["X-ITS-Seq"], str(result["seq"]))
        stages = sum(s["wait_ms"] + s["service_ms"] for s in result["stages"].values())
        self.assertAlmostEqual(stages + result["unattributed_ms"], result["latency_ms"], places=2)
        self.problem(self.server.get("/api/v1/cameras/camera_002/detections?format=xml"), 400, "xml")
        self.problem(self.server.get("/api/v1/detections?format=json"), 400, "json")

    def test_documents(self):
        for name in ("status", "metrics", "config"):
            self.assertEqual(self.server.json(f"/api/v1/performance/{name}"), {"document": name})
        self.assertEqual(self.server.json("/api/v1/performance/status?detailed=1"), {"document": "status-detailed"})

    def test_overview(self):
        document = self.server.json("/api/v1/overview")
        self.assertEqual(document["engine"]["model"], "yolo11n.onnx")
        self.assertEqual(document["latency_sla_ms"], 100)
        self.assertEqual(len(document["cameras"]), document["camera_counts"]["total"])
        self.assertEqual(document["ledger"]["balance"], 0)
        self.assertGreater(document["process"]["rss_mb"], 1)

    def test_alerts(self):
        document = self.until(lambda: (d := self.server.json("/api/v1/performance/alerts"))["slo"] and d, what="a tick")
        slo = document["slo"]
        self.assertAlmostEqual(slo["objective"] + slo["budget"], 1)
        for name, seconds in (("short_window", 60), ("medium_window", 300), ("long_window", 3600)):
            window = slo[name]
            self.assertEqual(window["window_seconds"], seconds)
            self.assertEqual(window["frames_due"] - window["frames_good"], window["frames_bad"])
            if window["frames_due"] > 0:
                self.assertAlmostEqual(window["burn_rate"], (1 - window["on_time_ratio"]) / slo["budget"]
                                       * min(1, window["covered_seconds"] / seconds), delta=0.2)
        self.assertEqual(document["firing"] + document["muted"], len(document["active"]))
        self.assertIn("history", document)
        self.assertEqual(document["receivers"]["log"], {
            "configured": True, "sent": 3, "failed_attempts": 0, "refused": 0, "dropped": 0, "waiting": 0,
            "down": False, "last_error": None})
        webhook = document["receivers"]["webhook"]
        self.assertEqual((webhook["down"], webhook["http_status"], webhook["waiting"]), (True, 503, 1))
        self.assertFalse(document["receivers"]["alertmanager"]["configured"])
        self.assertEqual(self.server.json("/api/v1/performance/alerts?history=0")["history"], [])
        for bad in ("-1", "257", "1.5", "x"):
            self.problem(self.server.get(f"/api/v1/performance/alerts?history={bad}"), 400, "history")

    def test_violations(self):
        path = "/api/v1/performance/violations"
        document = self.until(lambda: (d := self.server.json(f"{path}?limit=2"))["total"] > 3 and d, what="late frames")
        self.assertEqual(sum(document["by_stage"].values()), document["total"])
        self.assertEqual(len(document["violations"]), 2)
        for v in document["violations"]:
            self.assertEqual((v["outcome"], v["reason"], v["stage"]), ("late", None, "ml_inference"))
            self.assertGreater(v["end_to_end_ms"], v["deadline_ms"])
            self.assertGreater(v["stage_ms"], v["stage_budget_ms"])
            self.assertLess(v["queue_ms"], v["end_to_end_ms"])
            self.assertEqual((v["deadline_ms"], v["batch"], v["quality_level"], v["quality"]), (100, 4, 3, "high"))
            self.assertRegex(v["trace_id"], "^[0-9a-f]{32}$")
        newest, older = (v["time"] for v in document["violations"])
        self.assertGreaterEqual(newest, older)
        camera = document["violations"][0]["camera"]
        of_one = self.server.json(f"{path}?camera={camera}&limit=256")["violations"]
        self.assertEqual({v["camera"] for v in of_one}, {camera})
        self.assertEqual(self.server.json(f"{path}?camera=nobody")["violations"], [])
        for bad in ("0", "257", "2.5"):
            self.problem(self.server.get(f"{path}?limit={bad}"), 400, "limit")

    def test_quality_has_the_keys_of_python(self):
        path = "/api/v1/performance/quality"
        document = self.server.json(path)
        wanted = {"enabled", "global_quality_level", "total_cameras", "priority_cameras", "total_adjustments",
                  "recovery_in_progress", "quality_distribution", "camera_states", "system_metrics", "recent_adjustments"}
        self.assertLessEqual(wanted, set(document))
        self.assertTrue(document["enabled"])
        self.assertEqual(set(document["quality_distribution"]), set(LEVELS))
        self.assertEqual(sum(document["quality_distribution"].values()), document["total_cameras"])
        self.assertEqual(len(document["camera_states"]), document["total_cameras"])
        state = document["camera_states"]["camera_003"]
        self.assertLessEqual({"current_quality", "target_quality", "is_priority", "adjustment_count", "is_stable"}, set(state))
        self.assertEqual((state["current_quality"], state["is_priority"], state["pin"], state["boost"]),
                         ("high", False, None, None))
        system = document["system_metrics"]
        self.assertEqual((system["load_condition"], system["cpu_percent"]), ("elevated", 66))
        self.assertIsNone(system["gpu_percent"], "not known")
        self.assertEqual((document["pressure"], document["bottleneck"]), ("steady", "cpu"))
        self.assertEqual(document["inputs"]["slack_ms"], 41.5)
        self.assertIsNone(document["inputs"]["queue_age_ms"], "not known")
        self.assertEqual(document["recovery_in_seconds"], 12)
        self.assertEqual(document["held_by"], "memory")
        self.assertIn("memory_threshold_percent", document["held_why"])
        self.assertEqual(self.server.json(f"{path}?changes=0")["recent_adjustments"], [])
        for bad in ("-1", "513", "1.5", "x"):
            self.problem(self.server.get(f"{path}?changes={bad}"), 400, "changes")

    def test_a_camera_is_pinned_and_boosted(self):
        before = self.server.json("/api/v1/performance/quality")["total_adjustments"]
        camera = self.quality("camera_001", {"pin": "low"})
        self.assertEqual((camera["id"], camera["quality_level"], camera["quality"]["pin"]), ("camera_001", "low", "low"))
        self.assertEqual(camera["quality"]["target"]["picture_height"], 360)
        self.assertFalse(camera["quality"]["is_stable"])
        self.assertEqual(self.server.metric("its_quality_level", camera="camera_001"), 1)
        self.assertEqual(self.server.metric("its_quality_cameras", level="low"), 1)
        self.check_debt(camera["quality"]["debt"])
        camera = self.quality("camera_001", {"pin": None, "boost": "ultra_high", "seconds": 120})
        self.assertIsNone(camera["quality"]["debt"], "nothing is missed at full quality")
        self.assertEqual(self.server.metric("its_camera_missed_ratio", camera="camera_001"), 0)
        self.assertEqual((camera["quality_level"], camera["quality"]["pin"], camera["quality"]["boost"]),
                         ("ultra_high", None, "ultra_high"))
        self.assertTrue(100 < camera["quality"]["boost_seconds_left"] <= 120)
        camera = self.quality("camera_001", {"boost": None})
        self.assertEqual((camera["quality_level"], camera["quality"]["boost"]), ("high", None))
        self.assertIsNone(camera["quality"]["boost_seconds_left"])
        document = self.server.json("/api/v1/performance/quality?changes=4")
        self.assertEqual(document["total_adjustments"] - before, 4)
        changes = document["recent_adjustments"]
        self.assertEqual([(c["from"], c["to"], c["reason"]) for c in changes],
                         [("ultra_high", "high", "released"), ("high", "ultra_high", "boosted"),
                          ("low", "high", "released"), ("high", "low", "pinned")])
        newest = changes[0]
        self.assertEqual((newest["camera"], newest["quality"], newest["knob"]), ("camera_001", "high", "compute"))
        self.assertLess(abs(newest["timestamp"] - time.time()), 60)
        self.assertRegex(newest["time"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        self.assertIn("ultra_high -> high", newest["sentence"])
        self.assertIn(newest["why"], newest["sentence"])
        self.assertEqual(newest["inputs"]["slack_ms"], 41.5)
        self.assertEqual(self.server.metric("its_quality_changes_total", reason="pinned"), 1)

    def check_debt(self, camera):
        self.assertEqual((camera["missed_share"], camera["missed_share_low"], camera["missed_share_high"]), (0.1, 0.07, 0.15))
        self.assertEqual((camera["missed_per_hour"], camera["pictures"]), (36, 40))
        self.assertEqual(self.server.metric("its_camera_missed_ratio", camera="camera_001"), 0.1)
        self.assertEqual(self.server.metric("its_camera_missed_per_hour", camera="camera_001"), 36)
        self.assertEqual(self.server.metric("its_quality_debt_missed_total", level="low"), 20)
        self.assertEqual(self.server.metric("its_quality_debt_runs_total"), 40)
        debt = self.server.json("/api/v1/performance/quality")["debt"]
        self.assertEqual((debt["cameras_below_full"], debt["cameras_estimated"], debt["missed_per_hour"]), (1, 1, 36))
        self.assertEqual((debt["share"], debt["room_ms"], debt["analysed_again"], debt["engine_seconds"]),
                         (0.01, 31.5, 40, 0.48))
        self.assertEqual(debt["levels"]["low"]["since_start"], {"pictures": 40, "sightings": 200, "missed": 20, "extra": 4})
        self.assertIsNone(debt["levels"]["medium"]["missed_share"], "not known")

    def quality(self, camera, body):
        status, _, text = self.set_quality(camera, body)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def set_quality(self, camera, body):
        return self.server.ask("POST", f"/api/v1/cameras/{camera}/quality", json.dumps(body),
                               {"Content-Type": "application/json"})

    def test_bad_qualities_are_explained(self):
        for body, part in (({}, "'pin'"), ({"pin": "hihg"}, "hihg"), ({"pin": "hihg"}, ", ".join(LEVELS)),
                           ({"boost": "best", "seconds": 5}, "'boost'"), ({"pin": 3}, "'pin' must be a string"),
                           ({"boost": "high"}, "'seconds' is missing"), ({"boost": None, "seconds": 5}, "'seconds' belongs"),
                           ({"pin": "low", "seconds": 5}, "'seconds' belongs"), ({"seconds": 5}, "'pin'"),
                           ({"boost": "high", "seconds": 0}, "above 0"), ({"boost": "high", "seconds": 86401}, "86400"),
                           ({"boost": "high", "seconds": "long"}, "number"), ({"level": "low"}, "unknown key 'level'"),
                           ({"pin": "low", "boost": "high", "seconds": 5}, "a pin goes before a boost"),
                           ([], "JSON object")):
            self.problem(self.set_quality("camera_002", body), 400, part)
        self.problem(self.set_quality("camera_002", {"pin": "low", "boost": "best", "seconds": 5}), 400, "best")
        self.assertIsNone(self.server.json("/api/v1/cameras/camera_002")["quality"]["pin"], "all of it or nothing")
        self.problem(self.set_quality("nobody", {"pin": "low"}), 404, "nobody")
        self.problem(self.server.get("/api/v1/cameras/camera_002/quality"), 405)

    def test_pictures_cost_processor_time_that_is_told(self):
        before = int(self.server.command("encoding"))
        self.until(lambda: self.server.get("/api/v1/cameras/camera_001/snapshot.jpg")[0] == 200
                   and int(self.server.command("encoding")) > before)
        self.assertLess(int(self.server.command("encoding")) - before, 10e9)

    def test_stages_lately_include_what_the_server_does(self):
        self.until(lambda: self.server.get("/api/v1/cameras/camera_001/snapshot.jpg")[0] == 200)

        def stages():
            recent = self.server.json("/api/v1/overview")["stages_recent"]
            return recent if recent["network_transmission"]["total_ms"]["count"] else None
        recent = self.until(stages)
        for name, budget in (("ml_inference", 50), ("encoding", 10), ("network_transmission", 20)):
            stage = recent[name]
            self.assertEqual(stage["budget_ms"], budget)
            self.assertGreater(stage["total_ms"]["count"], 0)
            self.assertAlmostEqual(stage["total_ms"]["mean"], stage["wait_ms"]["mean"] + stage["service_ms"]["mean"],
                                   delta=0.01)

    def test_metrics_are_sound(self):
        self.server.get("/api/v1/cameras/camera_001/snapshot.jpg")
        body = self.server.get("/metrics")[2]
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=30)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        else:
            print("skipped: promtool is not installed")
        text = body.decode()
        ended = sum(self.server.metric("its_frames_total", outcome=o)
                    for o in ("delivered", "late", "skipped", "dropped", "corrupt", "missing"))
        self.assertGreater(ended, 0)
        self.assertIn("its_ledger_balance 0\n", text)
        buckets = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("its_end_to_end_seconds_bucket")]
        self.assertEqual(buckets, sorted(buckets))
        for edge in ("0.005", "0.01", "0.02", "0.05", "0.08", "0.09", "0.095", "0.1"):
            self.assertIn(f'its_end_to_end_seconds_bucket{{le="{edge}"}}', text)

    def test_unknown_paths_and_methods(self):
        self.problem(self.server.get("/api/v1/nothing"), 404)
        self.problem(self.server.get("/../etc/passwd"), 404)
        for method, path, allow in (("PUT", "/api/v1/cameras", "GET, HEAD, POST"), ("POST", "/metrics", "GET, HEAD"),
                                    ("PATCH", "/api/v1/cameras/camera_001", "GET, HEAD, DELETE"),
                                    ("BREW", "/api/v1/health/ready", "GET, HEAD"), ("DELETE", "/", "GET, HEAD")):
            answer = self.server.ask(method, path)
            self.problem(answer, 405)
            self.assertEqual(answer[1]["Allow"], allow)

    def test_head_is_get_without_the_body(self):
        for path in ("/", "/metrics", "/api/v1/cameras", "/api/v1/cameras/camera_001/live.mjpg", "/api/v1/detections",
                     "/api/v1/wall", "/api/v1/cameras/camera_001/snapshot.jpg"):
            status, headers, body = self.server.ask("HEAD", path)
            self.assertEqual((status, body), (200, b""), path)
            self.assertTrue(headers["Content-Type"])

    def test_connections_are_kept(self):
        connection = harness.http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        for _ in range(3):
            connection.request("GET", "/api/v1/cameras")
            connection.getresponse().read()
            held = connection.sock
            connection.request("DELETE", "/api/v1/cameras/nobody")
            self.assertEqual(connection.getresponse().read()[:1], b"{")
            self.assertIs(connection.sock, held)
        connection.close()

    def test_pages_of_others_are_kept_out(self):
        for host in ("evil.example", "10.1.2.3:80"):
            self.problem(self.server.get("/api/v1/cameras", Host=host), 403)
        for host in ("localhost", "127.0.0.1:1234", "[::1]:80"):
            self.assertEqual(self.server.get("/api/v1/cameras", Host=host)[0], 200)
        self.problem(self.server.get("/api/v1/cameras", Origin="http://evil.example"), 403)
        own = f"http://127.0.0.1:{self.server.port}"
        self.assertEqual(self.server.get("/api/v1/cameras", Origin=own)[0], 200)

    def test_garbage_does_no_harm(self):
        for garbage in (b"\x00\xff" * 400 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                        b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
                        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
                        b"POST /api/v1/cameras HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"):
            plain = self.server.raw()
            try:
                plain.sendall(garbage)
                plain.recv(4096)
            except OSError:
                pass
            plain.close()
        self.assertEqual(self.server.get("/api/v1/health/performance")[0], 200)


def jpeg_size(data):
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    at = 2
    while data[at + 1] not in (0xC0, 0xC2):
        at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
    return int.from_bytes(data[at + 7:at + 9], "big"), int.from_bytes(data[at + 5:at + 7], "big")


class Plain(Case):
    def test_without_a_quality_manager(self):
        server = self.serve("--no-quality", "--cameras", "1")
        answer = server.ask("POST", "/api/v1/cameras/camera_001/quality", '{"pin": "low"}',
                            {"Content-Type": "application/json"})
        self.problem(answer, 409, "no quality manager")
        document = server.json("/api/v1/performance/quality")
        self.assertEqual((document["enabled"], document["global_quality_level"]), (False, "high"))
        self.assertEqual(server.metric("its_quality_active"), 0)
        server.stop()


class Access(Case):
    def test_token(self):
        server = self.serve("--token", "s3cret token", "--cameras", "1")
        for path in ("/api/v1/cameras", "/metrics", "/openapi.json", "/app.js", "/api/v1/overview", "/api/v1/detections"):
            answer = server.get(path)
            self.problem(answer, 401, "token")
            self.assertIn("Bearer", answer[1]["WWW-Authenticate"])
            self.assertEqual(server.get(path.replace("detections", "cameras"), Authorization="Bearer s3cret token")[0], 200)
        for path in ("performance", "ready", "startup"):
            self.assertEqual(server.get(f"/api/v1/health/{path}")[0], 200, "health is for everyone")
        self.problem(server.get("/api/v1/cameras", Authorization="Bearer s3cret tokem"), 401)
        self.problem(server.add({"url": "rtsp://h/"}), 401)
        self.problem(server.ask("DELETE", "/api/v1/cameras/camera_001"), 401)
        self.assertEqual(server.get("/api/v1/cameras?token=s3cret%20token")[0], 200)
        self.assertEqual(server.get("/api/v1/cameras", Host="camera.example", Authorization="Bearer s3cret token")[0], 200)
        server.stop()

    def test_browsers_get_a_cookie(self):
        server = self.serve("--token", "abc", "--cameras", "1")
        status, headers, body = server.get("/", Accept="text/html")
        self.assertEqual(status, 401)
        self.assertIn(b'name="token"', body)
        self.assertEqual(server.get("/login.css")[0], 200)
        status, headers, _ = server.get("/?token=abc")
        self.assertEqual((status, headers["Location"]), (303, "/"))
        cookie = headers["Set-Cookie"]
        self.assertIn("HttpOnly", cookie)
        self.assertIn("SameSite=Strict", cookie)
        self.assertNotIn("abc", cookie.split(";")[0])
        self.assertEqual(server.get("/", Cookie=cookie.split(";")[0])[0], 200)
        self.problem(server.get("/api/v1/cameras", Cookie="its_session=ff"), 401)
        self.problem(server.get("/?token=wrong"), 401)
        server.stop()

    def test_metrics_may_be_open(self):
        server = self.serve("--token", "abc", "--metrics-open")
        self.assertEqual(server.get("/metrics")[0], 200)
        self.problem(server.get("/api/v1/cameras"), 401)
        server.stop()

    def test_beyond_loopback_a_token_is_required(self):
        server = self.serve("--listen", "0.0.0.0:0")
        self.assertIn("token", server.banner)
        self.assertEqual(server.process.wait(10), 3)
        server = self.serve("--listen", "0.0.0.0:0", "--token", "x")
        self.assertGreater(server.port, 0)
        self.problem(server.get("/api/v1/cameras"), 401)
        server.stop()


class Life(Case):
    def test_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            server = self.serve("--listen", address)
            self.assertIn(address, server.banner)
            self.assertIn("in use", server.banner)
            self.assertEqual(server.process.wait(10), 3)

    def test_not_ready_before_the_engine_is(self):
        server = self.serve("--not-started")
        self.assertEqual(server.get("/api/v1/health/performance")[0], 200)
        self.assertEqual(server.get("/api/v1/health/ready")[0], 503)
        self.assertEqual(server.get("/api/v1/health/startup")[0], 503)
        self.assertEqual(server.json("/api/v1/overview")["state"], "starting")
        self.assertEqual(server.command("start"), "started")
        self.assertEqual(server.get("/api/v1/health/ready")[0], 200)
        self.assertEqual(server.get("/api/v1/health/startup")[0], 200)
        server.stop()

    def test_camera_limit(self):
        server = self.serve("--cameras", "2", "--limit", "2")
        self.problem(server.add({"url": "rtsp://h/"}), 429, "2")
        server.ask("DELETE", "/api/v1/cameras/camera_001")
        self.assertEqual(server.add({"url": "rtsp://h/"})[0], 201)
        server.stop()

    def test_results_go_to_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out.jsonl")
            server = self.serve("--cameras", "2", "--jsonl", path)
            self.until(lambda: os.path.getsize(path) > 20000)
            server.stop()
            with open(path) as lines:
                results = [json.loads(line) for line in lines]
            self.assertEqual({r["camera"] for r in results}, {"camera_001", "camera_002"})
            for camera in ("camera_001", "camera_002"):
                numbers = [r["seq"] for r in results if r["camera"] == camera]
                self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "every result, in order")

    def test_full_disk_at_the_output_is_survived(self):
        server = self.serve("--cameras", "1", "--jsonl", "/dev/full")
        self.until(lambda: server.published()[0] > 20)
        self.assertEqual(server.get("/api/v1/health/ready")[0], 200)
        server.stop()
        self.assertEqual(server.log.count("No space left"), 1, "said once")

    def test_slow_headers_are_cut_off(self):
        server = self.serve("--cameras", "1")
        plain = server.raw()
        self.addCleanup(plain.close)
        plain.settimeout(30)
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        began = time.monotonic()
        try:
            while time.monotonic() - began < 25:
                plain.sendall(b"X-Slow: 1\r\n")  # keeps the connection busy, never done
                time.sleep(1)
                plain.settimeout(0.01)
                try:
                    if plain.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
                plain.settimeout(30)
        except OSError:
            pass
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(server.metric("its_http_timeouts_total"), 1)
        server.stop()


if __name__ == "__main__":
    harness.main()
