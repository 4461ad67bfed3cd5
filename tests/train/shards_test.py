"""The shard format: what is written comes back, and what is cut or strange is refused."""

import pathlib
import struct
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "train"))

import shards  # noqa: E402


def by_hand():
    """Two frames of 4x2: the first without boxes, the second with one; bytes as the format's text says."""
    head = b"ITSFRAME" + struct.pack("<4I", 1, 4, 2, 2) + bytes(40)
    frames = bytes(range(12)) + bytes(range(100, 112))
    offsets = struct.pack("<3I", 0, 0, 1)
    box = struct.pack("<4f2if", 1.0, 2.0, 3.5, 4.0, 5, 77, 0.25)
    return head + frames + offsets + box


class Shards(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "a.frames"

    def refuse(self, data, reason):
        self.path.write_bytes(data)
        with self.assertRaisesRegex(shards.BadShard, reason):
            shards.read_shard(self.path)

    def test_reads_bytes_made_by_hand(self):
        self.path.write_bytes(by_hand())
        frames, offsets, boxes = shards.read_shard(self.path)
        self.assertEqual(frames.shape, (2, 3, 4))
        self.assertEqual(frames[1, 0].tolist(), [100, 101, 102, 103])
        self.assertEqual(offsets.tolist(), [0, 0, 1])
        self.assertEqual(boxes[0].item(), (1.0, 2.0, 3.5, 4.0, 5, 77, 0.25))
        y, u, v = shards.planes(frames[0])
        self.assertEqual(y.tolist(), [[0, 1, 2, 3], [4, 5, 6, 7]])
        self.assertEqual((u.tolist(), v.tolist()), ([[8, 9]], [[10, 11]]))

    def test_writes_the_same_bytes(self):
        self.path.write_bytes(by_hand())
        frames, offsets, boxes = shards.read_shard(self.path)
        copy = self.path.with_name("b.frames")
        shards.write_shard(copy, np.array(frames), [boxes[a:b] for a, b in zip(offsets, offsets[1:])])
        self.assertEqual(copy.read_bytes(), by_hand())
        self.assertEqual(shards.find_shards(self.folder.name), [self.path, copy])

    def test_no_boxes_at_all(self):
        shards.write_shard(self.path, np.zeros((1, 3, 4), np.uint8), [np.zeros(0, shards.BOX)])
        self.assertEqual(len(shards.read_shard(self.path)[2]), 0)

    def test_refuses_what_is_no_shard(self):
        good = by_hand()
        self.refuse(b"", "too few")
        self.refuse(b"NOTFRAME" + good[8:], "not a shard")
        self.refuse(good[:8] + struct.pack("<I", 2) + good[12:], "not a shard")
        self.refuse(good[:12] + struct.pack("<I", 5) + good[16:], "even")
        self.refuse(good[:70], "need at least")
        self.refuse(good[:-1], "boxes end at")
        self.refuse(good + b"x", "boxes end at")
        self.refuse(good[:88] + struct.pack("<3I", 0, 2, 1) + good[100:], "do not rise")


if __name__ == "__main__":
    unittest.main()
