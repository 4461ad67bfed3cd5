"""W3C trace context over HTTP: what clients give, what they get back, and what a collector hears of it.

usage: trace_test.py PATH-TO-serve_fake PATH-TO-tests/latency"""
import http.client
import json
import re
import sys
import time

sys.path.insert(0, sys.argv.pop(2))
from harness import Case, events, main, mjpeg_parts, wall_records  # noqa: E402

try:
    from collector import Collector, attributes, trace
except ImportError as error:
    print(f"SKIPPED: trace context against a strict collector: {error}")
    sys.exit(77)

PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0([013])")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CLIENT = f"00-{TRACE}-{SPAN}-01"
SNAPSHOT = "/api/v1/cameras/camera_001/snapshot.jpg?width=160"
NEWEST = "/api/v1/cameras/camera_001/detections?format=json"
MALFORMED = ["", "nonsense", CLIENT.upper(), CLIENT[:-1], CLIENT + "0", CLIENT.replace("-", "_"),
             f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-01-extra", "x" * 3000]


class TraceContext(Case):
    def setUp(self):
        self.collector = Collector()
        self.addCleanup(self.collector.close)

    def start(self, rate, *args):
        return self.serve("--otlp", f"http://127.0.0.1:{self.collector.port}", "--trace-rate", str(rate), *args)

    def parent(self, headers):
        """(trace id, span id, sampled) of the one traceparent there is."""
        values = headers.get_all("traceparent") or []
        self.assertEqual(len(values), 1, headers.as_string())
        match = PARENT.fullmatch(values[0])
        self.assertTrue(match, values[0])
        return match[1], match[2], int(match[3]) & 1

    def get(self, server, path, headers):
        """Repeated headers are lists."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self.addCleanup(connection.close)
        connection.putrequest("GET", path)
        for name, values in headers.items():
            for value in [values] if isinstance(values, str) else values:
                connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        self.assertEqual(answer.status, 200, body[:200])
        return answer.headers, body

    def picture(self, server):
        self.until(lambda: server.get(SNAPSHOT)[0] == 200, what="a picture")

    def span(self, span_id, seconds=5):
        """The root with that id and its children, by name."""
        def found():
            with self.collector.lock:
                return next((s for s in self.collector.spans if s.span_id.hex() == span_id), None)
        root = self.until(found, seconds, f"span {span_id}")
        with self.collector.lock:
            children = {s.name: s for s in self.collector.spans if s.parent_span_id == root.span_id}
        return root, children

    def tearDown(self):
        self.assertEqual(self.collector.errors, [])

    def test_a_request_becomes_a_span_of_the_clients_trace(self):
        server = self.start(0)
        self.picture(server)
        before = time.time_ns()
        headers, body = self.get(server, SNAPSHOT, {"traceparent": CLIENT, "tracestate": ["rojo=1,", "congo=t61"]})
        after = time.time_ns()
        trace_id, span_id, sampled = self.parent(headers)
        self.assertEqual((trace_id, sampled), (TRACE, 1))
        self.assertNotEqual(span_id, SPAN)
        self.assertNotIn("tracestate", headers)
        root, children = self.span(span_id)
        self.assertEqual(root.trace_id.hex(), TRACE)
        self.assertEqual(root.parent_span_id.hex(), SPAN)
        self.assertEqual(root.trace_state, "rojo=1,congo=t61")
        self.assertEqual(root.name, "GET /api/v1/cameras/{id}/snapshot.jpg")
        self.assertEqual(root.kind, trace.Span.SPAN_KIND_SERVER)
        facts = attributes(root.attributes)
        self.assertEqual(facts["http.response.status_code"], 200)
        self.assertEqual(facts["http.response.body.size"], len(body))
        self.assertEqual(facts["its.camera.id"], "camera_001")
        self.assertEqual(facts["its.frame.seq"], int(headers["X-ITS-Seq"]))
        self.assertIn("network_transmission", children)
        self.assertTrue(before - 5e6 < root.start_time_unix_nano <= root.end_time_unix_nano < after + 5e6,
                        "the span lies within the request")

    def test_encoding_for_this_request_is_part_of_its_span(self):
        server = self.start(0, "--fps", "100")
        self.picture(server)
        for _ in range(20):  # the newest picture may have been encoded for the request before
            headers, _ = self.get(server, SNAPSHOT, {"traceparent": CLIENT})
            _, children = self.span(self.parent(headers)[1])
            if "encoding" in children:
                break
            time.sleep(0.02)
        self.assertEqual(set(children),
                         {"encoding.wait", "encoding", "network_transmission.wait", "network_transmission"})
        shown = float(re.search(r"encoding;dur=([\d.]+)", headers["Server-Timing"])[1])
        told = sum(children[n].end_time_unix_nano - children[n].start_time_unix_nano
                   for n in ("encoding.wait", "encoding")) / 1e6
        self.assertGreaterEqual(told + 0.01, shown, "the request came before the encoder was asked")

    def test_results_too(self):
        server = self.start(0)
        self.picture(server)
        headers, body = self.get(server, NEWEST, {"traceparent": CLIENT})
        root, _ = self.span(self.parent(headers)[1])
        self.assertEqual(root.trace_id.hex(), TRACE)
        self.assertEqual(root.name, "GET /api/v1/cameras/{id}/detections")
        self.assertRegex(json.loads(body)["trace_id"], r"^[0-9a-f]{32}$")

    def test_without_a_context_the_frames_trace_is_told(self):
        server = self.start(1)
        self.picture(server)
        headers, body = self.get(server, NEWEST, {})
        trace_id, span_id, sampled = self.parent(headers)
        self.assertEqual((trace_id, sampled), (json.loads(body)["trace_id"], 1))
        root, _ = self.span(span_id)
        frame = self.until(lambda: next((s for s in list(self.collector.spans)
                                         if s.name == "frame" and s.trace_id == root.trace_id), None))
        self.assertEqual(root.parent_span_id, frame.span_id)
        self.assertEqual(attributes(frame.attributes)["its.frame.seq"], json.loads(body)["seq"])

    def test_an_unsampled_client_is_answered_and_not_kept(self):
        server = self.start(0)
        self.picture(server)
        headers, _ = self.get(server, SNAPSHOT, {"traceparent": CLIENT[:-1] + "0"})
        quiet = self.parent(headers)
        self.assertEqual((quiet[0], quiet[2]), (TRACE, 0))
        headers, _ = self.get(server, SNAPSHOT, {"traceparent": CLIENT})
        self.span(self.parent(headers)[1])  # sent after it
        root = [s for s in self.collector.spans if s.span_id.hex() == quiet[1]]
        self.assertTrue(not root or root[0].HasField("status"), "kept without being late")

    def test_malformed_contexts_are_ignored(self):
        server = self.start(0)
        self.picture(server)
        for value in MALFORMED:
            headers, body = self.get(server, NEWEST, {"traceparent": value, "tracestate": "rojo=1"})
            self.assertEqual(self.parent(headers)[0], json.loads(body)["trace_id"], value[:80])
        headers, body = self.get(server, NEWEST, {"traceparent": [CLIENT, CLIENT]})
        self.assertEqual(self.parent(headers)[0], json.loads(body)["trace_id"], "two of them")
        headers, _ = self.get(server, NEWEST, {"TraceParent": CLIENT, "tracestate": "not a list,,=,x=\x01y,ok=1"})
        root, _ = self.span(self.parent(headers)[1])
        self.assertEqual((root.trace_id.hex(), root.trace_state), (TRACE, "ok=1"))
        many = [f"k{i}={'v' * 90}" for i in range(90)]
        headers, _ = self.get(server, NEWEST, {"traceparent": CLIENT, "tracestate": many})
        root, _ = self.span(self.parent(headers)[1])
        self.assertTrue(0 < len(root.trace_state) <= 512)

    def test_nothing_can_be_slipped_into_the_answer(self):
        server = self.start(0)
        self.picture(server)
        for name in ("traceparent", "tracestate"):
            for evil in (b"%b\r\n X-Evil: 1", b"%b\rX-Evil: 1", b"%b\n\tX-Evil: 1", b"%b\0X-Evil: 1", b"%b\x0b\xff"):
                value = evil % (CLIENT if name == "traceparent" else "rojo=1").encode()
                other = f"traceparent: {CLIENT}\r\n".encode() if name == "tracestate" else b""
                with server.raw() as plain:
                    plain.sendall(f"GET {NEWEST} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode() + other
                                  + name.encode() + b": " + value + b"\r\n\r\n")
                    answer = b""
                    while part := plain.recv(65536):
                        answer += part
                head = answer.split(b"\r\n\r\n")[0]
                self.assertNotIn(b"evil", head.lower(), value)
                self.assertIn(head.split()[1], (b"200", b"400"), value)
                if head.split()[1] == b"200":
                    self.assertEqual(head.lower().count(b"traceparent: "), 1)

    def test_head_and_errors_serve_nothing(self):
        server = self.start(1)
        self.picture(server)
        for method, path in (("HEAD", SNAPSHOT), ("GET", "/api/v1/cameras/nobody/snapshot.jpg"),
                             ("GET", "/api/v1/overview")):
            headers = server.ask(method, path, headers={"traceparent": CLIENT})[1]
            self.assertNotIn("traceparent", headers, path)

    def test_live_pictures_are_spans_of_their_frames_linked_to_the_client(self):
        server = self.start(1)
        connection, response = self.watch(server, "/api/v1/cameras/camera_001/live.mjpg?width=160")
        parts = mjpeg_parts(response, 4)
        connection.close()
        self.assertEqual(len({PARENT.fullmatch(h["traceparent"])[2] for h, _ in parts}), 4)
        for headers, jpeg in parts[:3]:
            trace_id, span_id, _ = PARENT.fullmatch(headers["traceparent"]).groups()
            self.assertNotEqual(trace_id, TRACE)
            root, children = self.span(span_id)
            self.assertEqual(root.trace_id.hex(), trace_id)
            self.assertEqual([(link.trace_id.hex(), link.span_id.hex()) for link in root.links], [(TRACE, SPAN)])
            facts = attributes(root.attributes)
            self.assertEqual(facts["its.frame.seq"], int(headers["X-ITS-Seq"]))
            self.assertEqual(facts["http.response.body.size"], len(jpeg))
            self.assertIn("network_transmission", children)
        self.assertIn("encoding", children)

    def test_events_and_the_wall_name_the_trace(self):
        server = self.start(1)
        connection, response = self.watch(server, "/api/v1/detections")
        results = [json.loads(event["data"]) for event in events(response, 6) if "id" in event]
        connection.close()
        self.assertEqual(len({r["trace_id"] for r in results}), len(results))
        self.traced(results[0]["trace_id"], "GET /api/v1/detections", results[0]["seq"])
        connection, response = self.watch(server, "/api/v1/wall?cameras=camera_002")
        shown = [document["result"] for document, _ in wall_records(response, 3) if document["type"] == "picture"]
        connection.close()
        self.traced(shown[0]["trace_id"], "GET /api/v1/wall", shown[0]["seq"])

    def test_who_leaves_in_the_middle_is_told(self):
        server = self.start(1, "--size", "1920x1080")
        plain = server.raw(receive_buffer=4096)
        plain.sendall(f"GET /api/v1/cameras/camera_001/live.mjpg HTTP/1.1\r\nHost: localhost\r\n"
                      f"traceparent: {CLIENT}\r\n\r\n".encode())
        plain.recv(100)
        time.sleep(0.5)  # its buffers fill
        plain.close()
        self.until(lambda: [s for s in list(self.collector.spans) if s.status.message == "the client went away"],
                   what="a span that says so")

    def watch(self, server, path):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", path, headers={"traceparent": CLIENT})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        return connection, response

    def traced(self, trace_id, name, seq):
        span = self.until(lambda: next((s for s in list(self.collector.spans)
                                        if s.name == name and s.trace_id.hex() == trace_id), None), what=name)
        self.assertEqual(attributes(span.attributes)["its.frame.seq"], seq)
        self.assertEqual(span.links[0].span_id.hex(), SPAN)


if __name__ == "__main__":
    main()
