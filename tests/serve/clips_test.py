"""Clips over HTTP: what is answered, and what happens while their disk does not answer."""
import errno
import http.client
import json
import os
import random
import shutil
import socket
import struct
import tempfile

import harness
from harness import Case


class ClipFiles(Case):
    """Files in a folder; how clips are made is another test's."""
    NAMES = [f"2026-01-31T12-00-0{i}.000Z-gate.mp4" for i in range(3)]

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for i, name in enumerate(self.NAMES):
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(bytes(range(256)) * (i + 1))
        note = {"why": "<b>&", "flight_record": "x.flight", "note": "", "seconds": 61.04, "seconds_before": 30.5}
        with open(os.path.join(self.folder, self.NAMES[1].replace(".mp4", ".json")), "w", encoding="utf-8") as file:
            json.dump(note, file)
        self.server = harness.Server("--cameras", "1", "--clips", self.folder)
        self.addCleanup(self.server.stop)
        self.until(lambda: self.server.json("/api/v1/clips")["kept"] == 3)

    def large(self, size=3_000_000):
        name = "2026-01-31T14-00-00.000Z-gate.mp4"
        path = os.path.join(self.folder, name)
        content = random.Random(1).randbytes(size)
        with open(path, "wb") as file:
            file.write(content)
        return f"/api/v1/clips/{name}", path, content

    def begin(self, path, **headers):
        """A request whose answer is not read yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("GET", path, headers=headers)
        return connection


class Clips(ClipFiles):
    def test_they_are_listed_newest_first(self):
        document = self.server.json("/api/v1/clips")
        self.assertEqual([clip["name"] for clip in document["clips"]], self.NAMES[::-1])
        self.assertEqual((document["enabled"], document["bytes"]), (True, 6 * 256))
        clip = document["clips"][1]
        self.assertEqual(clip, {"name": self.NAMES[1], "camera": "gate", "time": "2026-01-31T12:00:01.000Z",
                                "state": "written", "why": "<b>&", "flight_record": "x.flight", "note": "",
                                "seconds": 61.0, "seconds_before": 30.5, "bytes": 512})
        self.assertIsNone(document["clips"][0]["seconds"])
        self.assertEqual(len(self.server.json("/api/v1/clips?limit=2")["clips"]), 2)
        for query in ("limit=-1", "limit=1001", "limit=1.5", "limit=x", "limit="):
            self.problem(self.server.get(f"/api/v1/clips?{query}"), 400, "limit")

    def test_one_is_deleted(self):
        path = f"/api/v1/clips/{self.NAMES[1]}"
        self.assertEqual(self.server.get(path)[0], 200)
        self.assertEqual(self.server.ask("DELETE", path)[0], 204)
        self.problem(self.server.get(path), 404, self.NAMES[1])
        self.problem(self.server.ask("DELETE", path), 404)
        self.assertEqual(sorted(os.listdir(self.folder)), [self.NAMES[0], self.NAMES[2]])

    def test_no_descriptor_stays_open(self):
        path = f"/api/v1/clips/{self.NAMES[0]}"
        self.server.get(path)
        before = self.server.open_files()
        for _ in range(50):
            self.server.get(path, Range="bytes=0-9")
            self.server.get(path, Range="bytes=9999-")
            self.server.get(path + "x")
        self.until(lambda: self.server.open_files() <= before + 2)

    def test_it_comes_whole_and_in_ranges(self):
        path, _, content = self.large()
        self.assertEqual(self.server.get(path)[2], content)
        for first, last in ((0, 0), (262143, 262144), (100, 2_900_000), (2_999_999, 2_999_999)):
            status, headers, part = self.server.get(path, Range=f"bytes={first}-{last}")
            self.assertEqual((status, headers["Content-Range"]), (206, f"bytes {first}-{last}/3000000"))
            self.assertEqual(part, content[first:last + 1])
        status, headers, nothing = self.server.ask("HEAD", path)
        self.assertEqual((status, headers["Content-Length"], nothing), (200, "3000000", b""))

    def test_downloads_that_are_broken_off_leave_nothing(self):
        path, _, _ = self.large()
        before = self.server.open_files()
        for _ in range(30):
            connection = self.begin(path)
            connection.getresponse().read(100_000)
            connection.close()
        self.until(lambda: self.server.open_files() <= before)

    def test_a_clip_that_is_deleted_while_it_is_sent_comes_whole(self):
        path, _, content = self.large(30_000_000)
        answer = self.begin(path).getresponse()
        beginning = answer.read(1000)
        self.assertEqual(self.server.ask("DELETE", path)[0], 204)
        self.assertEqual(beginning + answer.read(), content)

    def test_a_file_that_became_shorter_breaks_off(self):
        path, file, _ = self.large(30_000_000)
        answer = self.begin(path).getresponse()
        answer.read(1000)
        os.truncate(file, 1_000_000)
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        self.assertEqual(self.server.get("/api/v1/health/performance")[0], 200)

    def test_a_link_is_not_followed(self):
        name = "2026-01-31T13-00-00.000Z-gate.mp4"
        os.symlink("/etc/passwd", os.path.join(self.folder, name))
        self.assertGreaterEqual(self.server.get(f"/api/v1/clips/{name}")[0], 400)


class StuckDisk(ClipFiles):
    """A disk that does not answer: what is sent of FILE stands still while FILE.stall lies beside it, and a pipe that nobody
    writes to holds who reads it as a dead mount does."""

    def stuck_read(self, size=3_000_000):
        path, file, content = self.large(size)
        open(file + ".stall", "w", encoding="utf-8").close()
        self.addCleanup(lambda: os.path.exists(file + ".stall") and os.unlink(file + ".stall"))
        return path, lambda: os.unlink(file + ".stall"), content

    def hold_opening(self):
        """A request whose thread is held in reading what lies beside its clip; its path, and what lets the thread go."""
        name = "2026-01-31T15-00-00.000Z-gate.mp4"
        note = os.path.join(self.folder, name.replace(".mp4", ".json"))
        os.mkfifo(note)
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(b"clip")
        first = self.begin(f"/api/v1/clips/{name}")
        held = []

        def is_held():
            try:
                held.append(os.open(note, os.O_WRONLY | os.O_NONBLOCK))
            except OSError as error:
                self.assertEqual(error.errno, errno.ENXIO)  # nobody reads it yet
            return held

        def let_go():
            os.unlink(note)
            os.close(held.pop())
        self.until(is_held, what="it is held")
        self.addCleanup(lambda: held and let_go())
        return f"/api/v1/clips/{name}", let_go, first

    def healthy(self):
        self.assertEqual(self.server.get("/api/v1/health/performance")[0], 200)
        self.until(lambda: self.server.get("/api/v1/cameras/camera_001/snapshot.jpg")[0] == 200)  # 503 before the first
        self.assertEqual(self.server.add({"id": "more", "url": "rtsp://10.0.0.9/"})[0], 201)
        self.assertEqual(self.server.ask("DELETE", "/api/v1/cameras/more")[0], 204)

    def answer(self, connection):
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def given_up(self):
        return self.server.metric("its_http_disk_timeouts_total")

    # --- opening, listing, removing ---

    def test_nobody_but_clips_waits(self):
        _, let_go, first = self.hold_opening()
        listing = self.begin("/api/v1/clips")
        self.healthy()
        let_go()
        self.assertEqual(self.answer(listing)[0], 200)
        self.assertEqual(self.answer(first)[0], 200)

    def test_who_waits_too_long_is_told(self):
        path, let_go, first = self.hold_opening()
        listing = self.begin("/api/v1/clips")
        self.until(lambda: self.server.metric("its_http_connections") >= 3)
        self.assertEqual(self.server.command("later 10"), "looked")
        self.assertEqual(self.given_up(), 0)
        self.assertEqual(self.server.command("later 31"), "looked")
        for one in (first, listing):
            self.problem(self.answer(one), 503, "the disk does not answer")
        self.assertEqual(self.given_up(), 2)
        late = self.begin("/api/v1/clips")  # behind the thread, which is still held
        let_go()
        self.assertEqual(self.answer(late)[0], 200)
        self.until(lambda: self.server.get("/api/v1/clips")[0] == 200)
        self.server.stop()
        self.assertIn("2 requests were given up", self.server.log)
        self.assertNotIn(path, self.server.log)

    def test_one_too_many_is_told_at_once(self):
        _, let_go, first = self.hold_opening()
        waiting = [first] + [self.begin("/api/v1/clips") for _ in range(63)]
        self.until(lambda: self.server.metric("its_http_connections") >= 65)
        self.problem(self.server.get("/api/v1/clips"), 503, "64 requests wait for it")
        self.healthy()
        self.server.command("later 31")  # the disk still holds them: there is no use in waiting yet
        self.assertEqual([self.answer(one)[0] for one in waiting], [503] * 64)
        self.problem(self.server.get("/api/v1/clips"), 503, "the disk does not answer")
        let_go()
        self.until(lambda: self.server.get("/api/v1/clips")[0] == 200)

    def test_it_ends_though_opening_is_held(self):
        _, _, first = self.hold_opening()
        listing = self.begin("/api/v1/clips")
        self.until(lambda: self.server.metric("its_http_connections") >= 3)
        self.assertLess(self.server.stop(), 5)
        for one in (first, listing):
            self.problem(self.answer(one), 503, "shutting down")
        self.assertIn("threads left to it: 1", self.server.log)

    def test_what_came_too_late_is_not_done(self):
        _, let_go, _ = self.hold_opening()
        path = f"/api/v1/clips/{self.NAMES[0]}"
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("DELETE", path)
        self.until(lambda: self.server.metric("its_http_connections") >= 3)
        self.server.command("later 31")
        self.problem(self.answer(connection), 503)
        let_go()
        self.assertEqual(self.server.get(path)[0], 200)

    # --- reading ---

    def test_a_read_that_stands_still_delays_nobody_else(self):
        path, let_go, content = self.stuck_read()
        waiting = self.begin(path)
        self.until(lambda: self.server.json("/api/v1/clips")["kept"] == 3)
        for _ in range(20):
            self.assertEqual(self.server.get("/api/v1/health/performance")[0], 200)
            self.assertEqual(self.server.get(f"/api/v1/clips/{self.NAMES[2]}")[2], bytes(range(256)) * 3)
        self.assertEqual(self.server.ask("HEAD", path)[0], 200)
        let_go()
        self.assertEqual(waiting.getresponse().read(), content)

    def open_clips(self):
        folder = f"/proc/{self.server.process.pid}/fd"
        count = 0
        for fd in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{fd}").endswith(".mp4")
            except FileNotFoundError:
                pass  # closed meanwhile
        return count

    def stalled(self, path):
        """A request whose answer has begun and whose bytes do not come."""
        waiting = self.begin(path)
        answer = waiting.getresponse()
        self.assertEqual((answer.status, self.open_clips()), (200, 1))
        return waiting, answer

    def test_a_transfer_that_stands_still_is_given_up(self):
        path, let_go, _ = self.stuck_read()
        _, answer = self.stalled(path)
        self.server.command("later 10")
        self.assertEqual(self.given_up(), 0)
        self.server.command("later 31")
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        self.assertEqual(self.given_up(), 1)
        let_go()
        self.server.stop()
        self.assertIn(f"{os.path.basename(path)} is given up after 0 of 3000000 bytes", self.server.log)

    def test_one_file_too_many_is_told_at_once(self):
        path, let_go, content = self.stuck_read(300_000)
        waiting = [self.begin(path) for _ in range(64)]
        self.until(lambda: self.open_clips() == 64)
        self.problem(self.server.get(path), 503, "64 files are being sent already")
        self.healthy()
        let_go()
        for one in waiting:
            self.assertEqual(self.answer(one)[2], content)
        self.until(lambda: self.server.get(path)[0] == 200)
        self.until(lambda: self.open_clips() == 0)

    def test_a_client_that_is_gone_is_noticed(self):
        path, let_go, _ = self.stuck_read()
        plain = self.server.raw()
        plain.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.assertIn(b"200 OK", plain.recv(4096))
        self.assertEqual(self.server.metric("its_http_connections"), 2)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.close()
        self.until(lambda: self.server.metric("its_http_connections") == 1)  # before the disk answers
        let_go()
        self.until(lambda: self.open_clips() == 0)

    def test_a_client_that_only_reads_on_gets_all(self):
        path, let_go, content = self.stuck_read()
        plain = self.server.raw()
        self.addCleanup(plain.close)
        plain.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        plain.shutdown(socket.SHUT_WR)
        self.assertIn(b"200 OK", plain.recv(4096))
        self.server.command("later 1")
        self.assertEqual(self.server.get("/api/v1/health/performance")[0], 200)
        let_go()
        body = b""
        while more := plain.recv(1 << 16):
            body += more
        self.assertEqual(len(body[-len(content):]), len(content))
        self.assertEqual(body[-len(content):], content)

    def test_it_ends_though_a_read_stands_still(self):
        path, _, _ = self.stuck_read()
        self.stalled(path)
        self.assertLess(self.server.stop(), 5)


if __name__ == "__main__":
    harness.main()
