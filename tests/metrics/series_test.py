"""The number of series does not grow: 10,000 viewers come and go, 400 of them at once, and 1,000 cameras are added and
removed. usage: series_test.py its-camera-ai

Every viewer is a connection of its own that asks for live events and reads the first of them. They come in waves,
because each is two file descriptors of this machine."""
import selectors
import socket
import sys
import unittest

import scrape

BINARY = ""
VIEWERS, AT_ONCE = 10_000, 400
CAMERAS, CAMERAS_AT_ONCE = 1_000, 50
REQUEST = b"GET /api/v1/detections HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def open_viewers(port, count):
    """Sockets that have each received the beginning of an event."""
    viewers, waiting = [], selectors.DefaultSelector()
    for _ in range(count):
        viewer = socket.create_connection(("127.0.0.1", port), timeout=20)
        viewer.sendall(REQUEST)
        viewers.append(viewer)
        waiting.register(viewer, selectors.EVENT_READ, bytearray())
    while waiting.get_map():
        for key, _ in waiting.select(timeout=20) or [(None, 0)]:
            assert key, f"{len(waiting.get_map())} viewers got no event"
            part = key.fileobj.recv(65536)
            assert part, f"a viewer was turned away: {bytes(key.data)[:200]!r}"
            key.data.extend(part)
            assert len(key.data) < 1_000_000, "no event in a megabyte"
            if b"data: " in key.data:
                waiting.unregister(key.fileobj)
    waiting.close()
    return viewers


class Series(unittest.TestCase):
    def setUp(self):
        self.daemon = scrape.Daemon(BINARY, "--camera", "watched=null://?fps=25")
        self.daemon.__enter__()
        self.addCleanup(self.daemon.__exit__)
        scrape.until(lambda: self.value("its_camera_latency_seconds", camera="watched"))

    def series(self):
        return set(scrape.samples(self.daemon.text()))

    def value(self, name, **labels):
        return float(scrape.samples(self.daemon.text()).get((name, tuple(sorted(labels.items()))), 0))

    def test_ten_thousand_viewers(self):
        before = self.series()
        for _ in range(VIEWERS // AT_ONCE):
            viewers = open_viewers(self.daemon.port, AT_ONCE)
            self.assertEqual(self.value("its_viewers", kind="events"), AT_ONCE)
            self.assertEqual(self.series(), before)
            for viewer in viewers:
                viewer.close()
            scrape.until(lambda: self.value("its_viewers", kind="events") == 0)
        self.assertEqual(self.series(), before)
        self.assertGreaterEqual(self.value("its_http_connections_opened_total"), VIEWERS)
        self.assertGreaterEqual(self.value("its_viewer_network_seconds_count", kind="events"), VIEWERS)

    def test_a_thousand_cameras(self):
        before = self.series()
        connection = self.daemon.connect()
        for wave in range(CAMERAS // CAMERAS_AT_ONCE):
            names = [f"camera-{wave}-{n}" for n in range(CAMERAS_AT_ONCE)]
            for name in names:
                camera = {"id": name, "url": "null://?fps=1"}
                status, _, body = self.daemon.ask("POST", "/api/v1/cameras", camera, connection)
                self.assertEqual(status, 201, body)
            there = {dict(labels)["camera"] for name, labels in self.series() if name == "its_camera_info"}
            self.assertEqual(there, {"watched", *names})
            for name in names:
                self.assertEqual(self.daemon.ask("DELETE", f"/api/v1/cameras/{name}", None, connection)[0], 204)
        connection.close()
        self.assertEqual(self.series(), before)
        self.assertEqual(self.value("its_ledger_balance"), 0)
        self.assertEqual(self.value("its_http_requests_total", path="/api/v1/cameras", code="201"), CAMERAS)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
