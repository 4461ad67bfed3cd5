#!/usr/bin/env python3
"""How a daemon ends that cannot end well: its last rows are kept whatever holds the rest.

usage: end_test.py PATH-TO-its-camera-ai"""
import contextlib
import http.client
import os
import pathlib
import re
import sqlite3
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "cli")]
from test_cli import NULL, Daemon, wait_for  # noqa: E402

# what is noted waits for the end, unless that comes late
PATIENT = [*NULL, "--set", "store.flush_interval_seconds=60", "--set", "drain_timeout_seconds=0.5"]
CLIP = "2026-01-31T12-00-00.000Z-gate"


@contextlib.contextmanager
def stuck_clip(data, form=""):
    """A clip, or what was recorded for one, whose note holds who reads it, as a dead mount does: a pipe that is never written
    to. Waits for who is held."""
    folder = pathlib.Path(data, "clips")
    folder.mkdir(parents=True)
    (folder / f"{CLIP}.mp4{form}").write_bytes(b"clip")
    pipe = folder / f"{CLIP}.json"
    os.mkfifo(pipe)
    held = []

    def is_held():
        try:
            held.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            pass  # nobody reads it yet
        return held
    try:
        yield lambda: wait_for(is_held, "it is held")
    finally:
        for fd in held:
            os.close(fd)


def kept_cameras(data):
    with contextlib.closing(sqlite3.connect(f"file:{data}/its.sqlite?mode=rw", uri=True)) as database:
        return [row[0] for row in database.execute("SELECT camera FROM its_camera ORDER BY camera")]


class End(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = folder.name

    def wait_for_tables(self):
        """They are made when the database is first there."""
        wait_for(lambda: self.tables_are_made(), "the tables are made")
        self.assertEqual(kept_cameras(self.data), [])

    def tables_are_made(self):
        try:
            kept_cameras(self.data)
        except sqlite3.OperationalError:
            return False
        return True

    def test_a_disk_that_holds_who_looks_for_clips(self):
        with stuck_clip(self.data) as wait_until_held, \
                Daemon(*PATIENT, "--data-dir", self.data, "--camera", "gate=null://?fps=20") as daemon:
            self.wait_for_tables()
            asking = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
            asking.request("GET", f"/api/v1/clips/{CLIP}.mp4")
            wait_until_held()
            began = time.monotonic()
            code, _, err = daemon.stop()
            self.assertEqual(code, 0, err)
            self.assertLess(time.monotonic() - began, 8)
            answer = asking.getresponse()
            self.assertEqual((answer.status, b"shutting down" in answer.read()), (503, True))
            asking.close()
        self.assertIn("threads left to it: 1", err)
        self.assertEqual(kept_cameras(self.data), ["gate"])

    def test_a_disk_that_holds_who_writes_clips(self):
        with stuck_clip(self.data, ".mpegts") as wait_until_held, \
                Daemon(*PATIENT, "--data-dir", self.data, "--camera", "gate=null://?fps=20") as daemon:
            self.wait_for_tables()
            wait_until_held()
            code, _, err = daemon.stop()
        self.assertEqual(code, 4, err)
        self.assertIn("cannot end: the thread that writes clips does not end", err)
        self.assertEqual(kept_cameras(self.data), ["gate"])

    def test_an_engine_that_hangs(self):
        with Daemon(*PATIENT, "--data-dir", self.data, "--null-ms", 1e9, "--camera", "gate=null://?fps=20") as daemon:
            self.wait_for_tables()
            wait_for(lambda: not re.search(rb"(?m)^its_oldest_frame_in_flight_seconds 0$", daemon.get("/metrics")),
                     "a batch is in the engine")
            code, _, err = daemon.stop()
        self.assertEqual(code, 4, err)
        self.assertIn("cannot end: ml_inference does not end", err)
        self.assertEqual(kept_cameras(self.data), ["gate"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
