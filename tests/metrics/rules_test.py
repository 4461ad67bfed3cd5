"""Every metric and every label that the alert rules use is in a real scrape, and a real Prometheus that scrapes the
daemon evaluates all the rules. usage: rules_test.py its-camera-ai deploy/prometheus/its-camera-ai.rules.yml"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

import scrape

BINARY = RULES = ""
# Put on by Prometheus and by the rules themselves.
PROMETHEUS_LABELS = {"job", "instance", "alertname", "severity", "scope"}
GROUPING = re.compile(r"\b(?:by|on|ignoring|without|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"(?<![\w:])((?:its|process)_\w+)(?![\w:])(?:\s*\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')
CAMERAS = ("--camera", "a=null://?fps=25", "--camera", "b=rtsp://127.0.0.2:9/b", "--camera", "c=rtsp://127.0.0.2:9/c")


def expressions(text):
    """The PromQL of every rule, without comments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", text)
    end = r"^\s+(?:for|keep_firing_for|labels|annotations):|^\s+- \w+:|\Z"
    found = re.findall(rf"(?ms)^\s+expr:\s*(?:>-)?(.*?)(?={end})", text)
    assert len(found) == len(re.findall(r"(?m)^\s+- (?:record|alert):", text))
    return found


def series_by_name(found):
    by_name = {}
    for name, labels in found:
        by_name.setdefault(name, []).append(dict(labels))
    return by_name


class Names(unittest.TestCase):
    """Against one scrape."""

    @classmethod
    def setUpClass(cls):
        with scrape.Daemon(BINARY, *CAMERAS) as daemon:
            cls.series = series_by_name(scrape.samples(daemon.text()))
        cls.rules = expressions(pathlib.Path(RULES).read_text(encoding="utf-8"))

    def test_every_selector_finds_a_series(self):
        names = set()
        for rule in self.rules:
            for name, matchers in SELECTOR.findall(rule):
                names.add(name)
                self.assertIn(name, self.series, rule)
                wanted = MATCHER.findall(matchers)
                self.assertTrue(any(all(self.matches(labels, *m) for m in wanted) for labels in self.series[name]),
                                f"{name}{{{matchers}}} finds nothing")
        self.assertGreater(len(names), 12)

    @staticmethod
    def matches(labels, label, operator, value):
        if label not in labels:
            return False
        return {"=": labels[label] == value, "!=": labels[label] != value}[operator]

    def test_every_label_joined_on_is_exported(self):
        used = {name for rule in self.rules for name, _ in SELECTOR.findall(rule)}
        exported = set().union(*(labels for name in used for labels in self.series[name]))
        for rule in self.rules:
            for labels in GROUPING.findall(rule):
                for label in filter(None, (part.strip() for part in labels.split(","))):
                    self.assertIn(label, exported | PROMETHEUS_LABELS, rule)

    def test_every_label_told_is_exported(self):
        told = set(re.findall(r"\$labels\.(\w+)", pathlib.Path(RULES).read_text(encoding="utf-8")))
        exported = set().union(*(labels for series in self.series.values() for labels in series))
        self.assertLessEqual(told, exported | PROMETHEUS_LABELS)


class Prometheus(unittest.TestCase):
    """A real one: scrapes once a second, and evaluates as often."""

    def setUp(self):
        if not shutil.which("prometheus"):
            self.skipTest("prometheus (package prometheus) is not installed")
        self.daemon = scrape.Daemon(BINARY, *CAMERAS, "--set", "general.otlp_endpoint=http://127.0.0.1:9",
                                    "--set", "latency_monitoring.trace_sampling_rate=1")
        self.daemon.__enter__()
        self.addCleanup(self.daemon.__exit__)
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        rules = pathlib.Path(RULES).read_text(encoding="utf-8").replace("interval: 15s", "interval: 1s")
        (self.folder / "rules.yml").write_text(rules, encoding="utf-8")
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s}\nrule_files: [rules.yml]\nscrape_configs:\n"
            f"  - job_name: its-camera-ai\n    static_configs: [{{targets: ['127.0.0.1:{self.daemon.port}']}}]\n",
            encoding="utf-8")
        self.port = scrape.free_port()
        self.log = self.enterContext(open(self.folder / "log", "w+", encoding="utf-8"))
        process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             "--enable-feature=exemplar-storage", f"--web.listen-address=127.0.0.1:{self.port}"], cwd=self.folder, stdout=self.log, stderr=self.log)
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.terminate)

    def api(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def query(self, expression):
        answer = self.api("query", query=expression)
        return answer["result"] if answer else []

    def test_rules_run_on_what_it_scrapes(self):
        scrape.until(lambda: self.query("its:error_budget_burn:1m") and self.query("its_camera:error_budget_burn:1m"),
                     40)
        target = self.api("targets")["activeTargets"][0]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        rules = [rule for group in self.api("rules")["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 30)
        for rule in rules:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
        metrics = [series["metric"] for series in self.query("its_camera:error_budget_burn:1m")]
        burns = {metric["camera"]: metric.get("group", "") for metric in metrics}
        self.assertEqual(burns.pop("a", None), "", "the join of a camera and its group")
        self.assertLessEqual(set(burns.items()), {("b", "127.0.0.2"), ("c", "127.0.0.2")})
        for name in ("its_end_to_end_seconds_bucket{le=\"0.095\"}",
                     "its_stage_total_seconds_bucket{stage=\"encoding\",le=\"0.01\"}", "its_camera_info", "its_build_info", "its_frames_total{outcome=\"delivered\"}"):
            self.assertTrue(self.query(name), name)

    def test_exemplars_arrive(self):
        def exemplars():
            end = scrape.time.time() + 60
            return self.api("query_exemplars", query="its_end_to_end_seconds_bucket", start=end - 3600, end=end)

        found = scrape.until(exemplars, 40)
        self.assertRegex(found[0]["exemplars"][0]["labels"]["trace_id"], "^[0-9a-f]{32}$")


if __name__ == "__main__":
    BINARY, RULES = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
