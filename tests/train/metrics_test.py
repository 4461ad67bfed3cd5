"""Suppression, matching, average precision, curves, letterbox and decoding against values worked out by hand."""

import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "train"))

import detector  # noqa: E402
import letterbox  # noqa: E402
import metrics  # noqa: E402


def boxes(*rows):
    return np.array(rows, np.float64).reshape(-1, 4)


class Overlaps(unittest.TestCase):
    def test_values(self):
        a = boxes([0, 0, 10, 10])
        b = boxes([0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [0, 0, 5, 5], [30, 30, 30, 30])
        np.testing.assert_allclose(metrics.overlaps(a, b), [[1, 50 / 150, 0, 0.25, 0]])

    def test_none(self):
        self.assertEqual(metrics.overlaps(boxes(), boxes([0, 0, 1, 1])).shape, (0, 1))


class Suppress(unittest.TestCase):
    # the second overlaps the first by 0.8, the third by exactly 0.5
    found = boxes([0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 5], [50, 50, 60, 60])
    scores = np.array([0.6, 0.9, 0.3, 0.5])

    def test_best_first_and_more_than_the_limit(self):
        kept = metrics.suppress(self.found, np.zeros(4, int), self.scores, iou=0.7)
        self.assertEqual(kept.tolist(), [1, 3, 2])
        kept = metrics.suppress(self.found[[0, 2]], np.zeros(2, int), self.scores[[0, 2]], iou=0.5)
        self.assertEqual(kept.tolist(), [0, 1])  # 0.5 is not more than 0.5

    def test_classes_apart(self):
        kept = metrics.suppress(self.found, np.array([0, 1, 0, 0]), self.scores)
        self.assertEqual(kept.tolist(), [1, 0, 3, 2])

    def test_most_and_ties(self):
        kept = metrics.suppress(self.found, np.arange(4), np.full(4, 0.5), most=2)
        self.assertEqual(kept.tolist(), [0, 1])

    def test_nothing(self):
        self.assertEqual(metrics.suppress(boxes(), np.zeros(0, int), np.zeros(0)).tolist(), [])


class Match(unittest.TestCase):
    def test_one_truth_is_found_once_and_by_the_surest(self):
        truth = boxes([0, 0, 10, 10])
        found = boxes([0, 0, 10, 9], [0, 0, 10, 10])
        right, _ = metrics.match(found, np.array([0.9, 0.8]), truth)
        self.assertEqual(right[:, 0].tolist(), [True, False])

    def test_takes_the_free_one_it_overlaps_most(self):
        truth = boxes([0, 0, 10, 10], [0, 0, 10, 8])
        # both overlap both; the surer takes the second (IoU 1), the other is left with the first (0.8)
        found = boxes([0, 0, 10, 8], [0, 0, 10, 8])
        right, _ = metrics.match(found, np.array([0.5, 0.6]), truth, thresholds=(0.5, 0.85))
        self.assertEqual(right.tolist(), [[True, False], [True, True]])

    def test_the_threshold_itself_is_enough(self):
        right, _ = metrics.match(boxes([0, 0, 10, 5]), np.array([1.0]), boxes([0, 0, 10, 10]))
        self.assertTrue(right[0, 0])

    def test_ignored_only_when_not_right(self):
        truth, ignore = boxes([0, 0, 10, 10]), boxes([0, 0, 10, 10], [20, 0, 30, 10])
        found = boxes([0, 0, 10, 10], [20, 0, 30, 6], [20, 0, 30, 10], [20, 0, 30, 4], [0, 0, 10, 10])
        right, ignored = metrics.match(found, np.array([0.9, 0.8, 0.7, 0.6, 0.5]), truth, ignore)
        self.assertEqual(right[:, 0].tolist(), [True, False, False, False, False])
        # any number on one ignore box; IoU 0.4 is not on it; a second one of a found truth under an ignore box
        self.assertEqual(ignored[:, 0].tolist(), [False, True, True, False, True])

    def test_empty_sides(self):
        right, ignored = metrics.match(boxes(), np.zeros(0), boxes([0, 0, 1, 1]), boxes([0, 0, 1, 1]))
        self.assertEqual((right.shape, ignored.shape), ((0, 1), (0, 1)))
        right, _ = metrics.match(boxes([0, 0, 1, 1]), np.array([0.5]), boxes())
        self.assertFalse(right.any())


class AveragePrecision(unittest.TestCase):
    def ap(self, right, positives, scores=None):
        right = np.array(right, bool)
        scores = np.linspace(1, 0.5, len(right)) if scores is None else np.array(scores)
        return metrics.average_precision(scores, right, positives)

    def test_hand_computed(self):
        # recalls 1/3, 1/3, 2/3; precisions 1, 1/2, 2/3. Recalls 0..0.33 (34 of 101) are had at 1, 0.34..0.66 (33) at
        # 2/3, the rest (34) never.
        self.assertAlmostEqual(self.ap([1, 0, 1], 3), (34 * 1 + 33 * 2 / 3) / 101)
        # one right after one false, of one: precision 1/2 everywhere
        self.assertAlmostEqual(self.ap([0, 1], 1), 0.5)

    def test_ends(self):
        self.assertEqual(self.ap([1, 1], 2), 1.0)
        self.assertEqual(self.ap([1, 1, 0, 0], 2), 1.0)  # what comes after all are found costs nothing
        self.assertEqual(self.ap([0, 0], 2), 0.0)
        self.assertEqual(self.ap([], 2), 0.0)
        self.assertTrue(np.isnan(self.ap([], 0)))

    def test_order_is_by_score(self):
        self.assertEqual(self.ap([0, 1], 1, scores=[0.2, 0.7]), 1.0)


class Curves(unittest.TestCase):
    # falling: 0.9 right, 0.8 false, 0.7 right and false, 0.6 false; of four true boxes
    curve = metrics.Curve(np.array([0.7, 0.9, 0.6, 0.8, 0.7]), np.array([True, True, False, False, False]), 4)

    def test_points(self):
        self.assertEqual(self.curve.thresholds.tolist(), [0.9, 0.8, 0.7, 0.6])
        np.testing.assert_allclose(self.curve.recall, [0.25, 0.25, 0.5, 0.5])
        np.testing.assert_allclose(self.curve.precision, [1, 1 / 2, 2 / 4, 2 / 5])

    def test_at(self):
        self.assertEqual(self.curve.at(0.75), metrics.Point(0.75, 0.25, 0.5))
        self.assertEqual(self.curve.at(0.7).precision, 0.5)
        self.assertTrue(np.isnan(self.curve.at(0.95).precision))
        self.assertEqual(self.curve.at(0.95).recall, 0.0)

    def test_most_recall(self):
        self.assertEqual(self.curve.most_recall(0.5), metrics.Point(0.7, 0.5, 0.5))
        self.assertEqual(self.curve.most_recall(0.6), metrics.Point(0.9, 0.25, 1.0))
        self.assertIsNone(metrics.Curve(np.array([0.5]), np.array([False]), 1).most_recall(0.1))

    def test_best_f1(self):
        # f1: 0.4, 1/3, 0.5, 4/9
        best = self.curve.best_f1()
        self.assertEqual((best.threshold, best.f1), (0.7, 0.5))

    def test_nothing_found(self):
        curve = metrics.Curve(np.zeros(0), np.zeros(0, bool), 3)
        self.assertIsNone(curve.most_recall(0.5))
        self.assertIsNone(curve.best_f1())
        self.assertEqual(curve.at(0.5).recall, 0.0)


class Letterbox(unittest.TestCase):
    def test_geometry(self):
        fit = letterbox.Fit(1280, 720, 640, 384)
        self.assertEqual((fit.scale, fit.inner, fit.pad), (0.5, (640, 360), (0, 12)))
        self.assertEqual(fit.to_picture(boxes([10, 22, 20, 400])).tolist(), [[20, 20, 40, 720]])
        self.assertEqual(fit.to_input(boxes([20, 20, 40, 720])).tolist(), [[10, 22, 20, 372]])
        # an odd remainder: 7 pixels are 3 at the left and 4 at the right
        self.assertEqual(letterbox.Fit(25, 32, 32, 32).pad, (3, 0))

    def test_halves_a_picture(self):
        plane = np.array([[0, 10, 20, 30], [40, 50, 60, 70], [0] * 4, [100] * 4], np.uint8)
        tensor = letterbox.letterbox([plane] * 3, (2, 4))
        # each pixel is the mean of four; rows of padding above and below
        self.assertEqual(tensor[..., 0].tolist(), [[114, 114], [25, 45], [50, 50], [114, 114]])

    def test_colours(self):
        # black, white, and BT.601's red in limited range
        y, u, v = (np.array([row], np.uint8) for row in ([16, 235, 81], [128, 128, 90], [128, 128, 240]))
        tensor = letterbox.letterbox([y, u, v], (3, 1), letterbox.bt601_limited)
        self.assertEqual(tensor[0].tolist(), [[0, 0, 0], [255, 255, 255], [254, 0, 0]])

    def test_chroma_of_half_size(self):
        y = np.full((2, 4), 126, np.uint8)
        u, v = np.full((1, 2), 128, np.uint8), np.array([[128, 184]], np.uint8)
        tensor = letterbox.letterbox([y, u, v], (4, 2), letterbox.bt601_limited)
        # (126 - 16) 255/219 = 128.08; v at the columns: 128, 142, 170, 184, so red + 1.402 * 255/224 * (0, 14, 42, 56)
        self.assertEqual(tensor[0, :, 0].tolist(), [128, 150, 195, 217])


class Decode(unittest.TestCase):
    fit = letterbox.Fit(100, 100, 100, 100)

    def rows(self, output, groups, **options):
        return detector.decode(np.array(output, np.float32).T, self.fit, np.array(groups), **options)

    def test_best_class_stands_for_the_anchor(self):
        # cx cy w h, then classes: the first anchor's best is not wanted though its second best is
        output = [[50, 50, 20, 10, 0.9, 0.8, 0], [20, 20, 10, 10, 0, 0.5, 0.4]]
        found = self.rows(output, [-1, 0, 1])
        np.testing.assert_allclose(found, [[15, 15, 25, 25, 0.5, 0]])

    def test_every_class_that_reaches_the_confidence(self):
        output = [[50, 50, 20, 10, 0.9, 0.8, 0.001], [20, 20, 10, 10, 0, 0.5, 0.4]]
        found = self.rows(output, [-1, 0, 1], confidence=0.01, every_class=True)
        np.testing.assert_allclose(found[:, 4:], [[0.8, 0], [0.5, 0], [0.4, 1]], rtol=1e-6)

    def test_classes_of_one_group_suppress_each_other(self):
        output = [[50, 50, 20, 10, 0.6, 0, 0], [50, 50, 20, 10, 0, 0.7, 0], [50, 50, 20, 10, 0, 0, 0.5]]
        found = self.rows(output, [0, 0, 1])
        np.testing.assert_allclose(found[:, 4:], [[0.7, 0], [0.5, 1]], rtol=1e-6)

    def test_clipped_and_outside(self):
        output = [[0, 50, 20, 10, 0.6], [-30, 50, 20, 10, 0.9], [50, 50, 4, 4, 0.0005]]
        np.testing.assert_allclose(self.rows(output, [0]), [[0, 45, 10, 55, 0.6, 0]], rtol=1e-6)


if __name__ == "__main__":
    unittest.main()
