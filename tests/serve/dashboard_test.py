#!/usr/bin/env python3
"""The dashboard in a browser without a window, over a daemon whose Redis is away: every panel is there, and says what is the
matter. Skipped (77) without Chromium.

usage: dashboard_test.py its-camera-ai"""
import html
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "pool"))
from daemon import Daemon, free_port  # noqa: E402

QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")


def browser():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def page(program, url):
    """The document after some seconds of its own time."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run([program, *QUIET, f"--user-data-dir={profile}", "--virtual-time-budget=5000", "--dump-dom", url],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
    assert done.returncode == 0, done.returncode
    return done.stdout


def element(document, name):
    """Text of the element of that id, up to the end of its kind's first end tag."""
    found = re.search(rf'<(\w+)[^>]*\bid="{name}"[^>]*>(.*?)</\1>', document, re.S)
    assert found, f"{name} is not there"
    return html.unescape(re.sub(r"<[^>]+>", " ", found[2]))


def shown(document, section):
    """Panels are hidden until their document came."""
    tag = re.search(rf'<section[^>]*\bid="{section}"[^>]*>', document)
    assert tag and " hidden" not in tag[0], (section, tag and tag[0])


def main():
    program = browser()
    if not program:
        print("skipped: no Chromium")
        return 77
    with Daemon(sys.argv[1], {"redis_url": f"redis://:hunter2@127.0.0.1:{free_port()}"}) as daemon:
        daemon.wait_for("redis", "down")
        document = page(program, f"http://127.0.0.1:{daemon.port}/")
        for section in ("monitor", "quality", "pools"):
            shown(document, section)
        assert "redis down" in element(document, "state-reason"), element(document, "state-reason")
        assert element(document, "pools-health") == "down" and element(document, "store-health") == "ok"
        rows = element(document, "pool-rows")
        assert all(word in rows for word in ("Redis", "database", "FFmpeg", "SQLite", "refused", "in use")), rows
        assert "Rows written" in element(document, "store-figures")
        assert element(document, "balance") == "balanced"
        assert "hunter2" not in document
        assert daemon.stop()[0] == 0, daemon.log()
    return 0


sys.exit(main())
