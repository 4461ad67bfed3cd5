#!/usr/bin/env python3
"""A daemon with synthetic cameras and the project's own detector: what it keeps, and what it answers when it is asked, is
what it said while it happened. On SQLite, over a restart; on PostgreSQL, over the death of the server.

usage: daemon_test.py PATH-TO-its-camera-ai"""
import collections
import datetime
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "cli"), str(HERE.parent / "pool")]
from postgres import Postgres  # noqa: E402
from test_cli import Daemon, wait_for  # noqa: E402

ROAD = "synth://motorway?size=640x384&fps=25&seconds=20&seed=5"
LEAST = 0.5  # seconds that an object must be seen for, to count
SETTINGS = ["--set", "adaptive_quality.enable_adaptive_quality=false", "--set", "server.viewer_queue=64"]


def ask(daemon, path, **query):
    """Status and document."""
    url = daemon.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def all_pages(daemon, path, key, **query):
    rows, cursor = [], None
    while True:
        status, page = ask(daemon, path, **query, **({"cursor": cursor} if cursor else {}))
        assert status == 200, (status, page)
        rows += page[key]
        cursor = page["next"]
        if cursor is None:
            return rows
        assert page[key], page


def add(daemon, camera, url=ROAD):
    body = json.dumps({"id": camera, "url": url}).encode()
    request = urllib.request.Request(daemon.url + "/api/v1/cameras", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201


def remove(daemon, camera):
    request = urllib.request.Request(f"{daemon.url}/api/v1/cameras/{camera}", method="DELETE")
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 204


class Watcher(threading.Thread):
    """What the detections' stream shows of each object: by id, when it was seen first and last, and its classes."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.first, self.last, self.classes, self.results, self.seqs = {}, {}, collections.defaultdict(set), 0, set()
        self.answer = urllib.request.urlopen(daemon.url + "/api/v1/detections", timeout=60)
        self.start()

    def run(self):
        try:
            for line in self.answer:
                if line.startswith(b"data: "):
                    self.take(json.loads(line[6:]))
        except (OSError, ValueError):
            pass  # the daemon ended

    def take(self, result):
        when = datetime.datetime.fromisoformat(result["capture_time"].replace("Z", "+00:00")).timestamp()
        self.results += 1
        self.seqs.add((result["camera"], result["seq"]))
        for box in result["detections"]:
            if "track" in box and not result["tracked"]:
                key = result["camera"], box["track"]
                self.first.setdefault(key, when)
                self.last[key] = when
                self.classes[key].add(box["class"])

    def objects(self, camera, least=0.0):
        return {key[1] for key in self.first if key[0] == camera and self.last[key] - self.first[key] >= least}


class Kept(unittest.TestCase):
    def check(self, watcher, daemon, camera):
        """The counts are the events, and both what the stream showed. Of weak boxes it shows nothing, though they carry an
        object on: one may have lasted a little longer than could be seen."""
        counts = all_pages(daemon, f"/api/v1/cameras/{camera}/counts", "counts")
        events = all_pages(daemon, f"/api/v1/cameras/{camera}/events", "events", limit=7)
        tracks = [event["track"] for event in events]
        counted = collections.Counter()
        for row in counts:
            counted[row["class"]] += row["count"]
        self.assertEqual(len(set(tracks)), len(tracks))
        self.assertEqual(counted, collections.Counter(event["class"] for event in events))
        self.assertLessEqual(watcher.objects(camera, LEAST + 0.002), set(tracks))
        self.assertLessEqual(set(tracks), watcher.objects(camera))
        self.assertEqual([e["time"] for e in events], sorted((e["time"] for e in events), reverse=True))
        for event in events:
            self.assertIn(event["class"], watcher.classes[camera, event["track"]])
            self.assertGreaterEqual(event["data"]["seconds"], LEAST - 0.001)
            self.assertTrue(all(-0.1 <= share <= 1.1 for share in event["data"]["from"] + event["data"]["to"]))
        return len(tracks)

    def run_cameras(self, daemon, watcher, cameras, objects):
        for camera in cameras:
            add(daemon, camera)
        wait_for(lambda: all(len(watcher.objects(camera, LEAST)) >= objects for camera in cameras), "objects pass", 60)
        for camera in cameras:
            remove(daemon, camera)  # what is there has left

    def written(self, daemon, watcher, cameras):
        """Until all of what should be there is, counts after events; a camera that was never written is not known."""
        def there(camera):
            path = f"/api/v1/cameras/{camera}/"
            if ask(daemon, path + "events")[0] != 200:
                return False
            tracks = {event["track"] for event in all_pages(daemon, path + "events", "events")}
            counted = sum(row["count"] for row in all_pages(daemon, path + "counts", "counts"))
            return watcher.objects(camera, LEAST + 0.002) <= tracks and counted == len(tracks)
        wait_for(lambda: all(map(there, cameras)), "it is written", 30)

    def test_on_sqlite_over_a_restart(self):
        with tempfile.TemporaryDirectory() as data:
            with Daemon(*SETTINGS, "--data-dir", data) as daemon:
                watcher = Watcher(daemon)
                self.run_cameras(daemon, watcher, ("gate", "yard"), 12)
                self.written(daemon, watcher, ("gate", "yard"))
                kept = {camera: self.check(watcher, daemon, camera) for camera in ("gate", "yard")}
                print("  counted:", kept, "of", {c: len(watcher.objects(c)) for c in kept}, "ids")
                add(daemon, "gate", "rtsp://user:hunter2@127.0.0.1:1/")
                before = all_pages(daemon, "/api/v1/cameras/gate/counts", "counts")
                _, hours = ask(daemon, "/api/v1/cameras/gate/counts", bucket=60)
                self.assertEqual(sum(r["count"] for r in hours["counts"]), kept["gate"])
                some = hours["counts"][0]["class"]
                _, one = ask(daemon, "/api/v1/cameras/gate/counts", **{"class": some})
                self.assertEqual({r["class"] for r in one["counts"]}, {some})
                self.assertEqual(all_pages(daemon, "/api/v1/cameras/gate/counts", "counts", limit=1), before)
                self.mistakes(daemon)
                known = wait_for(lambda: self.both_known(daemon), "cameras are written")
                self.assertEqual([c["id"] for c in known], ["gate", "yard"])
                self.assertEqual([c["present"] for c in known], [True, False])
                self.assertEqual(known[0]["settings"]["url"], "rtsp://user:***@127.0.0.1:1/")
            with Daemon(*SETTINGS, "--data-dir", data) as daemon:
                self.assertEqual(all_pages(daemon, "/api/v1/cameras/gate/counts", "counts"), before)
                self.assertEqual(self.check(watcher, daemon, "yard"), kept["yard"])
                _, cameras = ask(daemon, "/api/v1/store/cameras")
                self.assertEqual([(c["id"], c["present"]) for c in cameras["cameras"]], [("gate", False), ("yard", False)])

    def both_known(self, daemon):
        """Once it is written that one came back and the other went."""
        cameras = all_pages(daemon, "/api/v1/store/cameras", "cameras", limit=1)
        settings = {camera["id"]: camera["settings"] for camera in cameras}
        back = (settings.get("gate") or {}).get("url", "").startswith("rtsp")
        return cameras if back and settings.get("yard", "") is None else None

    def mistakes(self, daemon):
        for path, query, status, words in (
                ("gate/counts", {"from": "yesterday"}, 400, "yesterday"), ("gate/counts", {"bucket": 0}, 400, "bucket"),
                ("gate/counts", {"from": 20, "to": 10}, 400, "later"), ("gate/events", {"cursor": "x"}, 400, "cursor"),
                ("gate/events", {"limit": 1001}, 400, "limit"), ("nobody/events", {}, 404, "nobody"),
                ("nobody/counts", {}, 404, "nobody"), ("nobody/violations", {}, 404, "nobody"),
                ("nobody/quality/history", {}, 404, "nobody")):
            done = ask(daemon, "/api/v1/cameras/" + path, **query)
            self.assertEqual(done[0], status, (path, query, done))
            self.assertIn(words, done[1]["detail"])
        self.assertEqual(ask(daemon, "/api/v1/cameras/gate/events", to="1990-01-01")[1]["events"], [])
        self.assertEqual(ask(daemon, "/api/v1/cameras/gate/events", **{"from": time.time() + 60})[1]["events"], [])

    def test_on_postgres_over_its_death(self):
        with tempfile.TemporaryDirectory() as data, Postgres() as server:
            with Daemon(*SETTINGS, "--data-dir", data, "--set", f"database_url={server.url()}") as daemon:
                watcher = Watcher(daemon)
                self.run_cameras(daemon, watcher, ("gate",), 6)
                self.written(daemon, watcher, ("gate",))
                self.stalled(daemon, server)
                server.kill()
                self.run_cameras(daemon, watcher, ("yard",), 12)  # noted while it is away
                self.away(daemon, "away")
                server.start()
                wait_for(lambda: ask(daemon, "/api/v1/store/cameras")[0] == 200, "the database is back", 30)
                self.written(daemon, watcher, ("gate", "yard"))
                for camera in ("gate", "yard"):
                    print(f"  {camera}:", self.check(watcher, daemon, camera), "of", len(watcher.objects(camera)), "ids")
            self.assertEqual(int(server.sql("SELECT count(*) FROM its_event")),
                             int(server.sql("SELECT sum(n) FROM its_count")))

    def away(self, daemon, what):
        """Questions are answered, in time and with the reason; and they hold up nothing else."""
        answers = []

        def question():
            start = time.monotonic()
            answers.append((*ask(daemon, "/api/v1/cameras/gate/events"), time.monotonic() - start))
        threads = [threading.Thread(target=question) for _ in range(8)]
        for thread in threads:
            thread.start()
        start = time.monotonic()
        add(daemon, "between", "rtsp://127.0.0.1:1/")
        remove(daemon, "between")
        took = time.monotonic() - start
        for thread in threads:
            thread.join()
        print(f"  {what}: cameras came and went in {took:.2f} s, answers within {max(a[2] for a in answers):.2f} s: "
              f"{answers[0][1]['detail']}")
        self.assertLess(took, 2)
        for status, document, seconds in answers:
            self.assertEqual(status, 503, document)
            self.assertIn("database", document["detail"])
            self.assertLess(seconds, 6)

    def stalled(self, daemon, server):
        backends = server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'its-camera-ai'").split()
        for pid in (server.process.pid, *map(int, backends)):
            os.kill(pid, signal.SIGSTOP)
        try:
            self.away(daemon, "stalled")
        finally:
            for pid in (server.process.pid, *map(int, backends)):
                os.kill(pid, signal.SIGCONT)

    def test_switched_off(self):
        with Daemon("--set", "backend=null", "--set", "store.store_enabled=false", "--camera", "gate=null://?fps=1") as daemon:
            for path in ("cameras/gate/counts", "cameras/gate/quality/history", "store/cameras"):
                status, document = ask(daemon, "/api/v1/" + path)
                self.assertEqual(status, 404)
                self.assertIn("store_enabled", document["detail"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
