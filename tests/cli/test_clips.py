"""Clips of incidents as their users meet them: cameras of every kind, a frozen flight record, and what is there then.

usage: test_clips.py PATH-TO-its-camera-ai"""
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

from test_cli import NULL, Daemon, free_port, wait_for
from test_monitor import post

RTSP_SERVER = pathlib.Path(__file__).resolve().parent.parent / "capture" / "rtsp_server.py"
AROUND = 3  # seconds before and after
SHORT = ("--set", f"monitor.clip_seconds={AROUND}")
# No incidents but those of the tests, however busy the machine is.
QUIET = ("--set", "latency_monitoring.enable_sla_alerts=false", "--set", "latency_monitoring.collect_detailed_metrics=false",
         "--set", "adaptive_quality.enable_adaptive_quality=false")
FLIGHT = "/api/v1/performance/flight"


def make(folder, name, *options):
    """A clip of 20 s at 25 pictures/s with a key frame every second."""
    path = pathlib.Path(folder) / name
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=20", "-g", "25",
                    "-bf", "0", *options, str(path)], check=True)
    return path


@contextlib.contextmanager
def rtsp(file, codec):
    server = subprocess.Popen(["/usr/bin/python3", str(RTSP_SERVER), str(file), "--codec", codec],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield f"rtsp://127.0.0.1:{server.stdout.readline().split()[1]}/cam0"
    finally:
        server.communicate("quit\n", timeout=20)


def clips(daemon):
    return {clip["name"]: clip for clip in json.loads(daemon.get("/api/v1/clips"))["clips"]}


def freeze(daemon, camera):
    status, body = post(daemon, FLIGHT, {"why": f"seen at {camera}", "camera": camera})
    assert status == 201, body
    answer = json.loads(body)
    name, = answer["clips"]
    assert name.endswith(f"Z-{camera}.mp4"), name
    return name, pathlib.Path(answer["path"]).name


def ended(daemon, name):
    clip = clips(daemon)[name]
    return clip if clip["state"] in ("written", "failed") else None


def running(daemon, camera, seconds=60):
    """Until the camera has given pictures for as long as a clip shows before an incident."""
    def frames():
        status = json.loads(daemon.get(f"/api/v1/cameras/{camera}"))
        return status["ledger"]["expected"] > 25 * (AROUND + 1)
    wait_for(frames, f"pictures of {camera}", seconds)


def probe(path):
    """What FFmpeg finds in it, decoding every picture without a complaint."""
    done = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
                           "stream=codec_name,nb_read_frames,duration,start_time:packet=flags", "-of", "json", str(path)],
                          capture_output=True, text=True, check=True)
    assert done.stderr == "", done.stderr
    found = json.loads(done.stdout)
    stream, = found["streams"]
    return stream["codec_name"], int(stream["nb_read_frames"]), float(stream["duration"]), found["packets"][0]["flags"]


def ask(daemon, path, method="GET", **headers):
    request = urllib.request.Request(daemon.url + path, method=method,
                                     headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


class EveryKindOfCamera(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        folder = cls.stack.enter_context(tempfile.TemporaryDirectory())
        x264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency")
        x265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=0")
        cls.cameras = {
            "rtsp264": (cls.stack.enter_context(rtsp(make(folder, "camera.h264", *x264), "h264")), "h264"),
            "rtsp265": (cls.stack.enter_context(rtsp(make(folder, "camera.h265", *x265), "h265")), "hevc"),
            "file264": (make(folder, "file.mp4", *x264), "h264"),
            "mjpeg": (make(folder, "file.mkv", "-c:v", "mjpeg"), "mjpeg"),
            "road": ("synth://street?size=320x240&seconds=4", "h264"),
        }
        options = [word for name, (url, _) in cls.cameras.items() for word in ("--camera", f"{name}={url}")]
        dead = f"rtsp://127.0.0.1:{free_port()}/nothing"
        cls.daemon = cls.stack.enter_context(Daemon(*NULL, *SHORT, *QUIET, *options, "--camera", f"dead={dead}",
                                                    "--camera", "empty=null://?fps=25"))
        for camera in cls.cameras:
            running(cls.daemon, camera)
        cls.frozen = {camera: freeze(cls.daemon, camera) for camera in (*cls.cameras, "dead")}
        cls.waiting = clips(cls.daemon)
        cls.made = {camera: wait_for(lambda name=name: ended(cls.daemon, name), f"the clip of {camera}", 60)
                    for camera, (name, _) in cls.frozen.items()}

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def test_a_clip_shows_before_and_after(self):
        for camera, (_, codec) in self.cameras.items():
            with self.subTest(camera):
                clip = self.made[camera]
                self.assertEqual((clip["state"], clip["note"]), ("written", ""))
                self.assertEqual(clip["why"], f"seen at {camera}")
                self.assertEqual(clip["flight_record"], self.frozen[camera][1])
                path = pathlib.Path(self.daemon.dir.name) / "clips" / clip["name"]
                self.assertEqual(path.stat().st_size, clip["bytes"])
                found, pictures, seconds, first = probe(path)
                self.assertEqual(found, codec)
                self.assertEqual(first[0], "K")
                # from the key frame before, which is at most a second away
                self.assertGreaterEqual(clip["seconds_before"], AROUND)
                self.assertLess(clip["seconds_before"], AROUND + 1.5)
                self.assertAlmostEqual(clip["seconds"] - clip["seconds_before"], AROUND, delta=0.5)
                self.assertAlmostEqual(seconds, clip["seconds"], delta=0.5)
                self.assertAlmostEqual(pictures, 25 * seconds, delta=5)

    def test_it_was_waiting_before(self):
        self.assertEqual({clip["state"] for clip in self.waiting.values()}, {"waiting"})

    def test_a_camera_that_is_down_is_told(self):
        self.assertEqual(self.made["dead"]["state"], "failed")
        self.assertIn("no pictures", self.made["dead"]["note"])

    def test_what_has_no_pictures_has_no_clip(self):
        status, body = post(self.daemon, FLIGHT, {"camera": "empty"})
        self.assertEqual((status, json.loads(body)["clips"]), (201, []))
        self.assertEqual(post(self.daemon, FLIGHT, {"camera": "nobody"})[0], 404)

    def test_it_is_served_in_parts(self):
        clip = self.made["file264"]
        path = f"/api/v1/clips/{clip['name']}"
        status, headers, whole = ask(self.daemon, path)
        self.assertEqual((status, headers["Content-Type"], len(whole)), (200, "video/mp4", clip["bytes"]))
        self.assertEqual(headers["Accept-Ranges"], "bytes")
        self.assertEqual(whole[4:8], b"ftyp")
        status, headers, part = ask(self.daemon, path, Range="bytes=100-299")
        self.assertEqual((status, part), (206, whole[100:300]))
        self.assertEqual(headers["Content-Range"], f"bytes 100-299/{len(whole)}")
        self.assertEqual(ask(self.daemon, path, Range="bytes=-50")[::2], (206, whole[-50:]))
        status, headers, _ = ask(self.daemon, path, Range=f"bytes={len(whole)}-")
        self.assertEqual((status, headers["Content-Range"]), (416, f"bytes */{len(whole)}"))
        status, headers, body = ask(self.daemon, path, "HEAD")
        self.assertEqual((status, headers["Content-Length"], body), (200, str(len(whole)), b""))

    def test_other_files_are_not_served(self):
        for name in ("..%2F..%2Fetc%2Fpasswd", "..%2Fflight%2F" + self.frozen["road"][1],
                     self.made["road"]["name"].replace(".mp4", ".json"), "2026-01-31T12-00-00.123Z-x.mp4"):
            self.assertEqual(ask(self.daemon, f"/api/v1/clips/{name}")[0], 404, name)
            self.assertIn(ask(self.daemon, f"/api/v1/clips/{name}", "DELETE")[0], (404, 405), name)

    def test_metrics_count_them(self):
        text = self.daemon.get("/metrics").decode()
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("its_clips"))
        self.assertEqual(int(values['its_clips_total{result="written"}']), len(self.cameras))
        self.assertEqual(int(values['its_clips_total{result="failed"}']), 1)
        self.assertGreater(float(values["its_clips_memory_bytes"]), 0)
        listed = json.loads(self.daemon.get("/api/v1/clips?limit=0"))
        self.assertEqual((int(values["its_clips_kept"]), float(values["its_clips_kept_bytes"])),
                         (listed["kept"], listed["bytes"]))


class Ends(unittest.TestCase):
    ROAD = "road=synth://street?size=320x240&seconds=4"
    LONG = ("--set", "monitor.clip_seconds=100")

    def test_a_camera_removed_meanwhile(self):
        with Daemon(*NULL, *SHORT, "--camera", self.ROAD) as daemon:
            running(daemon, "road")
            name, _ = freeze(daemon, "road")
            self.assertEqual(ask(daemon, "/api/v1/cameras/road", "DELETE")[0], 204)
            clip = wait_for(lambda: ended(daemon, name), "the clip", 30)
            self.assertEqual(clip["state"], "written")
            self.assertIn("no more pictures", clip["note"])
            self.assertGreaterEqual(clip["seconds"], AROUND)
            self.assertEqual(ask(daemon, f"/api/v1/clips/{name}", "DELETE")[0], 204)
            self.assertEqual(ask(daemon, f"/api/v1/clips/{name}")[0], 404)
            self.assertEqual(clips(daemon), {})

    def test_a_daemon_that_ends_keeps_what_there_is(self):
        with Daemon(*NULL, *self.LONG, "--camera", self.ROAD) as daemon:
            running(daemon, "road")
            name, _ = freeze(daemon, "road")
            self.assertEqual(ask(daemon, f"/api/v1/clips/{name}")[0], 409)
            self.assertEqual(ask(daemon, f"/api/v1/clips/{name}", "DELETE")[0], 409)
            code, _, errors = daemon.stop()
            self.assertEqual(code, 0, errors)
            self.assertIn("the daemon ended", errors)
            _, pictures, seconds, first = probe(pathlib.Path(daemon.dir.name) / "clips" / name)
            self.assertEqual(first[0], "K")
            self.assertGreater(seconds, AROUND)
            self.assertGreater(pictures, 25 * AROUND)

    def test_a_daemon_that_is_killed_makes_it_at_the_next_start(self):
        with Daemon(*NULL, *self.LONG, "--camera", self.ROAD) as daemon:
            running(daemon, "road")
            name, _ = freeze(daemon, "road")
            folder = pathlib.Path(daemon.dir.name) / "clips"
            wait_for(lambda: any(path.stat().st_size > 0 for path in folder.glob("*.mpegts")), "a recording", 30)
            daemon.process.kill()
            daemon.process.communicate()
            with Daemon(*NULL, "--set", f"data_dir={daemon.dir.name}") as second:
                clip = wait_for(lambda: ended(second, name), "the clip", 30)
                self.assertEqual((clip["state"], clip["why"]), ("written", "seen at road"))
                self.assertIn("the daemon ended", clip["note"])
                self.assertEqual(probe(folder / name)[3][0], "K")
                self.assertEqual(list(folder.glob("*.mpegts")), [])

    def test_without_clips_it_says_so(self):
        with Daemon(*NULL, "--set", "monitor.clip_camera_mb=0", "--camera", self.ROAD) as daemon:
            listed = json.loads(daemon.get("/api/v1/clips"))
            self.assertEqual((listed["enabled"], listed["clips"]), (False, []))
            self.assertEqual(ask(daemon, "/api/v1/clips/2026-01-31T12-00-00.123Z-x.mp4")[0], 404)
            self.assertEqual(json.loads(post(daemon, FLIGHT, {})[1])["clips"], [])

    def test_who_may_ask(self):
        with Daemon(*NULL, "--set", "server.token=word") as daemon:
            self.assertEqual(ask(daemon, "/api/v1/clips")[0], 401)
            self.assertEqual(ask(daemon, "/api/v1/clips/2026-01-31T12-00-00.123Z-x.mp4")[0], 401)
            self.assertEqual(ask(daemon, "/api/v1/clips", Authorization="Bearer word")[0], 200)
            self.assertEqual(ask(daemon, "/api/v1/clips?limit=x", Authorization="Bearer word")[0], 400)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
