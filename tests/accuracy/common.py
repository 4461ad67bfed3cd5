"""What the accuracy tests share: the data, the tool under test, and the training tools' own metrics."""

import json
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "train"))  # metrics.py, which has tests of its own
DATA = pathlib.Path(os.environ.get("ITS_TEST_DATA") or ROOT.parent / "shared")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def need(path):
    """A file or folder of the shared data; the test is skipped without it."""
    path = DATA / path
    if not path.exists():
        skip(f"{path} is absent")
    return path


def frame_line(layout, width, height, matrix, value_range):
    return f"{layout} {width} {height} {matrix} {value_range}\n".encode()


def detect(tool, model, frames, *options):
    """Sends (line, bytes) pairs through its_detect; returns one array of x1 y1 x2 y2 score class rows per frame,
    and what the tool said about itself."""
    command = [tool, "--model", str(model), *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def feed():
        try:
            for line, pixels in frames:
                process.stdin.write(line)
                process.stdin.write(pixels)
            process.stdin.close()
        except BrokenPipeError:
            pass  # its exit status tells

    said = []
    listen = lambda: said.append(process.stderr.read().decode())
    threads = [threading.Thread(target=feed), threading.Thread(target=listen)]
    for thread in threads:
        thread.start()
    found = [np.array(json.loads(line)["boxes"], np.float64).reshape(-1, 6) for line in process.stdout]
    for thread in threads:
        thread.join()
    if process.wait() == 77:
        skip(said[0].strip().removeprefix("skipped: "))
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}\n{said[0]}")
    return found, said[0].strip()
