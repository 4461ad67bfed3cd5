"""Real clips for the evaluation: every k-th frame in the model's input, and the reference model's boxes; both cached.

Nothing here may be trained on: the clips only tell how well a model does on cameras it has never seen.
"""

import hashlib
import os
import pathlib

import numpy as np

from letterbox import Fit, letterbox
from sizes import FULL, name as size_name

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("ITS_TEST_DATA") or ROOT.parent / "shared")
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "its-camera-ai" / "evaluate"

REFERENCE_SIZE = FULL
# The three kinds are one class: a van is a car to one labeller and a truck to the other.
VEHICLE = {"car": 0, "truck": 0, "bus": 0}
ROAD_CLIPS = ("highway-720p", "intersection-hangzhou-720p", "autostrade-tunnel-360p", "autostrade-foreste-cif",
              "road-overhead-dim-360p")
STREET_CLIP = "street-people-bicycles-1080p"
STREET_GROUPS = {"person": 0, "bicycle": 1}
# The reference is asked down to here; above TRUTH its boxes are the truth.
DOUBT, TRUTH = 0.1, 0.5


class Clip:
    """One clip at one sampling: `tensors(size)` and `truth(...)`, from the cache where it has them."""

    def __init__(self, path, every, cache):
        self.path, self.every = pathlib.Path(path), every
        self.name = self.path.stem
        self.cache = pathlib.Path(cache)
        about = self.path.stat()
        # another file, or a changed one, of the same name must not find this one's entry
        self.key = f"{self.name}-{_digest(f'{about.st_size} {about.st_mtime_ns}'.encode())}-every{every}"

    def tensors(self, size):
        """(uint8 [frames, height, width, 3] RGB letterboxed, Fit); size: (width, height)."""
        kept = self._cached(f"{self.key}-{size_name(size)}", lambda: self._decode(size))
        return kept["tensors"], Fit(*map(int, kept["source"]), *size)

    def _decode(self, size):
        import cv2

        capture, tensors, source = cv2.VideoCapture(str(self.path)), [], None
        index = 0
        while capture.grab():
            if index % self.every == 0:
                _, bgr = capture.retrieve()
                source = bgr.shape[1::-1]
                tensors.append(letterbox([bgr[..., c] for c in (2, 1, 0)], size))
            index += 1
        if not tensors:
            raise ValueError(f"{self.path}: no frame could be decoded")
        return {"tensors": np.stack(tensors), "source": np.array(source)}

    def truth(self, reference, wanted):
        """The reference's boxes of every frame, rows x1, y1, x2, y2, score, group in pixels of the picture, from
        confidence DOUBT on. reference: Detector; wanted: {class name: group}."""
        model = _digest(pathlib.Path(reference.path).read_bytes())
        groups = _digest(repr(sorted(wanted.items())).encode())

        def infer():
            tensors, fit = self.tensors(REFERENCE_SIZE)
            found = [reference.detect(t, fit, reference.groups(wanted), DOUBT) for t in tensors]
            return {"counts": np.array([len(rows) for rows in found]), "rows": np.concatenate(found)}

        kept = self._cached(f"{self.key}-truth-{model}-{groups}", infer)
        return np.split(kept["rows"], np.cumsum(kept["counts"])[:-1])

    def _cached(self, name, make):
        path = self.cache / f"{name}.npz"
        if not path.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{name}.{os.getpid()}.npz")
            np.savez(part, **make())
            part.replace(path)  # whole or not at all, also for a run beside this one
        with np.load(path) as kept:
            return {key: kept[key] for key in kept.files}


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:12]
