#!/usr/bin/env python3
"""The database pool under load while its server is killed, stalled, full, and started again: nothing that was acknowledged
is lost, nothing arrives twice, no connection leaks, and how long it takes is printed.

usage: database_test.py PROGRAM"""
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from postgres import Postgres

THREADS = 24


class Load:
    def __init__(self, target, way):
        self.process = subprocess.Popen([sys.argv[1], target, str(THREADS), way], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self):
        self.process.stdin.write("how many\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def wait_for_more(self, seconds=20):
        """Until rows are acknowledged again; how long that took."""
        start, before = time.monotonic(), self.ask()["acknowledged"]
        while self.ask()["acknowledged"] <= before + THREADS:  # more than those that were on their way
            assert time.monotonic() < start + seconds, f"nothing is acknowledged after {seconds} s: {self.ask()}"
            time.sleep(0.02)
        return time.monotonic() - start

    def end(self):
        rest, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, self.process.returncode
        return json.loads(rest.splitlines()[-1])


def check_rows(server, report, what):
    rows, different = map(int, server.sql("SELECT count(*), count(DISTINCT id) FROM load").split("|"))
    # a commit may have arrived and its acknowledgement not
    assert report["acknowledged"] <= rows <= report["acknowledged"] + THREADS, (what, rows, report)
    assert rows == different


def server_connections(server):
    return int(server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'its-camera-ai'"))


def killed_and_restarted(server, way):
    load = Load(server.url(), way)
    load.wait_for_more()
    for _ in range(2):
        server.kill()
        time.sleep(0.5)
        start = time.monotonic()
        server.start()
        started = time.monotonic() - start
        print(f"  killed and restarted: rows again {load.wait_for_more():.2f} s after the server is up ({started:.2f} s)")
    report = load.end()
    check_rows(server, report, "killed")
    assert any(name in report for name in ("ITS_EIO", "ITS_EREFUSED")), report
    time.sleep(0.2)
    assert server_connections(server) == 0, "connections are left behind"


def stalled(server, way):
    load = Load(server.url(), way)
    load.wait_for_more()
    backends = server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'its-camera-ai'").split()
    for pid in map(int, backends):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    for pid in map(int, backends):
        os.kill(pid, signal.SIGCONT)
    print(f"  stalled for 2 s: rows again after {load.wait_for_more():.2f} s")
    report = load.end()
    check_rows(server, report, "stalled")
    assert report["longest_gap_s"] < 5, report


def full(server, way):
    """Others hold all connections but a few: the pool lives on those that it has, and says why it has no more."""
    others = [subprocess.Popen(["psql", "-X", "-q", "-c", "SELECT pg_sleep(4)", server.url()], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) for _ in range(70)]
    deadline = time.monotonic() + 10
    while server.ask("SELECT 1").returncode == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    for other in others[:6]:
        other.kill()
        other.wait()
    deadline = time.monotonic() + 10
    while server.ask("SELECT 1").returncode != 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    load = Load(server.url(), way)
    waited = load.wait_for_more()
    held = load.ask()["open"]
    for other in others:
        other.wait()
    load.wait_for_more()
    report = load.end()
    check_rows(server, report, "full")
    print(f"  max_connections taken by others: first rows after {waited:.2f} s with {held} connections")


def sqlite(folder, way):
    path = pathlib.Path(folder) / f"{way}.db"
    load = Load(str(path), way)
    load.wait_for_more()
    with sqlite3.connect(path, timeout=10) as other:  # another program holds the writer's lock for a second and a half
        other.execute("BEGIN IMMEDIATE")
        time.sleep(1.5)
    print(f"  the file locked for 1.5 s: rows again after {load.wait_for_more():.2f} s")
    acknowledged = load.ask()["acknowledged"]
    load.process.kill()  # in the middle of it: what was acknowledged before is there
    load.process.wait()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM load").fetchone()[0] >= acknowledged
    load = Load(str(path), way)
    load.wait_for_more()
    report = load.end()
    with sqlite3.connect(path) as db:
        rows, = db.execute("SELECT count(*) FROM load").fetchone()
    assert report["acknowledged"] <= rows <= report["acknowledged"] + THREADS, (rows, report)


def main():
    with tempfile.TemporaryDirectory() as folder, Postgres() as server:
        for way in ("borrow", "request"):
            print(f"{way}:")
            sqlite(folder, way)
            for fault in (killed_and_restarted, stalled, full):
                fault(server, way)
    return 0


sys.exit(main())
