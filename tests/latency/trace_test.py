"""Traces as a collector gets them: every byte against the schema, every span accounted for.

usage: trace_test.py PATH-TO-trace_driver"""
import email.utils
import json
import subprocess
import sys
import time
import unittest

try:
    from collector import Collector, attributes, decode, free_port, service
except ImportError as error:
    print(f"skipped: tracing against a strict collector: {error}")
    sys.exit(77)

DRIVER = sys.argv[1]
FRAME, DROPPED, SERVED = 9, 4, 5  # spans of a frame handed over, of one dropped in its mailbox, of a picture served
LOSSES = ["queue_full", "unreachable", "busy", "refused", "rejected", "out_of_memory", "shutdown"]


class Driver:
    def __init__(self, endpoint, **options):
        self.process = subprocess.Popen([DRIVER, endpoint, *(f"{k}={v}" for k, v in options.items())], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        _, self.log = self.process.communicate(timeout=20)
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Case(unittest.TestCase):
    def collector(self, *answers, port=0):
        collector = Collector(port, answers)
        self.addCleanup(collector.close)
        return collector

    def driver(self, target, **options):
        endpoint = target if isinstance(target, str) else f"http://127.0.0.1:{target.port}"
        driver = Driver(endpoint, **options)
        self.addCleanup(driver.kill)
        return driver

    def until(self, driver, check, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stats = driver.ask("stats")
            if check(stats):
                return stats
            time.sleep(0.02)
        self.fail(f"waited {seconds} s: {stats}")

    def stop(self, driver, milliseconds=5000):
        """Stops, and holds the books to the span."""
        stats = driver.ask(f"stop {milliseconds}")
        self.assertEqual(driver.end(), 0, driver.log)
        self.assertEqual(stats["waiting"], 0)
        self.assertEqual(stats["kept"], stats["exported"] + sum(stats[name] for name in LOSSES), stats)
        return stats

    def lost(self, stats, **wanted):
        self.assertEqual({name: stats[name] for name in LOSSES if stats[name]}, wanted)


class Strictness(Case):
    def test_the_decoder_refuses_what_is_wrong(self):
        collector = self.collector()
        driver = self.driver(collector)
        driver.ask("frames 2 late")
        self.stop(driver)
        good = collector.bodies[0]
        self.assertEqual(len(decode(good)[1]), 2 * FRAME)

        def spoiled(spoil):
            request = service.ExportTraceServiceRequest.FromString(good)
            spoil(request.resource_spans[0].scope_spans[0].spans)
            return request.SerializeToString()

        wrong = {
            "an unknown field": good + b"\xf8\x07\x01",
            "cut off": good[:-1],
            "a short trace id": spoiled(lambda spans: setattr(spans[0], "trace_id", spans[0].trace_id[:8])),
            "an id of zeros": spoiled(lambda spans: setattr(spans[3], "span_id", bytes(8))),
            "a parent that is not there": spoiled(lambda spans: setattr(spans[3], "parent_span_id", b"12345678")),
            "a parent in another trace": spoiled(lambda spans: setattr(spans[3], "trace_id", spans[FRAME].trace_id)),
            "an end before its start": spoiled(lambda spans: setattr(spans[4], "end_time_unix_nano", 1)),
            "a child outside its root": spoiled(lambda spans: setattr(spans[8], "end_time_unix_nano", 2**63)),
            "two at once": spoiled(lambda spans: setattr(spans[4], "start_time_unix_nano",
                                                         spans[2].start_time_unix_nano)),
            "another name": spoiled(lambda spans: setattr(spans[4], "name", "preprocess")),
            "the same twice": spoiled(lambda spans: spans.append(spans[0])),
            "a missing stage": spoiled(lambda spans: spans.pop(4)),
            "an attribute twice": spoiled(lambda spans: spans[0].attributes.append(spans[0].attributes[0])),
            "an error without a reason": spoiled(lambda spans: setattr(spans[0].status, "message", "")),
        }
        for what, body in wrong.items():
            with self.subTest(what), self.assertRaises(Exception):
                decode(body)


class Normal(Case):
    def test_a_frame_as_the_collector_sees_it(self):
        collector = self.collector()
        driver = self.driver(collector)
        trace_id = driver.ask("frames 1 on_time")["last_trace_id"]
        stats = self.stop(driver)
        self.assertEqual(collector.errors, [])
        self.assertEqual(stats["exported"], FRAME)
        self.lost(stats)
        self.assertEqual(collector.headers[0]["path"], "/v1/traces")
        root = collector.spans[0]
        self.assertEqual((root.name, root.trace_id.hex(), root.parent_span_id), ("frame", trace_id, b""))
        self.assertEqual(root.trace_state, "ot=th:0")
        self.assertLess(abs(root.end_time_unix_nano / 1e9 - time.time()), 5)
        self.assertEqual(root.end_time_unix_nano - root.start_time_unix_nano, 45_000_000)
        found = attributes(root.attributes)
        self.assertEqual(found, {"its.camera.id": "gate-7", "its.frame.seq": 1, "its.frame.origin": "arrival",
                                 "its.frame.outcome": "on_time", "its.frame.budget_seconds": 0.1, "its.batch.size": 4,
                                 "its.quality.level": "high", "its.model": "its-road"})
        self.assertEqual(collector.resources[0]["service.name"], "its-camera-ai")
        self.assertFalse(root.HasField("status"))

    def test_late_and_dropped_ones_come_whatever_the_rate(self):
        collector = self.collector()
        driver = self.driver(collector, rate=0)
        self.assertEqual(driver.ask("frames 50 on_time")["kept"], 0)
        self.assertEqual(driver.ask("frames 2 late")["kept"], 2)
        self.assertEqual(driver.ask("frames 3 dropped")["kept"], 3)
        stats = self.stop(driver)
        self.assertEqual(collector.errors, [])
        self.assertEqual(stats["exported"], 2 * FRAME + 3 * DROPPED)
        roots = [span for span in collector.spans if span.name == "frame"]
        self.assertEqual([span.status.message for span in roots],
                         ["handed over after its deadline"] * 2 + ["dropped in preprocessing: replaced_by_newer"] * 3)
        self.assertEqual({span.trace_state for span in collector.spans}, {"ot=th:0"})

    def test_services_of_one_rate_agree(self):
        """What is kept is told by the trace id alone, and the tracestate says of how many it is one."""
        collector = self.collector()
        driver = self.driver(collector, rate=0.25, ring=4096)
        kept = driver.ask("frames 4000 on_time")["kept"]
        self.stop(driver)
        roots = [span for span in collector.spans if span.name == "frame"]
        self.assertEqual(len(roots), kept)
        self.assertAlmostEqual(kept, 1000, delta=140)
        for span in roots:
            self.assertGreaterEqual(int.from_bytes(span.trace_id[9:], "big"), 0xC0000000000000)
            self.assertEqual(span.trace_state, "ot=th:c")

    def test_ten_thousand_spans(self):
        collector = self.collector()
        driver = self.driver(collector, ring=2048, batch=500)
        kept = driver.ask("frames 1120 on_time")["kept"]
        self.assertEqual(kept, 1120)
        stats = self.stop(driver)
        self.assertEqual(collector.errors, [])
        self.assertEqual(stats["exported"], 1120 * FRAME)
        self.assertEqual(len(collector.spans), 1120 * FRAME)
        self.assertEqual(len({span.span_id for span in collector.spans}), 1120 * FRAME)
        self.assertEqual(len({span.trace_id for span in collector.spans}), 1120)
        self.assertGreaterEqual(stats["requests"], 1120 * FRAME // 500)
        self.assertEqual(collector.connections, 1, "the connection is kept")


class Packed(Case):
    """Bodies of more than a packet are sent as gzip; the collector unpacks them as strictly as it decodes."""
    LEAST = 1400

    def encodings(self, collector):
        return [headers.get("Content-Encoding") for headers in collector.headers]

    def test_large_bodies_are_and_small_ones_are_not(self):
        collector = self.collector()
        driver = self.driver(collector)
        for count, end, spans in ((1, "dropped", DROPPED), (100, "on_time", DROPPED + 100 * FRAME)):
            driver.ask(f"frames {count} {end}")
            self.until(driver, lambda stats: stats["exported"] == spans)
        self.stop(driver)
        self.assertEqual(collector.errors, [])
        self.assertEqual(self.encodings(collector)[0], None)
        for encoding, body, headers in zip(self.encodings(collector), collector.bodies, collector.headers):
            self.assertEqual(encoding, "gzip" if len(body) >= self.LEAST else None)
        self.assertLess(int(collector.headers[-1]["Content-Length"]), len(collector.bodies[-1]) / 4)

    def test_a_collector_that_takes_no_gzip_gets_it_plain(self):
        collector = self.collector((415, {}, b"what is that?"))
        driver = self.driver(collector)
        for count in (1, 2):
            driver.ask("frames 20 on_time")
            self.until(driver, lambda stats: stats["exported"] == count * 20 * FRAME)
        stats = self.stop(driver)
        self.lost(stats)
        self.assertEqual(collector.errors, [])
        self.assertEqual(len(collector.spans), 40 * FRAME)
        self.assertEqual(self.encodings(collector)[:2], ["gzip", None])
        self.assertEqual(set(self.encodings(collector)[1:]), {None}, "asked once")
        self.assertEqual(collector.bodies[0], collector.bodies[1], "the same batch, at once")
        self.assertNotIn("does not take traces", driver.log)

    def test_one_that_takes_it_neither_way_refuses(self):
        collector = self.collector((415, {}, b""), (415, {}, b""))
        driver = self.driver(collector)
        driver.ask("frames 4 on_time")
        self.until(driver, lambda stats: stats["refused"] == 4 * FRAME)
        self.assertEqual(self.encodings(collector), ["gzip", None])
        self.lost(self.stop(driver), refused=4 * FRAME)


class Served(Case):
    CLIENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    def served(self, rate, traceparent, how):
        collector = self.collector()
        driver = self.driver(collector, rate=rate)
        frame_id = driver.ask("frames 1 on_time")["last_trace_id"]
        reply = driver.ask(f"serve {traceparent} {how}")
        self.stop(driver)
        self.assertEqual(collector.errors, [])
        roots = [span for span in collector.spans if span.name.startswith("GET")]
        return frame_id, reply, roots, collector.spans

    def test_a_single_answer_joins_the_clients_trace(self):
        frame_id, reply, (root,), spans = self.served(1, self.CLIENT, "single")
        self.assertEqual(root.trace_id.hex(), "4bf92f3577b34da6a3ce929d0e0e4736")
        self.assertEqual(root.parent_span_id.hex(), "00f067aa0ba902b7")
        self.assertEqual(reply["traceparent"], f"00-{root.trace_id.hex()}-{root.span_id.hex()}-01")
        self.assertEqual(root.trace_state, "vendor=abc")
        self.assertEqual([link.trace_id.hex() for link in root.links], [frame_id])
        self.assertEqual(root.links[0].span_id, spans[0].span_id)
        self.assertEqual([span.name for span in spans if span.parent_span_id == root.span_id],
                         ["encoding.wait", "encoding", "network_transmission.wait", "network_transmission"])

    def test_a_streams_picture_joins_the_frames_trace(self):
        frame_id, reply, (root,), spans = self.served(1, self.CLIENT, "stream")
        self.assertEqual(root.trace_id.hex(), frame_id)
        self.assertEqual(root.parent_span_id, spans[0].span_id)
        self.assertEqual([link.trace_id.hex() for link in root.links], ["4bf92f3577b34da6a3ce929d0e0e4736"])

    def test_without_a_client_it_goes_with_the_frame(self):
        frame_id, reply, (root,), _ = self.served(1, "-", "single")
        self.assertEqual((root.trace_id.hex(), list(root.links)), (frame_id, []))
        _, reply, roots, spans = self.served(0, "-", "single")
        self.assertEqual((reply["kept"], spans), (False, []))
        self.assertTrue(reply["traceparent"].endswith("-00"))

    def test_an_unsampled_or_malformed_client_forces_nothing(self):
        for traceparent in (self.CLIENT[:-2] + "00", self.CLIENT.upper(), "ff" + self.CLIENT[2:]):
            with self.subTest(traceparent):
                _, reply, roots, _ = self.served(0, traceparent, "single")
                self.assertEqual((reply["kept"], roots), (False, []))


class Trouble(Case):
    def test_down_and_up_again(self):
        port = free_port()
        driver = self.driver(f"http://tom:s3cret@127.0.0.1:{port}")
        driver.ask("frames 20 on_time")
        self.until(driver, lambda stats: stats["requests"] >= 2)
        collector = self.collector(port=port)
        self.until(driver, lambda stats: stats["exported"] == 20 * FRAME)
        stats = self.stop(driver)
        self.lost(stats)
        self.assertEqual(len(collector.spans), 20 * FRAME)
        self.assertEqual(collector.headers[0]["Authorization"], "Basic dG9tOnMzY3JldA==")
        self.assertIn("does not take traces (unreachable)", driver.log)
        self.assertIn("takes traces again", driver.log)
        for secret in ("tom", "s3cret", "dG9tOnMzY3JldA"):
            self.assertNotIn(secret, driver.log)
        self.assertEqual(driver.log.count("\n"), 2, "one line a change, not one a try")

    def test_down_for_good(self):
        driver = self.driver(f"http://127.0.0.1:{free_port()}", give_up_ms=200, ring=64, batch=180)
        driver.ask("frames 40 on_time")
        stats = self.until(driver, lambda stats: stats["unreachable"] == 40 * FRAME)
        self.assertGreaterEqual(stats["requests"], 2)
        self.lost(self.stop(driver), unreachable=40 * FRAME)

    def test_a_ring_that_is_full_drops_the_newest(self):
        collector = self.collector("hang")
        driver = self.driver(collector, ring=64, timeout_ms=600000)
        driver.ask("frames 1 on_time")
        self.until(driver, lambda _: collector.requests == 1)
        self.assertEqual(driver.ask("frames 100 on_time")["kept"], 48)
        self.assertEqual(driver.ask("frames 100 late")["kept"], 16)
        stats = driver.ask("stats")
        self.assertEqual(stats["queue_full"], (200 - 64) * FRAME)
        self.assertEqual(stats["waiting"], 65 * FRAME)
        self.lost(self.stop(driver, 200), queue_full=(200 - 64) * FRAME, shutdown=65 * FRAME)

    def test_a_hanging_collector_is_given_up_and_tried_again(self):
        collector = self.collector("hang")
        driver = self.driver(collector, timeout_ms=300)
        driver.ask("frames 5 on_time")
        self.until(driver, lambda stats: stats["exported"] == 5 * FRAME)
        self.assertEqual(collector.requests, 2)
        self.lost(self.stop(driver))

    def test_stop_while_the_collector_hangs(self):
        collector = self.collector(*["hang"] * 5)
        driver = self.driver(collector, timeout_ms=600000, batch=90)
        driver.ask("frames 100 on_time")
        self.until(driver, lambda _: collector.requests == 1)
        stats = self.stop(driver, 300)
        self.assertLess(stats["seconds"], 3)
        self.assertGreaterEqual(stats["seconds"], 0.29)
        self.assertEqual(collector.requests, 1, "nothing more is tried")
        self.lost(stats, shutdown=100 * FRAME)

    def test_stop_while_it_waits_to_try_again(self):
        """One last try, though the time for it has not come: the collector may be back."""
        port = free_port()
        driver = self.driver(f"http://127.0.0.1:{port}", first_ms=100000, give_up_ms=1000000)
        driver.ask("frames 7 on_time")
        self.until(driver, lambda stats: stats["requests"] == 1)
        collector = self.collector(port=port)
        stats = self.stop(driver)
        self.assertLess(stats["seconds"], 3)
        self.assertEqual(len(collector.spans), 7 * FRAME)
        self.lost(stats)

    def test_busy_with_retry_after(self):
        for seconds, header in ((1, lambda: "1"), (2, lambda: email.utils.formatdate(time.time() + 3, usegmt=True))):
            collector = self.collector((429, {"Retry-After": header()}, b"slow down"))
            driver = self.driver(collector, first_ms=10)
            asked = time.monotonic()
            driver.ask("frames 5 on_time")
            self.until(driver, lambda stats: stats["exported"] == 5 * FRAME)
            self.assertGreater(time.monotonic() - asked, 0.9 * seconds - 0.2)
            self.assertEqual(collector.requests, 2)
            self.lost(self.stop(driver))

    def test_a_collector_that_asked_to_wait_is_left_alone_at_the_end(self):
        collector = self.collector((503, {"Retry-After": "600"}, b""))
        driver = self.driver(collector, give_up_ms=1000)
        driver.ask("frames 3 on_time")
        self.until(driver, lambda stats: stats["busy"] == 3 * FRAME)
        driver.ask("frames 2 on_time")
        stats = self.stop(driver)
        self.assertLess(stats["seconds"], 3)
        self.assertEqual(collector.requests, 1)
        self.lost(stats, busy=3 * FRAME, shutdown=2 * FRAME)

    def test_every_retryable_status(self):
        collector = self.collector(*[(status, {}, b"") for status in (429, 502, 503, 504)])
        driver = self.driver(collector, first_ms=10)
        driver.ask("frames 2 on_time")
        self.until(driver, lambda stats: stats["exported"] == 2 * FRAME)
        self.assertEqual(collector.requests, 5)
        self.lost(self.stop(driver))

    def test_refused_for_good(self):
        for status in (400, 401, 404, 413, 500, 301):
            with self.subTest(status):
                collector = self.collector((status, {"Location": "/elsewhere"}, b"no"))
                driver = self.driver(collector)
                driver.ask("frames 4 on_time")
                self.until(driver, lambda stats: stats["refused"] == 4 * FRAME)
                driver.ask("frames 1 on_time")
                stats = self.stop(driver)
                self.assertEqual(collector.requests, 2)
                self.lost(stats, refused=4 * FRAME)
                self.assertIn(f"HTTP status {status}", driver.log)

    def test_partial_success(self):
        answer = service.ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = 7
        answer.partial_success.error_message = "too old\nforged line"
        collector = self.collector((200, {"Content-Type": "application/x-protobuf"}, answer.SerializeToString()))
        driver = self.driver(collector)
        driver.ask("frames 4 on_time")
        self.until(driver, lambda stats: stats["waiting"] == 0)
        stats = self.stop(driver)
        self.assertEqual(stats["exported"], 4 * FRAME - 7)
        self.assertEqual(collector.requests, 1, "what was rejected is not sent again")
        self.lost(stats, rejected=7)
        self.assertIn("7 of 36 spans rejected: too old?forged line", driver.log)

    def test_answers_that_make_no_sense(self):
        collector = self.collector(*[(200, {}, body) for body in (b"\xff" * 100, b'{"partialSuccess":{}}',
                                                                  b"x" * 100000)])
        driver = self.driver(collector)
        for count in (1, 2):
            driver.ask("frames 1 on_time")
            self.until(driver, lambda stats: stats["exported"] == count * FRAME)
        driver.ask("frames 1 on_time")
        self.until(driver, lambda stats: stats["exported"] == 3 * FRAME)
        self.assertEqual(collector.requests, 3, "a success is a success, whatever it says")
        self.lost(self.stop(driver))

    def test_a_bad_endpoint(self):
        driver = self.driver("grpc://tom:s3cret@host")
        self.assertEqual(driver.end(), 1)
        self.assertIn("otlp_endpoint", driver.log)
        self.assertNotIn("s3cret", driver.log)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
