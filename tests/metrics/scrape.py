"""A daemon to scrape, and what a scrape says. Needs prometheus_client (tests/requirements.txt)."""
import contextlib
import http.client
import json
import re
import socket
import subprocess
import tempfile
import time

from prometheus_client.openmetrics.parser import text_string_to_metric_families

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """its-camera-ai serve on a free port without a detector; a context manager."""

    def __init__(self, binary, *args):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory()
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.folder.name,
             "--set", "backend=null", *args], stdout=self.log, stderr=self.log)

    def __enter__(self):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/api/v1/health/ready")[0] == 200:
                    return self
            time.sleep(0.05)
        self.__exit__()
        raise AssertionError("the daemon did not become ready")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        self.folder.cleanup()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, document=None, connection=None, headers=None):
        """Status, headers and body; over a connection that is kept, where one is given."""
        used = connection or self.connect()
        headers = dict(headers or {}, **({"Content-Type": "application/json"} if document is not None else {}))
        used.request(method, path, json.dumps(document) if document is not None else None, headers)
        answer = used.getresponse()
        result = answer.status, answer.headers, answer.read()
        if not connection:
            used.close()
        return result

    def scrape(self, accept=None):
        status, headers, body = self.ask("GET", "/metrics", headers={"Accept": accept} if accept else None)
        assert status == 200, status
        return headers["Content-Type"], body.decode()

    def text(self):
        return self.scrape()[1]

    def openmetrics(self):
        return self.scrape(OPENMETRICS)[1]


def until(check, seconds=15):
    """What check gives as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{check} did not become true within {seconds} s")


def samples(text):
    """Of either format: {(name, ((label, value), ...)): number as text}, the labels sorted."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        match = SAMPLE.match(line.split(" # ")[0])
        assert match, line
        key = match[1], tuple(sorted(LABEL.findall(match[2] or "")))
        assert key not in found, f"{key} twice"
        found[key] = match[3]
    return found


def value(found, name, **labels):
    return float(found[name, tuple(sorted(labels.items()))])


def families(openmetrics):
    """As the strict parser reads them: {name: family}."""
    return {family.name: family for family in text_string_to_metric_families(openmetrics)}
