"""/metrics of the real daemon in both formats, as strict readers see it. usage: formats_test.py its-camera-ai"""
import math
import shutil
import subprocess
import sys
import unittest

import scrape

BINARY = ""
STAGES = ("camera_capture", "preprocessing", "ml_inference", "postprocessing", "encoding", "network_transmission")
RECORDED = STAGES[:4]  # of every frame, up to the hand-over
BUDGETS = ("0.005", "0.01", "0.02", "0.05", "0.08", "0.09", "0.095", "0.1")
SECRET = "hunter2"


def setUpModule():
    """One daemon for all: two cameras that run, two of a host that is not there, every trace kept."""
    global daemon
    daemon = scrape.Daemon(
        BINARY, "--set", "general.otlp_endpoint=http://127.0.0.1:9",
        "--set", "latency_monitoring.trace_sampling_rate=1",
        "--camera", "a=null://?fps=50", "--camera", "b=synth://motorway?size=320x192&fps=25&seconds=4&seed=5",
        "--camera", f"c=rtsp://op:{SECRET}@127.0.0.2:9/c", "--camera", f"d=rtsp://op:{SECRET}@127.0.0.2:9/d")
    unittest.addModuleCleanup(daemon.__exit__)
    daemon.__enter__()
    scrape.until(lambda: daemon.ask("GET", "/api/v1/cameras/b/snapshot.jpg")[0] == 200)
    scrape.until(lambda: scrape.value(scrape.samples(daemon.text()), "its_end_to_end_seconds_count") > 50)


class Formats(unittest.TestCase):
    def test_promtool_finds_nothing(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool (package prometheus) is not installed")
        done = subprocess.run(["promtool", "check", "metrics"], input=daemon.text(), capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_both_formats_have_the_same_series(self):
        self.assertEqual(set(scrape.samples(daemon.text())), set(scrape.samples(daemon.openmetrics())))

    def test_the_header_decides(self):
        for accept, wanted in ((None, "text/plain; version=0.0.4"), ("*/*", "text/plain; version=0.0.4"),
                               (scrape.OPENMETRICS, "application/openmetrics-text; version=1.0.0"),
                               (f"{scrape.OPENMETRICS};q=0.5,text/plain;version=0.0.4;q=0.8",
                                "text/plain; version=0.0.4")):
            kind, body = daemon.scrape(accept)
            self.assertTrue(kind.startswith(wanted), kind)
            self.assertEqual(body.endswith("# EOF\n"), "openmetrics" in wanted)

    def test_openmetrics_is_read_strictly(self):
        families = scrape.families(daemon.openmetrics())
        self.assertEqual(families["its_frames"].type, "counter")
        self.assertEqual(families["its_camera"].type, "info")
        for name, family in families.items():
            unit = next((u for u in ("seconds", "bytes", "ratio") if name.endswith("_" + u)), "")
            self.assertEqual(family.unit, unit if name != "its_analysed_frames_per_second" else "", name)
            self.assertTrue(family.documentation, name)

    def test_no_family_waits_for_its_first_event(self):
        with scrape.Daemon(BINARY) as idle:
            for name, family in scrape.families(idle.openmetrics()).items():
                per_camera = name in ("its_camera", "its_quality_level") or name.startswith("its_camera_")
                self.assertEqual(bool(family.samples), not per_camera, name)
            found = scrape.samples(idle.text())
            for stage in STAGES:
                self.assertEqual(scrape.value(found, "its_stage_total_seconds_count", stage=stage), 0)

    def test_no_password_and_the_host_as_group(self):
        text = daemon.text()
        self.assertNotIn(SECRET, text)
        found = scrape.samples(text)
        for camera, group in (("a", ""), ("c", "127.0.0.2"), ("d", "127.0.0.2")):
            self.assertEqual(scrape.value(found, "its_camera_info", camera=camera, group=group), 1)


class Histograms(unittest.TestCase):
    def test_edges_lie_at_the_budgets(self):
        found = scrape.samples(daemon.text())
        for name, labels in [("its_end_to_end_seconds", {}), ("its_unattributed_seconds", {})] + [
                ("its_stage_total_seconds", {"stage": stage}) for stage in STAGES]:
            for edge in (*BUDGETS, "1.0", "+Inf"):
                self.assertIn((f"{name}_bucket", tuple(sorted({"le": edge, **labels}.items()))), found)

    def test_parts_make_the_whole(self):
        found = scrape.samples(daemon.text())
        frames = scrape.value(found, "its_end_to_end_seconds_count")
        self.assertGreater(frames, 50)
        whole = scrape.value(found, "its_unattributed_seconds_sum")
        for stage in STAGES:
            wait, service, total = (scrape.value(found, f"its_stage_{part}_seconds_sum", stage=stage)
                                    for part in ("wait", "service", "total"))
            near = 1e-9 if stage in RECORDED else 0.01
            self.assertTrue(math.isclose(wait + service, total, rel_tol=near, abs_tol=1e-4),
                            (stage, wait, service, total))
            if stage not in RECORDED:
                continue
            self.assertEqual(scrape.value(found, "its_stage_total_seconds_count", stage=stage), frames)
            whole += total
        self.assertTrue(math.isclose(whole, scrape.value(found, "its_end_to_end_seconds_sum"), rel_tol=1e-9))

    def test_stages_after_the_handover_are_counted_by_the_server(self):
        connection = daemon.connect()
        connection.request("GET", "/api/v1/cameras/b/live.mjpg")
        connection.getresponse().read(20000)
        connection.close()

        def counted():
            found = scrape.samples(daemon.text())
            encoded, sent = (scrape.value(found, "its_stage_total_seconds_count", stage=stage) for stage in STAGES[4:])
            return encoded == scrape.value(found, "its_pictures_encoded_total") and encoded > 0 and sent > 0

        scrape.until(counted)

    def test_exemplars_are_kept_frames_of_their_bucket(self):
        family = scrape.families(daemon.openmetrics())["its_end_to_end_seconds"]
        lower, seen, now = 0.0, 0, scrape.time.time()
        for bucket in (s for s in family.samples if s.name.endswith("_bucket")):
            upper = float(bucket.labels["le"])
            if bucket.exemplar:
                self.assertRegex(bucket.exemplar.labels["trace_id"], "^(?!0{32})[0-9a-f]{32}$")
                self.assertTrue(lower < bucket.exemplar.value <= upper, bucket)
                self.assertLess(abs(now - float(bucket.exemplar.timestamp)), 60)
                self.assertGreater(bucket.value, 0)
                seen += 1
            lower = upper
        self.assertGreater(seen, 0)
        self.assertNotIn("trace_id", daemon.text())


class Findings(unittest.TestCase):
    def test_what_goes_wrong_is_counted(self):
        """Every frame misses a deadline of a microsecond, one in a thousand may, and the webhook is not there."""
        settings = ("general.target_latency_ms=0.001", "latency_monitoring.sla_violation_threshold=0.001",
                    "general.alert_webhook_url=http://127.0.0.1:9/")
        with scrape.Daemon(BINARY, "--camera", "hasty=null://?fps=100",
                           *(word for setting in settings for word in ("--set", setting))) as hasty:
            found = {}

            def told():
                found.update(scrape.samples(hasty.text()))
                return (scrape.value(found, "its_alerts_firing", severity="emergency") == 1
                        and scrape.value(found, "its_alert_deliveries_total", receiver="webhook", result="failed") > 0)

            scrape.until(told, 30)
            self.assertEqual(scrape.value(found, "its_slo_budget_ratio"), 0.001)
            self.assertGreater(scrape.value(found, "its_alert_deliveries_total", receiver="log", result="sent"), 0)
            broken = sum(scrape.value(found, "its_sla_violations_total", stage=stage) for stage in STAGES)
            lost = sum(scrape.value(found, "its_frames_total", outcome=outcome) for outcome in ("late", "dropped"))
            # the books are read a moment before the violations, while frames fly
            self.assertTrue(100 <= broken <= lost + 10, (broken, lost))
            self.assertGreater(scrape.value(found, "its_flight_entries_total"), 100)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
