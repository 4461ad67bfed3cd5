"""Starts the server over synthetic results and speaks HTTP to it. Standard library only."""
import http.client
import itertools
import json
import os
import socket
import struct
import subprocess
import sys
import time
import unittest

BINARY = os.environ.get("ITS_SERVE_FAKE", "")


class Server:
    """A running serve_fake; its standard input takes commands."""

    def __init__(self, *args):
        self.process = subprocess.Popen([BINARY, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.banner = self.process.stdout.readline().strip()
        self.port = int(self.banner.split()[1]) if self.banner.startswith("port ") else 0

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def published(self):
        """Results so far, and the longest a publish took in ms."""
        count, longest = self.command("published").split()
        return int(count), int(longest) / 1e6

    def stop(self):
        """Seconds that stopping took."""
        if self.process.poll() is not None:
            return None
        out, self.log = self.process.communicate("stop\n", timeout=20)
        assert self.process.returncode == 0, f"exit {self.process.returncode}: {self.log}"
        return float(out.split()[-1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    # --- asking ---

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {}, encode_chunked=not isinstance(body, (str, bytes, type(None))))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def json(self, path):
        status, _, body = self.get(path)
        assert status == 200, f"{path}: {status} {body[:200]!r}"
        return json.loads(body)

    def add(self, camera):
        return self.ask("POST", "/api/v1/cameras", json.dumps(camera), {"Content-Type": "application/json"})

    def stream(self, path, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("GET", path)
        return connection, connection.getresponse()

    def raw(self, receive_buffer=None):
        """A bare socket, to misbehave with."""
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(10)
        plain.connect(("127.0.0.1", self.port))
        return plain

    def metric(self, name, **labels):
        """One sample of /metrics; 0 when it is not there."""
        _, _, body = self.get("/metrics")
        wanted = "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else ""
        for line in body.decode().splitlines():
            if line.startswith(f"{name}{wanted} "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0


class Case(unittest.TestCase):
    """A test with servers of its own, ended whatever happens."""

    def serve(self, *args):
        server = Server(*args)
        self.addCleanup(server.kill)
        return server

    def problem(self, answer, status, part=""):
        code, headers, body = answer
        self.assertEqual(code, status, body)
        self.assertEqual(headers["Content-Type"], "application/problem+json")
        document = json.loads(body)
        self.assertEqual(document["status"], status)
        self.assertTrue(document["title"])
        self.assertIn(part, document["detail"])
        return document

    def until(self, check, seconds=10, what="it"):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = check()
            if value:
                return value
            time.sleep(0.02)
        self.fail(f"{what} did not happen within {seconds} s")


def wall_records(response, wanted, seconds=10):
    """Records of a wall until `wanted` pictures were seen: [(document, jpeg)]."""
    records, pictures = [], 0
    end = time.monotonic() + seconds
    while pictures < wanted and time.monotonic() < end:
        head = response.read(8)
        if len(head) < 8:
            break
        json_size, jpeg_size = struct.unpack(">II", head)
        document = json.loads(response.read(json_size))
        records.append((document, response.read(jpeg_size)))
        pictures += document["type"] == "picture"
    return records


def mjpeg_parts(response, wanted):
    """[(headers, jpeg)] of a multipart stream."""
    parts = []
    while len(parts) < wanted:
        line = response.readline()
        assert line == b"--its\r\n", line
        headers = {}
        while (line := response.readline()) != b"\r\n":
            name, value = line.decode().strip().split(": ", 1)
            headers[name] = value
        parts.append((headers, response.read(int(headers["Content-Length"]))))
        assert response.readline() == b"\r\n"
    return parts


def each_event(response):
    """Server-sent events as {field: value}, comments left out, as they come."""
    event = {}
    while line := response.readline():
        line = line.decode().rstrip("\n")
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            field, _, value = line.partition(": ")
            event[field] = value


def events(response, wanted):
    return list(itertools.islice(each_event(response), wanted))


def main():
    global BINARY
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
