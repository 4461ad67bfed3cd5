"""A PostgreSQL server, and PgBouncer in transaction mode before it, in a temporary folder on loopback, for as long as a
test lasts. They refuse to run as root: then they run as the user that their package made."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

USER, PASSWORD, DATABASE = "its", "a secret: 100% #1", "its"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def programs():
    """The folder of initdb and postgres: of the newest version that is installed; None: none is."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    return found[-1].parent if found else None


def as_user(command):
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command] if os.geteuid() == 0 else command


class Postgres:
    def __init__(self, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="its-postgres-"))
        self.data, self.port, self.process, self.pooler = self.folder / "data", free_port(), None, None
        self.settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 60,
                         "shared_buffers": "64MB", "logging_collector": "off", **settings}
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.folder, secret):
                shutil.chown(path, "postgres", "postgres")
        subprocess.run(as_user([programs() / "initdb", "-D", self.data, "-U", USER, "--pwfile", secret, "-A", "scram-sha-256",
                                "-E", "UTF8", "--no-locale", "--no-sync"]), check=True, stdout=subprocess.DEVNULL,
                       cwd=self.folder)
        self.start()
        self.sql(f"CREATE DATABASE {DATABASE}", "postgres")

    def url(self, port=None, password=PASSWORD, database=DATABASE):
        quoted = password.replace("%", "%25").replace(" ", "%20").replace("#", "%23").replace(":", "%3A")
        return f"postgresql://{USER}:{quoted}@127.0.0.1:{port or self.port}/{database}"

    def start(self):
        options = [x for name, value in self.settings.items() for x in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(as_user([programs() / "postgres", "-D", self.data, "-p", str(self.port), *options]),
                                        stderr=open(self.folder / "log", "ab"), cwd=self.folder)
        deadline = time.monotonic() + 30
        while self.ask("SELECT 1", "postgres").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def kill(self):
        """As if the machine had lost power: children and all, none of which is being started meanwhile."""
        os.kill(self.process.pid, signal.SIGSTOP)
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        for pid in [self.process.pid, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        deadline = time.monotonic() + 10
        while any(pathlib.Path("/proc", pid).exists() for pid in children) and time.monotonic() < deadline:
            time.sleep(0.01)  # as long as one is there, the next server finds its memory in use

    def ask(self, sql, database=DATABASE):
        return subprocess.run(["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url(database=database)],
                              capture_output=True, text=True)

    def sql(self, sql, database=DATABASE):
        done = self.ask(sql, database)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def start_pooler(self, size=5):
        """PgBouncer in transaction mode with so many connections to the server; its address."""
        port = free_port()
        (self.folder / "users").write_text(f'"{USER}" "{PASSWORD}"\n')
        (self.folder / "pooler.ini").write_text(f"""[databases]
{DATABASE} = host=127.0.0.1 port={self.port} dbname={DATABASE}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self.folder / "users"}
pool_mode = transaction
default_pool_size = {size}
logfile = {self.folder / "pooler.log"}
""")
        if os.geteuid() == 0:
            for name in ("users", "pooler.ini"):
                shutil.chown(self.folder / name, "postgres", "postgres")
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        self.pooler = subprocess.Popen(as_user([program, "-q", self.folder / "pooler.ini"]), cwd=self.folder,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.pooler.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return self.url(port)
            time.sleep(0.05)
        raise RuntimeError("pgbouncer did not start: " + (self.folder / "pooler.log").read_text())

    def close(self):
        for process, how in ((self.pooler, signal.SIGTERM), (self.process, signal.SIGINT)):
            if process and process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
