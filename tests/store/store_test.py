#!/usr/bin/env python3
"""The store under load while its database is killed, stalled and started again, its disk is full, and it is itself killed
with a filled spool: what its queue took arrives once and in order. How long that takes is printed.

usage: store_test.py PROGRAM"""
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "pool"))
from postgres import Postgres  # noqa: E402

RATE, CAMERAS = 800, 20


class Load:
    def __init__(self, target, spool, first=0):
        self.process = subprocess.Popen([sys.argv[1], str(target), str(spool), str(CAMERAS), str(RATE), str(first)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self):
        self.process.stdin.write("how many\n")
        self.process.stdin.flush()
        report = json.loads(self.process.stdout.readline())
        assert report["unaccounted"] == 0, report
        return report

    def wait(self, what, condition, seconds=30):
        """Until the report fulfils the condition; the seconds that took, and the report."""
        start = time.monotonic()
        while not condition(report := self.ask()):
            assert time.monotonic() < start + seconds, f"not within {seconds} s: {what}: {report}"
            time.sleep(0.02)
        return time.monotonic() - start, report

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        rest, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, self.process.returncode
        return json.loads(rest.splitlines()[-1])


def caught_up(report):
    return not report["away"] and report["spool_files"] == 0 and report["lag_s"] < 2


def check(sql, taken, counted, what):
    rows, different, least, most = map(int, sql("SELECT count(*), count(DISTINCT track), min(track), max(track) FROM its_event"))
    assert (rows, different, least, most) == (taken, taken, 1, taken), (what, rows, different, least, most, taken)
    (swapped,) = map(int, sql("SELECT count(*) FROM (SELECT track, lag(track) OVER (ORDER BY id) AS before FROM its_event) AS t "
                              "WHERE before > track"))
    assert swapped == 0, (what, swapped)
    (n,) = map(int, sql("SELECT CAST(sum(n) AS BIGINT) FROM its_count"))
    assert n == counted, (what, n, counted)


def fresh(server):
    for table in ("schema", "writer", "duty", "camera", "count", "event", "violation", "quality_change"):
        server.sql(f"DROP TABLE IF EXISTS its_{table}")
    return lambda text: server.sql(text).split("|")


def killed_and_restarted(server, folder):
    sql = fresh(server)
    load = Load(server.url(), folder / "killed")
    for _ in range(3):
        load.wait("rows are written", lambda r: r["written"] > 0 and caught_up(r))
        server.kill()
        load.wait("batches are spooled", lambda r: r["away"] and r["spool_files"] >= 1)
        server.start()
        took, report = load.wait("all is written", caught_up)
        print(f"  the server was killed: {took:.2f} s after its start all of it is there, {report['spooled']} rows by way of the disk")
    report = load.end()
    check(sql, report["taken"], report["counted"], "killed")


def stalled(server, folder):
    sql = fresh(server)
    load = Load(server.url(), folder / "stalled")
    load.wait("rows are written", lambda r: r["written"] > 0)
    backends = server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'its-camera-ai'").split()
    for pid in map(int, backends):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    for pid in map(int, backends):
        os.kill(pid, signal.SIGCONT)
    took, _ = load.wait("all is written", caught_up)
    print(f"  the server stalled for 2 s: all of it is there {took:.2f} s later")
    report = load.end()
    check(sql, report["taken"], report["counted"], "stalled")


def disk_full(server, folder):
    sql = fresh(server)
    load = Load(server.url(), folder / "full")
    load.wait("rows are written", lambda r: r["written"] > 0)
    server.kill()
    load.wait("it is noticed", lambda r: r["away"])
    files = load.ask()["spool_files"]
    resource.prlimit(load.process.pid, resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    load.wait("rows wait in memory", lambda r: r["waiting"] > 3 * RATE)
    assert load.ask()["spool_files"] <= files + 2, load.ask()
    resource.prlimit(load.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    took, _ = load.wait("the spool takes them", lambda r: r["spool_files"] > files and r["waiting"] < 3 * RATE)
    print(f"  no room on the disk: rows waited in memory, and were spooled {took:.2f} s after there was")
    server.start()
    load.wait("all is written", caught_up)
    report = load.end()
    check(sql, report["taken"], report["counted"], "full")


def process_killed(server, folder):
    """With a filled spool, then twice while that is drained."""
    sql = fresh(server)
    spool = folder / "process"
    load = Load(server.url(), spool)
    load.wait("rows are written", lambda r: r["written"] > 0)
    server.kill()
    _, report = load.wait("batches are spooled", lambda r: r["spool_files"] >= 4)
    load.kill()
    # what lay on the disk is all of the events up to some number; those noted after that were in memory only
    server.start()
    files = len(list(spool.glob("*.batch")))
    assert files >= 4, files
    for pause in (0.0, 0.05):
        load = Load(server.url(), spool, first=10 ** 9)
        time.sleep(pause)
        load.kill()
    load = Load(server.url(), spool, first=2 * 10 ** 9)
    took, _ = load.wait("all is written", caught_up)
    load.end()
    print(f"  the process was killed with {files} batches on the disk: all are there {took:.2f} s after its start")
    rows, different, most = map(int, sql("SELECT count(*), count(DISTINCT track), max(track) FROM its_event WHERE track < 1000000000"))
    assert rows == different == most, (rows, different, most)
    (n,) = map(int, sql("SELECT CAST(sum(n) AS BIGINT) FROM its_count WHERE minute < 1000000"))
    # those written while the server was there, and those on the disk; of counts, which come in the batch after, nearly so many
    assert rows >= report["safe_events"] > 0 and 0 < n <= rows, (rows, n, report)
    assert not list(spool.glob("*.batch"))
    (swapped,) = map(int, sql("SELECT count(*) FROM (SELECT track, lag(track) OVER (ORDER BY id) AS before FROM its_event) AS t "
                              "WHERE before > track"))
    assert swapped == 0, swapped


def sqlite(folder):
    path = folder / "its.db"

    def sql(text):
        with sqlite3.connect(path, timeout=10) as db:
            return db.execute(text).fetchone()

    load = Load(path, folder / "sqlite")
    load.wait("rows are written", lambda r: r["written"] > RATE)
    with sqlite3.connect(path, timeout=10) as other:  # another program holds the writer's lock
        other.execute("BEGIN IMMEDIATE")
        time.sleep(1)
    took, _ = load.wait("all is written", caught_up)
    print(f"  the file was locked for 1 s: all of it is there {took:.2f} s later")
    report = load.end()
    check(sql, report["taken"], report["counted"], "sqlite")
    load = Load(path, folder / "sqlite", first=report["taken"])
    _, report = load.wait("more is written", lambda r: r["written"] > RATE)
    load.kill()
    rows, different, most = sql("SELECT count(*), count(DISTINCT track), max(track) FROM its_event")
    assert rows == different == most, (rows, different, most)
    assert sql("PRAGMA integrity_check") == ("ok",)


def has_events(path):
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as db:
            return db.execute("SELECT count(*) FROM its_event").fetchone()[0] > 0
    except sqlite3.OperationalError:  # no such file, or not its tables yet
        return False


def moved_away(folder):
    """Somebody moves the file, to begin anew or to put back an older one: what is noted from then on is in the new one."""
    path = folder / "moved.db"
    load = Load(path, folder / "moved")
    load.wait("rows are written", lambda r: r["written"] > RATE)
    load.process.send_signal(signal.SIGSTOP)  # all of it at once: a new file would take the old one's log for its own
    for file in list(folder.glob("moved.db*")):
        file.rename(folder / file.name.replace("moved", "old"))
    load.process.send_signal(signal.SIGCONT)
    load.wait("there is a new one", lambda r: has_events(path) and caught_up(r))
    report = load.end()
    tracks, counted = [], 0
    for name in ("old.db", "moved.db"):
        with sqlite3.connect(folder / name) as db:
            tracks += [track for track, in db.execute("SELECT track FROM its_event ORDER BY id")]
            counted += db.execute("SELECT sum(n) FROM its_count").fetchone()[0]
    assert tracks == list(range(1, report["taken"] + 1)), (len(tracks), report)
    assert counted == report["counted"], (counted, report)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sqlite(folder)
        moved_away(folder)
        with Postgres() as server:
            for fault in (killed_and_restarted, stalled, disk_full, process_killed):
                fault(server, folder)
    return 0


sys.exit(main())
