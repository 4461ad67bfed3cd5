"""The daemon with real servers under its pools, and a Redis server, on loopback for as long as a test lasts. Standard
library only."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from postgres import free_port

CAMERAS, FPS = 4, 25


def until(what, condition, seconds=20):
    """Until it holds; its value, and the seconds that took."""
    start = time.monotonic()
    while True:
        value = condition()
        if value:
            return value, time.monotonic() - start
        if time.monotonic() > start + seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.03)


class Redis:
    """redis-server with a password."""

    PASSWORD = "another-secret"

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="its-redis-")
        self.port, self.process = free_port(), None
        self.start()

    def url(self, password=PASSWORD):
        return f"redis://:{password}@127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir",
                                         self.folder.name, "--requirepass", self.PASSWORD], stdout=subprocess.DEVNULL)
        until("redis-server answers", lambda: self.process.poll() is None and not self.probe())

    def probe(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.kill()
        self.folder.cleanup()


class Daemon:
    """serve with cameras whose detector takes 5 ms a batch. settings: options by name. folder: data_dir; None: one of its
    own."""

    def __init__(self, binary, settings=None, folder=None, prefix=(), env=None, cameras=CAMERAS, arguments=()):
        self.port = free_port()
        self.own = None if folder else tempfile.TemporaryDirectory(prefix="its-data-")
        self.folder = pathlib.Path(folder or self.own.name)
        self.log_file = tempfile.TemporaryFile("w+")
        options = [x for name, value in (settings or {}).items() for x in ("--set", f"{name}={value}")]
        sources = [x for i in range(cameras) for x in ("--camera", f"c{i}=null://?fps={FPS}")]
        self.process = subprocess.Popen(
            [*prefix, binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", str(self.folder),
             "--set", "backend=null", "--null-ms", "5", *sources, *options, *arguments],
            stdout=self.log_file, stderr=self.log_file, env={**os.environ, **(env or {})})

    def wait_until_ready(self):
        def ready():
            assert self.process.poll() is None, self.log()
            try:
                return self.ask("/api/v1/health/ready")[0] == 200
            except OSError:
                return False
        until("the daemon is ready", ready)
        return self

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def json(self, path):
        status, body = self.ask(path)
        assert status == 200, (path, status, body[:300])
        return json.loads(body)

    def pools(self):
        """The pools by their name, and the store."""
        document = self.json("/api/v1/performance/pools")
        return {**{pool["pool_name"]: pool for pool in document["pools"]}, "store": document["store"]}

    def wait_for(self, name, *healths, seconds=20):
        """Until a pool, or the store, is so; it, and the seconds that took."""
        return until(f"{name} is {' or '.join(healths)}", lambda: (p := self.pools()[name])["health"] in healths and p, seconds)

    def frames(self):
        return self.json("/api/v1/overview")["ledger"]

    def log(self):
        self.log_file.flush()
        return pathlib.Path(f"/proc/self/fd/{self.log_file.fileno()}").read_text()

    def everything_said(self):
        """All that a person may come to see."""
        paths = ("/metrics", "/api/v1/overview", "/api/v1/performance/pools", "/api/v1/performance/status?detailed=1",
                 "/api/v1/performance/metrics", "/api/v1/performance/alerts", "/api/v1/performance/config")
        return "\n".join(self.ask(path)[1] for path in paths) + self.log()

    def stop(self, seconds=30):
        """Exit code, and the seconds that took."""
        start = time.monotonic()
        self.process.terminate()
        code = self.process.wait(seconds)
        return code, time.monotonic() - start

    def __enter__(self):
        return self.wait_until_ready()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log_file.close()
        if self.own:
            self.own.cleanup()


def on_time(before, after):
    """Share of the frames due in between that were delivered in time."""
    due = (after["expected"] - after["skipped"] - after["in_flight"]) - (before["expected"] - before["skipped"] - before["in_flight"])
    return (after["delivered"] - before["delivered"]) / max(1, due)
