"""A daemon of a benchmark's own, with a port and a folder that nobody else has."""
import contextlib
import json
import pathlib
import socket
import subprocess
import time
import urllib.request

ANSWERS_WITHIN_S = 30
ENDS_WITHIN_S = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    """Runs from when it answers until close(), or to the end of a `with`. settings: of options; arguments: of `serve`."""

    def __init__(self, binary, folder, settings, *arguments):
        port = free_port()
        command = [binary, "serve", "--listen", f"127.0.0.1:{port}", *arguments]
        for key, value in {"data_dir": folder, **settings}.items():
            command += ["--set", f"{key}={value}"]
        self.url = f"http://127.0.0.1:{port}"
        self.said = pathlib.Path(folder) / "stderr.txt"  # a pipe that nobody reads would fill up and stop it
        with self.said.open("w") as said:
            self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=said)
        try:
            self.await_answer()
        except BaseException:
            self.close()
            raise

    def await_answer(self):
        until = time.monotonic() + ANSWERS_WITHIN_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                self.ask("/api/v1/performance/status")
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"the daemon ended: {self.said.read_text()}")
            time.sleep(0.1)
        raise RuntimeError(f"the daemon does not answer: {self.said.read_text()}")

    def ask(self, path, body=None, method=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = response.read()
        return json.loads(answer) if answer else None

    def add_camera(self, name, url):
        self.ask("/api/v1/cameras", {"id": name, "url": url})

    def remove_camera(self, name):
        self.ask(f"/api/v1/cameras/{name}", method="DELETE")

    def await_cameras(self):
        """Until all of them run."""
        while any(c["state"] != "running" for c in self.ask("/api/v1/cameras")["cameras"]):
            time.sleep(0.2)

    def freeze_flight(self):
        """The path of a flight record of what was until now."""
        return self.ask("/api/v1/performance/flight", {})["path"]

    def close(self):
        self.process.terminate()  # without effect on one that has ended
        try:
            self.process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
