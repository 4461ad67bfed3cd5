"""Live pictures, events and the wall: right for those who keep up, harmless with those who do not."""
import itertools
import json
import socket
import time

import harness
from harness import Case, each_event, events, mjpeg_parts, wall_records
from http_test import jpeg_size


class Streams(Case):
    def test_events_of_one_camera(self):
        server = self.serve("--cameras", "3")
        connection, response = server.stream("/api/v1/cameras/camera_002/detections")
        self.assertEqual(response.status, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("text/event-stream"))
        found = events(response, 30)
        self.assertEqual(found[0], {"retry": "2000"})
        results = [json.loads(e["data"]) for e in found[1:]]
        self.assertEqual({r["camera"] for r in results}, {"camera_002"})
        numbers = [r["seq"] for r in results]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "none left out, in order")
        self.assertEqual(found[1]["id"], f"camera_002/0/{numbers[0]}")
        ages = sorted(r["age_ms"] - r["latency_ms"] for r in results)
        self.assertLess(ages[len(ages) // 2], 50, "handed on at once")
        connection.close()
        server.stop()

    def test_events_of_all_cameras(self):
        server = self.serve("--cameras", "3")
        connection, response = server.stream("/api/v1/detections")
        results = [json.loads(e["data"]) for e in events(response, 30) if "data" in e]
        self.assertEqual({r["camera"] for r in results}, {"camera_001", "camera_002", "camera_003"})
        connection.close()
        server.stop()

    def test_live_pictures(self):
        server = self.serve("--cameras", "1", "--fps", "25")
        connection, response = server.stream("/api/v1/cameras/camera_001/live.mjpg?width=160&fps=5")
        self.assertEqual(response.headers["Content-Type"], "multipart/x-mixed-replace; boundary=its")
        mjpeg_parts(response, 2)
        began = time.monotonic()
        parts = mjpeg_parts(response, 10)
        took = time.monotonic() - began
        self.assertLess(took, 4, "five pictures a second, not two")
        numbers = [int(headers["X-ITS-Seq"]) for headers, _ in parts]
        self.assertGreater(numbers[-1] - numbers[0], 20, "nor as many as there are, of which these are every fifth")
        self.assertEqual(numbers, sorted(set(numbers)), "none twice")
        for headers, jpeg in parts:
            self.assertEqual(jpeg_size(jpeg), (160, 90))
            self.assertIn("encoding;dur=", headers["Server-Timing"])
            self.assertLess(float(headers["X-ITS-Age-Ms"]), 1000)
        connection.close()
        server.stop()

    def test_pictures_are_encoded_once_for_all(self):
        server = self.serve("--cameras", "1", "--fps", "25")
        streams = [server.stream("/api/v1/cameras/camera_001/live.mjpg?width=160") for _ in range(8)]
        began = server.metric("its_pictures_encoded_total")
        for _, response in streams:
            mjpeg_parts(response, 10)
        made = server.metric("its_pictures_encoded_total") - began
        self.assertLess(made, 8 * 10 / 2, "eight viewers, far fewer than eight times the pictures")
        for connection, _ in streams:
            connection.close()
        server.stop()

    def test_nobody_watching_costs_no_picture(self):
        server = self.serve("--cameras", "4")
        self.until(lambda: server.published()[0] > 50)
        self.assertEqual(server.metric("its_pictures_encoded_total"), 0)
        server.stop()

    def test_wall_carries_every_camera(self):
        server = self.serve("--cameras", "12", "--fps", "10")
        connection, response = server.stream("/api/v1/wall?width=160")
        records = wall_records(response, 80)
        self.assertEqual(records[0][0], {"type": "hello", "version": 1})
        pictures = [(d, j) for d, j in records if d["type"] == "picture"]
        self.assertEqual(len({d["result"]["camera"] for d, _ in pictures}), 12)
        document, jpeg = pictures[0]
        self.assertEqual(jpeg_size(jpeg), (document["jpeg_width"], document["jpeg_height"]))
        self.assertEqual(document["jpeg_width"], 160)
        self.assertEqual(document["result"]["width"], 640)
        # fair: no camera has more than its share
        counts = {}
        for d, _ in pictures:
            counts[d["result"]["camera"]] = counts.get(d["result"]["camera"], 0) + 1
        self.assertLess(max(counts.values()), 3 * min(counts.values()) + 4)
        connection.close()
        server.stop()

    def test_wall_follows_the_cameras(self):
        server = self.serve("--cameras", "1")
        connection, response = server.stream("/api/v1/wall?width=64")
        wall_records(response, 2)
        server.add({"id": "late", "url": "rtsp://h/"})
        seen = set()
        self.until(lambda: seen.update(d["result"]["camera"] for d, _ in wall_records(response, 1)
                                       if d["type"] == "picture") or "late" in seen)
        connection.close()
        connection, response = server.stream("/api/v1/wall?width=64&cameras=late,unknown")
        cameras = {d["result"]["camera"] for d, _ in wall_records(response, 10) if d["type"] == "picture"}
        self.assertEqual(cameras, {"late"})
        connection.close()
        server.stop()

    def test_quiet_streams_show_that_they_live(self):
        server = self.serve("--cameras", "0")
        server.add({"id": "dead", "url": "rtsp://dead/"})
        connection, response = server.stream("/api/v1/wall")
        records = wall_records(response, 1, seconds=3)
        self.assertIn("heartbeat", [d["type"] for d, _ in records])
        connection.close()
        server.stop()

    def test_streams_of_a_removed_camera_end(self):
        server = self.serve("--cameras", "2")
        streams = [server.stream(f"/api/v1/cameras/camera_001/{what}") for what in ("live.mjpg", "detections")]
        server.ask("DELETE", "/api/v1/cameras/camera_001")
        for connection, response in streams:
            response.read()  # to its end
            connection.close()
        server.stop()


class SlowViewers(Case):
    def test_a_reader_that_never_reads(self):
        """Loses what it does not take, is counted, and neither slows the producer nor fills the memory."""
        # pictures few enough for an encoder that a sanitizer slows down: a reader that takes nothing is cut off after 30 s
        server = self.serve("--cameras", "2", "--fps", "25", "--size", "1280x720", "--queue", "2")
        self.until(lambda: server.published()[0] > 100)
        for path in ("/api/v1/detections", "/api/v1/cameras/camera_001/live.mjpg", "/api/v1/wall?width=960"):
            plain = server.raw(receive_buffer=16384)
            plain.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self.addCleanup(plain.close)
        kinds = ("events", "live", "wall")
        self.until(lambda: all(server.metric("its_viewer_dropped_total", kind=k) > 2 for k in kinds), 28, "dropping")
        before, memory = server.published()[0], server.rss_kb()
        began = time.monotonic()
        time.sleep(4)
        after, longest = server.published()
        rate = (after - before) / (time.monotonic() - began)
        self.assertGreater(rate, 2 * 25 * 0.9, "the producer goes on at its pace")
        self.assertLess(longest, 500, "no hand-over waited for a viewer, which would take seconds (ms)")
        self.assertLess(server.rss_kb() - memory, 20000)
        self.assertEqual(server.get("/api/v1/health/ready")[0], 200)
        self.assertLess(server.stop(), 2)
        self.assertIn("is slow, not the daemon", server.log)

    def test_a_slow_reader_hears_what_it_lost(self):
        server = self.serve("--cameras", "20", "--fps", "50", "--queue", "2")
        plain = server.raw(receive_buffer=65536)
        plain.sendall(b"GET /api/v1/detections HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.until(lambda: server.metric("its_viewer_dropped_total", kind="events") > 100, 25, "dropping")
        response = harness.http.client.HTTPResponse(plain)
        response.begin()
        lost = 0
        for event in itertools.islice(each_event(response), 5000):
            if event.get("event") == "lost":
                lost = json.loads(event["data"])["total"]
                break
        self.assertGreater(lost, 0)
        plain.close()
        server.stop()


class Crowds(Case):
    def test_viewers_leave_nothing_behind(self):
        server = self.serve("--cameras", "4")
        self.until(lambda: server.get("/api/v1/cameras/camera_001/snapshot.jpg")[0] == 200)
        server.get("/metrics")
        self.until(lambda: server.metric("its_http_connections") == 1, 20)
        before = server.open_files()
        paths = ("/api/v1/detections", "/api/v1/cameras/camera_002/live.mjpg?width=64", "/api/v1/wall?width=64",
                 "/api/v1/cameras/camera_003/detections")
        crowd = []
        for i in range(200):
            plain = server.raw()
            plain.sendall(f"GET {paths[i % 4]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            crowd.append(plain)
        watching = lambda: sum(server.metric("its_viewers", kind=k) for k in ("events", "live", "wall"))
        self.until(lambda: watching() == 200, 20, "200 viewers")
        self.assertGreaterEqual(server.open_files(), before + 190)  # some of `before` may just have been closing
        for plain in crowd:
            plain.close()
        self.until(lambda: watching() == 0, 20, "all gone")
        self.until(lambda: server.open_files() <= before, 20, "descriptors given back")
        server.stop()

    def test_vanished_viewers_of_a_silent_camera_are_noticed(self):
        server = self.serve("--cameras", "0")
        server.add({"id": "dead", "url": "rtsp://dead/"})
        crowd = []
        for path in ("/api/v1/cameras/dead/live.mjpg", "/api/v1/cameras/dead/detections"):
            plain = server.raw()
            plain.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            plain.recv(64)
            crowd.append(plain)
        self.assertEqual(server.metric("its_viewers", kind="live"), 1)
        for plain in crowd:
            plain.close()
        self.until(lambda: server.metric("its_viewers", kind="live") + server.metric("its_viewers", kind="events") == 0)
        server.stop()

    def test_viewers_that_only_read_on_are_kept(self):
        server = self.serve("--cameras", "1")
        server.add({"id": "dead", "url": "rtsp://dead/"})
        crowd = {}
        for path in ("/api/v1/cameras/dead/live.mjpg", "/api/v1/cameras/dead/detections",
                     "/api/v1/cameras/camera_001/live.mjpg"):
            plain = crowd[path] = server.raw()
            self.addCleanup(plain.close)
            plain.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            plain.shutdown(socket.SHUT_WR)
        silent, heard, live = (plain.makefile("rb") for plain in crowd.values())
        for stream in (silent, heard, live):
            self.assertIn(b"\r\n", iter(stream.readline, b""))  # the end of the headers
        beats = itertools.islice((line for line in iter(heard.readline, b"") if line == b": still here\n"), 3)
        self.assertEqual(len(list(beats)), 3)
        self.assertEqual(len(harness.mjpeg_parts(live, 20)), 20)
        self.assertEqual(silent.readline(), b"--its\r\n")  # begun once, however often it is asked whether it reads
        self.assertEqual(server.metric("its_viewers", kind="live"), 2)
        self.assertEqual(server.metric("its_viewers", kind="events"), 1)
        server.stop()
        self.assertEqual(silent.read(), b"")

    def test_more_viewers_than_fit_are_told(self):
        server = self.serve("--cameras", "1", "--connections", "40")
        crowd = [server.stream("/api/v1/detections") for _ in range(24)]
        self.problem(server.get("/api/v1/detections"), 503, "24")
        self.assertEqual(server.get("/api/v1/health/ready")[0], 200, "there is room left for this")
        for connection, _ in crowd:
            connection.close()
        server.stop()

    def test_stopping_with_streams_open(self):
        server = self.serve("--cameras", "4")
        paths = ("/api/v1/detections", "/api/v1/cameras/camera_002/live.mjpg", "/api/v1/wall",
                 "/api/v1/cameras/camera_001/detections")
        crowd = [server.stream(paths[i % 4]) for i in range(40)]
        for _, response in crowd:
            self.assertEqual(response.status, 200)
            self.assertTrue(response.read(1))
        self.assertLess(server.stop(), 2)
        for connection, response in crowd[:2]:
            response.read()  # ends as it should: IncompleteRead otherwise
        for connection, _ in crowd:
            connection.close()

    def test_idle_costs_nothing(self):
        server = self.serve("--cameras", "0")
        server.add({"id": "dead", "url": "rtsp://dead/"})
        crowd = [server.stream("/api/v1/cameras/dead/detections") for _ in range(20)]
        before = server.metric("process_cpu_seconds_total")
        time.sleep(2)
        used = server.metric("process_cpu_seconds_total") - before
        self.assertLess(used, 0.4, "suspended readers do not spin")
        for connection, _ in crowd:
            connection.close()
        server.stop()


if __name__ == "__main__":
    harness.main()
