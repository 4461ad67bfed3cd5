#!/usr/bin/env python3
"""Alerts sent to a real Alertmanager. usage: alertmanager_test.py its_alert_sender deploy/prometheus; exits 77
(skipped) where Alertmanager is missing."""
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

SENDER, DEPLOY = sys.argv[1:3] if len(sys.argv) > 2 else (None, None)
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
REPEAT_MS = 500


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("not in time")


class Alertmanager(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.daemon = None
        self.start()
        self.sender = subprocess.Popen([SENDER, self.url, str(REPEAT_MS)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)

    def start(self):
        self.daemon = subprocess.Popen(
            [ALERTMANAGER, f"--config.file={DEPLOY}/alertmanager.example.yml", f"--storage.path={self.folder.name}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.ready)

    def stop(self):
        self.daemon.kill()
        self.daemon.wait()

    def tearDown(self):
        self.sender.stdin.close()
        self.sender.wait(10)
        self.sender.stdout.close()
        self.stop()
        self.folder.cleanup()

    def ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def alerts(self):
        """Severity -> the alert, of those that Alertmanager holds for firing."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            return {a["labels"]["severity"]: a for a in json.load(answer)}

    def send(self, line):
        self.sender.stdin.write(line + "\n")
        self.sender.stdin.flush()
        self.assertRegex(self.sender.stdout.readline(), r"^sent \d+$")

    def test_an_alert_fires_rises_and_ends(self):
        self.send("gate critical firing")
        alert = self.alerts()["critical"]
        self.assertEqual(alert["labels"], {"alertname": "ItsErrorBudgetBurn", "severity": "critical", "scope": "camera",
                                           "camera": "gate", "job": "its-camera-ai", "instance": "edge-7"})
        self.assertIn("7500 of 7500 frames", alert["annotations"]["summary"])
        ends = alert["endsAt"]
        until(lambda: self.alerts()["critical"]["endsAt"] > ends)  # reminded while it fires
        self.send("gate emergency firing")
        self.assertEqual(list(self.alerts()), ["emergency"])
        self.assertEqual(self.alerts()["emergency"]["startsAt"], alert["startsAt"])
        self.send("gate emergency resolved")
        self.assertEqual(self.alerts(), {})

    def test_what_nobody_repeats_ends(self):
        self.send("gate critical firing")
        self.sender.kill()
        until(lambda: not self.alerts(), 4 * REPEAT_MS / 1000 + 5)

    def test_an_alertmanager_that_comes_back_empty_learns_what_fires(self):
        self.send("gate critical firing")
        self.stop()
        self.folder.cleanup()
        self.folder = tempfile.TemporaryDirectory()
        self.start()
        until(lambda: "critical" in self.alerts())


if __name__ == "__main__":
    if not ALERTMANAGER:
        print("skipped: Alertmanager (package prometheus-alertmanager) is not installed")
        sys.exit(77)
    pathlib.Path(DEPLOY, "alertmanager.example.yml").stat()
    unittest.main(argv=sys.argv[:1], verbosity=2)
