#!/usr/bin/env python3
"""The daemon while the servers under its pools are killed, stopped, full, or refuse its password: frames go on as before, the
other pools stay well, the API says which one is not and why, nobody gets to see a password; and what the database does not
take at the end is written by the next start. How long recovery takes is printed.

usage: daemon_test.py its-camera-ai its_store_load GROUP, with GROUP one of start, servers, passwords, end"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from daemon import Daemon, Redis, on_time, until
from postgres import PASSWORD, Postgres, as_user

BINARY, STORE_LOAD = sys.argv[1:3]
SCHEMAS = json.loads((pathlib.Path(__file__).resolve().parents[2] / "web/openapi.json").read_text())["components"]["schemas"]
# By which fewer frames may be in time: the machine has other things to do as well, and a sanitizer makes them slow. A frame
# that waited for a pool would be late for certain, and so would all that follow.
WORSE = 0.4


@contextlib.contextmanager
def frames_unmoved(daemon, what):
    """Whatever happens to the pools meanwhile."""
    first = daemon.frames()
    time.sleep(1)
    before = daemon.frames()
    usual = on_time(first, before)
    yield
    after, _ = until("more frames came", lambda: (f := daemon.frames())["expected"] > before["expected"] + 50 and f)
    share = on_time(before, after)
    assert after["balance"] == 0, after
    assert share > usual - WORSE, (what, usual, share, before, after)
    assert daemon.ask("/api/v1/health/ready")[0] == 200, what
    print(f"  {what}: {share:.3f} of the frames in time ({usual:.3f} before)")


def expect(daemon, healths):
    """Once they are so they stay so, at least for some looks."""
    for name, health in healths.items():
        daemon.wait_for(name, health)
    for _ in range(5):
        pools = daemon.pools()
        assert all(pools[name]["health"] == health for name, health in healths.items()), {n: (p["health"], p["why"]) for n, p in pools.items()}
        time.sleep(0.05)


def killed_and_restarted(daemon, name, server, others):
    with frames_unmoved(daemon, f"{name} killed and restarted"):
        server.kill()
        _, seconds = daemon.wait_for(name, "down")
        # the first to tell may be a connection that was reading: "reset by peer"
        pool, _ = until("it is refused", lambda: (p := daemon.pools()[name]) and "refused" in p["why"].lower() and p)
        assert pool["connections"]["total_connections"] == 0 and pool["connections"]["connection_errors"] > 0, pool
        expect(daemon, {other: "ok" for other in others})
        overview = daemon.json("/api/v1/overview")["pools"]
        assert overview[name] == "down" and all(overview[other] == "ok" for other in others), overview
        server.start()
        _, back = daemon.wait_for(name, "ok")
        print(f"  {name}: told to be down {seconds:.2f} s after it was killed, well {back:.2f} s after its start")


@contextlib.contextmanager
def standing_still(server):
    """The server and its children."""
    os.kill(server.process.pid, signal.SIGSTOP)  # first: then no more children come
    children = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
    tell(children, signal.SIGSTOP)
    try:
        yield
    finally:
        tell([server.process.pid, *children], signal.SIGCONT)


def tell(pids, what):
    for pid in map(int, pids):
        with contextlib.suppress(ProcessLookupError):  # a connection that ended meanwhile
            os.kill(pid, what)


def stopped(daemon, server, what):
    with frames_unmoved(daemon, f"{what} stopped for 2 s"):
        with standing_still(server):
            time.sleep(2)
        start = time.monotonic()
        for name in ("redis", "database", "ffmpeg", "store"):
            daemon.wait_for(name, "ok")
        print(f"  {what}: all well {time.monotonic() - start:.2f} s after it went on")


def no_more_connections(daemon, server):
    with frames_unmoved(daemon, "max_connections exhausted"):
        others = []

        def one_more():
            """Takes a place, if need be that of a connection that was just recycled."""
            others.append(subprocess.Popen(["psql", "-X", "-c", "SELECT pg_sleep(60)", server.url()],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            pool = daemon.pools()["database"]
            return pool["health"] != "ok" and pool
        try:
            pool, _ = until("there is no room", one_more)
            assert "too many" in pool["why"], pool["why"]
            expect(daemon, {"redis": "ok", "ffmpeg": "ok"})
        finally:
            for other in others:
                other.terminate()
                other.wait()
        _, back = daemon.wait_for("database", "ok")
        print(f"  max_connections: well {back:.2f} s after there was room")


def reconfigured(daemon, config):
    """Options that are said to be live: what is open follows them."""
    checks = daemon.pools()["redis"]["connections"]["last_health_check"]
    assert checks is None, checks  # every 30 s
    config.write_text('{"connection_pool": {"redis_health_check_interval": 0.2, "db_pool_recycle": 3600}}')
    daemon.process.send_signal(signal.SIGHUP)
    _, seconds = until("Redis is checked", lambda: daemon.pools()["redis"]["connections"]["last_health_check"])
    until("nothing is recycled any more", lambda: recycled(daemon) == (time.sleep(1.5), recycled(daemon))[1])
    print(f"  redis_health_check_interval and db_pool_recycle are live: checked {seconds:.2f} s later")


def recycled(daemon):
    return daemon.pools()["database"]["closed"]["lifetime"]


def real_servers(postgres, redis):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "config.json"
        # connections are made anew every second: there is traffic whether or not rows are written
        config.write_text('{"connection_pool": {"db_pool_recycle": 1}}')
        settings = {"database_url": postgres.url(), "redis_url": redis.url(), "connection_pool.redis_pool_size": 10}
        with Daemon(BINARY, settings, arguments=("--config", str(config))) as daemon:
            well = {"redis": "ok", "database": "ok", "ffmpeg": "ok", "store": "ok"}
            expect(daemon, well)
            described(daemon)
            metrics_agree(daemon, well)
            killed_and_restarted(daemon, "database", postgres, ["redis", "ffmpeg"])
            killed_and_restarted(daemon, "redis", redis, ["database", "ffmpeg"])
            stopped(daemon, postgres, "PostgreSQL")
            stopped(daemon, redis, "Redis")
            no_more_connections(daemon, postgres)
            reconfigured(daemon, config)
            said = daemon.everything_said()
            assert PASSWORD not in said and Redis.PASSWORD not in said
            code, _ = daemon.stop()
            assert code == 0, daemon.log()


def wrong_passwords(postgres, redis):
    settings = {"database_url": postgres.url(password="wr0ng-secret"), "redis_url": redis.url("wr0ng-secret")}
    with Daemon(BINARY, settings) as daemon:
        with frames_unmoved(daemon, "wrong passwords"):
            pool, _ = daemon.wait_for("redis", "down")
            assert "WRONGPASS" in pool["why"], pool["why"]
            pool, _ = daemon.wait_for("database", "down")
            assert "password" in pool["why"], pool["why"]
            assert daemon.pools()["ffmpeg"]["health"] == "ok"
            metrics_agree(daemon, {"redis": "down", "database": "down", "ffmpeg": "ok"})
            alerted(daemon, "redis", "database")
        assert "wr0ng-secret" not in daemon.everything_said()
        code, _ = daemon.stop()
        assert code == 0, daemon.log()


def without_ffmpeg():
    with tempfile.TemporaryDirectory() as empty, Daemon(BINARY, env={"PATH": empty}) as daemon:
        with frames_unmoved(daemon, "no FFmpeg"):
            pool, _ = daemon.wait_for("ffmpeg", "down")
            assert "ffmpeg: no such program" in pool["why"], pool["why"]
            expect(daemon, {"database": "ok", "store": "ok"})
        assert daemon.stop()[0] == 0


def as_nobody(*command):
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command] if os.geteuid() == 0 else [*command]


def data_dir_read_only():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "data"
        folder.mkdir()
        os.chmod(name, 0o755)
        os.chmod(folder, 0o555)
        with Daemon(BINARY, folder=folder, prefix=as_nobody()) as daemon:
            with frames_unmoved(daemon, "data_dir read-only"):
                pool, _ = daemon.wait_for("database", "down")
                assert str(folder) in pool["why"], pool["why"]
                assert daemon.pools()["ffmpeg"]["health"] == "ok"
            assert str(folder) in daemon.log()  # the spool
            assert daemon.stop()[0] == 0, daemon.log()
        os.chmod(folder, 0o755)


def spool_unusable():
    """Whether it is wanted or not: what the database does not take waits in memory."""
    for most in (512, 0):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "spool" / "lock").mkdir(parents=True)  # where a file belongs
            with Daemon(BINARY, {"store.spool_max_mb": most}, folder=folder) as daemon:
                expect(daemon, {"database": "ok", "store": "ok"})
                assert str(folder / "spool") in daemon.log(), daemon.log()
                assert daemon.stop()[0] == 0, daemon.log()


def fails(*arguments):
    """What is said by a daemon that does not start."""
    done = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--set", "backend=null", *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    assert done.returncode not in (0, 4) and done.returncode > 0, (done.returncode, done.stdout)
    return done.stdout


def refused_at_the_start():
    with Daemon(BINARY) as daemon:
        said = fails("--data-dir", str(daemon.folder))
        assert str(daemon.folder) in said and "another process" in said, said
        assert daemon.stop()[0] == 0
    with tempfile.TemporaryDirectory() as folder:
        for url in ("host=db password=hunter2 dbname=its", "postgresql//its:hunter2@db/its", "mysql://its:hunter2@db/its",
                    "postgresql://its:hunter2@db:port/its", "postgresql://its:hunter2@db/its?nonsense=1"):
            said = fails("--data-dir", folder, "--set", f"database_url={url}")
            assert "database_url" in said and "hunter2" not in said, (url, said)
        for url in ("http://its:hunter2@db", "redis://its:hunter2@db/its", "redis://its:hunter2@db?nonsense=1"):
            said = fails("--data-dir", folder, "--set", f"redis_url={url}")
            assert "redis_url" in said and "hunter2" not in said, (url, said)


def fill_spool(folder):
    """With rows of a process that never reached a database."""
    spool = folder / "spool"
    load = subprocess.Popen([STORE_LOAD, "postgresql://127.0.0.1:1/nowhere", spool, "4", "500", "0"], stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)
    until("batches are spooled", lambda: len(list(spool.glob("*.batch"))) >= 2)
    load.kill()
    load.wait()


def hung_database_at_the_end(postgres):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        settings = {"database_url": postgres.url(), "drain_timeout_seconds": 3}
        fill_spool(folder)
        with standing_still(postgres), Daemon(BINARY, settings, folder=folder) as daemon:
            with frames_unmoved(daemon, "a database that hangs"):
                spooled = daemon.pools()["store"]["spool"]["rows"]
                assert spooled > 0
            code, seconds = daemon.stop()
            assert code == 0 and seconds < 3 + 5, (code, seconds, daemon.log())
            print(f"  ended in {seconds:.2f} s with a database that hangs, {spooled} rows on the disk")
        with Daemon(BINARY, settings, folder=folder) as daemon:
            _, seconds = until("all is written", lambda: (s := daemon.pools()["store"])["spool"]["rows"] == 0 and s["waiting"] == 0)
            assert sum(daemon.pools()["store"]["written"].values()) >= spooled
            assert daemon.stop()[0] == 0
        rows, different, most = map(int, postgres.sql("SELECT count(*), count(DISTINCT track), max(track) FROM its_event "
                                                      "WHERE camera LIKE 'camera\\_00%'").split("|"))
        assert rows == different == most > 0, (rows, different, most)
        print(f"  written {seconds:.2f} s after the next start, {rows} events, each once")


def described(daemon):
    """Documents have what their description says, and nothing else."""
    document = daemon.json("/api/v1/performance/pools")
    for pool in document["pools"]:
        assert set(pool) == set(SCHEMAS["Pool"]["properties"]), set(pool) ^ set(SCHEMAS["Pool"]["properties"])
        assert set(pool["connections"]) == set(SCHEMAS["ConnectionStats"]["properties"])
    assert set(document["store"]) == set(SCHEMAS["Store"]["oneOf"][1]["properties"])
    for path in ("/api/v1/performance/status", "/api/v1/performance/metrics"):
        stats = daemon.json(path)["connection_pools"]
        assert set(stats) == {"redis", "database", "ffmpeg"}
        for name, info in (("redis", "pool_info"), ("database", "pool_info"), ("ffmpeg", "process_info")):
            assert set(stats[name]) == {"pool_metrics", info, "health"}, stats[name]


def metrics_agree(daemon, healths):
    lines = daemon.ask("/metrics")[1].splitlines()
    for name, health in healths.items():
        for word in ("ok", "degraded", "down"):
            assert f'its_pool_health{{pool="{name}",health="{word}"}} {int(word == health)}' in lines, (name, word)
    outages = {line.split('"')[1]: float(line.split()[-1]) for line in lines if line.startswith("its_pool_outage_seconds{")}
    assert all((outages[name] > 0) == (health == "down") for name, health in healths.items()), (outages, healths)


def alerted(daemon, *names):
    """After ten seconds of it, and of none else."""
    def told():
        active = [a for a in daemon.json("/api/v1/performance/alerts")["active"] if a["labels"]["condition"] == "pool_down"]
        return {a["labels"]["pool"]: a for a in active} if len(active) == len(names) else None
    alerts, _ = until("alerts", told)
    assert set(alerts) == set(names), alerts
    for name, alert in alerts.items():
        assert alert["severity"] == "warning" and name in alert["summary"] and alert["figures"]["down_seconds"] >= 10, alert
        assert alert["figures"]["why"] in alert["summary"]
    assert not list((daemon.folder / "flight").glob("*")), "no frame waited for a pool"


GROUPS = ("start", "servers", "passwords", "end")


def main():
    group = sys.argv[3]
    assert group in GROUPS, group
    if group == "start":
        refused_at_the_start()
        without_ffmpeg()
        data_dir_read_only()
        spool_unusable()
        return 0
    with Postgres(max_connections=12, client_connection_check_interval="100ms") as postgres:
        if group == "end":
            hung_database_at_the_end(postgres)
            return 0
        with Redis() as redis:
            (real_servers if group == "servers" else wrong_passwords)(postgres, redis)
    return 0


sys.exit(main())
