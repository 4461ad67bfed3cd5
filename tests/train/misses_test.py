"""What the count of misses rests on: which fate an object has, which error a detection is, what mending it gives."""

import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "train"))

import evaluate_misses as misses  # noqa: E402
import shards  # noqa: E402

CAR, TRUCK, PERSON = (shards.CLASSES.index(name) for name in ("car", "truck", "person"))


def picture(found, truth, counts=None):
    """found: (x1, y1, x2, y2, score, class); truth: (x1, y1, x2, y2, class)."""
    found = np.array(found, float).reshape(-1, 6)
    boxes = np.array([(*box[:4], box[4], i, 1.0) for i, box in enumerate(truth)], shards.BOX)
    return misses.Picture(found, found, boxes, np.array(counts or [True] * len(truth)))


class Fates(unittest.TestCase):
    def test_each(self):
        truth = [(x, 0, x + 20, 20, CAR) for x in (0, 100, 200, 300)]
        found = [(0, 0, 20, 20, 0.9, CAR), (100, 0, 120, 20, 0.8, TRUCK), (210, 0, 230, 20, 0.7, CAR),
                 (300, 0, 320, 20, misses.CONFIDENCE / 2, CAR)]
        self.assertEqual(misses.fates(picture(found, truth)).tolist(), [0, 1, 2, 3])

    def test_one_detection_finds_one_object(self):
        """The other is overlapped by it, but by nothing of its own."""
        truth = [(0, 0, 20, 20, CAR), (4, 0, 24, 20, CAR)]
        self.assertEqual(sorted(misses.fates(picture([(0, 0, 20, 20, 0.9, CAR)], truth)).tolist()), [0, 1])

    def test_nothing_is_found_without_detections(self):
        self.assertEqual(misses.fates(picture([], [(0, 0, 20, 20, CAR)])).tolist(), [3])


class Errors(unittest.TestCase):
    truth = [(0, 0, 20, 20, CAR), (100, 0, 120, 20, PERSON)]

    def kind(self, *box):
        """Of a detection that comes after the right one of the first object."""
        rows, taken = misses.judge(picture([(0, 0, 20, 20, 0.9, CAR), (*box[:4], 0.5, box[4])], self.truth))
        self.assertEqual(taken.tolist(), [True, rows[1][2] == ""])
        return rows[1][2]

    def test_each_kind(self):
        self.assertEqual(self.kind(100, 0, 120, 20, PERSON), "")
        self.assertEqual(self.kind(1, 0, 21, 20, CAR), "twice")
        self.assertEqual(self.kind(100, 0, 120, 20, CAR), "class")
        self.assertEqual(self.kind(110, 0, 130, 20, PERSON), "place")
        self.assertEqual(self.kind(110, 0, 130, 20, TRUCK), "both")
        self.assertEqual(self.kind(300, 0, 320, 20, CAR), "background")

    def test_what_lies_on_an_ignored_object_is_no_error(self):
        rows, _ = misses.judge(picture([(100, 0, 120, 20, 0.9, PERSON)], self.truth, [True, False]))
        self.assertEqual(rows, [])


class Gains(unittest.TestCase):
    def gains(self, found):
        return misses.gains([picture(found, [(0, 0, 20, 20, CAR), (100, 0, 120, 20, CAR)])])

    def test_all_right(self):
        gains = self.gains([(0, 0, 20, 20, 0.9, CAR), (100, 0, 120, 20, 0.8, CAR)])
        self.assertEqual(gains, {"map50": 1.0, **dict.fromkeys(misses.ERRORS, 0.0)})

    def test_only_the_mended_kind_gains(self):
        right = (0, 0, 20, 20, 0.9, CAR)
        for kind, wrong in (("class", (100, 0, 120, 20, 0.8, TRUCK)), ("place", (110, 0, 130, 20, 0.8, CAR))):
            gains = self.gains([right, wrong])
            self.assertAlmostEqual(gains["map50"] + gains[kind], 1.0)
            self.assertEqual(gains["missed"], 0)  # it is there, under another name or aside
        missed = self.gains([right])
        self.assertAlmostEqual(missed["map50"] + missed["missed"], 1.0)

    def test_a_false_alarm_that_comes_first(self):
        gains = self.gains([(300, 0, 320, 20, 0.95, CAR), (0, 0, 20, 20, 0.9, CAR), (100, 0, 120, 20, 0.8, CAR)])
        self.assertGreater(gains["background"], 0.2)


class Bands(unittest.TestCase):
    def test_objects_of_other_sizes_and_alarms_of_other_sizes_stay_out(self):
        truth = [(0, 0, 10, 10, CAR), (100, 0, 130, 30, CAR)]
        found = [(0, 0, 10, 10, 0.9, CAR), (300, 0, 330, 30, 0.95, CAR)]
        rows = misses.bands([picture(found, truth)])
        self.assertEqual((rows["8..12 px"]["boxes"], rows["8..12 px"]["ap50"], rows["8..12 px"]["found"]), (1, 1.0, 1.0))
        self.assertEqual((rows["24..48 px"]["ap50"], rows["24..48 px"]["not found"]), (0.0, 1.0))


if __name__ == "__main__":
    unittest.main()
