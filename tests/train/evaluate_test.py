"""The accounts of both evaluations, on detections and truth made by hand."""

import argparse
import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "train"))

import evaluate_real  # noqa: E402
import evaluate_rendered  # noqa: E402
import figures  # noqa: E402
import shards  # noqa: E402
import sizes  # noqa: E402


def at(x, score, side=10):
    """A square box of that side at (x, 0), its score and class 0."""
    return [x, 0, x + side, side, score, 0]


def frame(*rows):
    return np.array(rows, np.float64).reshape(-1, 6)


class RealClips(unittest.TestCase):
    # Two pictures of one clip: true boxes at 0, 100 and (second picture) 0; the reference is unsure at 200 and 300.
    truth = [frame(at(0, 0.9), at(100, 0.5), at(200, 0.4)), frame(at(0, 0.8), at(300, 0.1))]
    found = [frame(at(0, 0.9), at(200, 0.8), at(400, 0.2)), frame(at(0, 0.5), at(300, 0.4))]

    def test_required_reading(self):
        figures = evaluate_real.Account(self.found, self.truth, doubt=False).figures()
        # falling: 0.9 right, 0.8 false, 0.5 right, 0.4 false, 0.2 false; three true boxes
        self.assertEqual((figures["frames"], figures["true_boxes"]), (2, 3))
        self.assertAlmostEqual(figures["most_recall_at_precision"], 2 / 3)
        self.assertEqual(figures["most_recall_threshold"], 0.5)
        self.assertAlmostEqual(figures["recall_at_pooled_precision"], 2 / 3)
        self.assertAlmostEqual(figures["precision_there"], 2 / 3)
        self.assertAlmostEqual(figures["ap50"], (34 + 33 * 2 / 3) / 101)
        self.assertAlmostEqual(figures["best_f1"], 2 / 3)
        self.assertAlmostEqual(figures["recall_at_confidence"], 2 / 3)
        self.assertAlmostEqual(figures["precision_at_confidence"], 2 / 4)

    def test_doubt_ignored(self):
        figures = evaluate_real.Account(self.found, self.truth, doubt=True).figures()
        # 0.8 and 0.4 are out of the account; the true boxes stay three
        self.assertEqual(figures["true_boxes"], 3)
        self.assertEqual(figures["precision_at_confidence"], 1.0)
        self.assertEqual(figures["most_recall_threshold"], 0.2)
        self.assertAlmostEqual(figures["precision_there"], 2 / 3)

    def test_one_threshold_for_all_clips(self):
        # the first clip alone never reaches the precision, together they do from 0.3 on
        truth = {"a": [frame(at(0, 0.9))], "b": [frame(at(0, 0.9), at(100, 0.9))]}
        found = {"a": [frame(at(0, 0.3), at(50, 0.7))], "b": [frame(at(0, 0.6), at(100, 0.35))]}
        table, _ = evaluate_real.judge(found, truth, doubt=False)
        self.assertEqual(table["pooled"]["threshold_there"], 0.3)
        self.assertEqual(table["pooled"]["precision_there"], 0.75)
        self.assertEqual((table["a"]["recall_at_pooled_precision"], table["a"]["precision_there"]), (1.0, 0.5))
        self.assertEqual(table["a"]["most_recall_at_precision"], 0.0)
        self.assertEqual((table["b"]["recall_at_pooled_precision"], table["b"]["precision_there"]), (1.0, 1.0))

    def test_nothing_found(self):
        figures = evaluate_real.Account([frame()], [frame(at(0, 0.9))], doubt=True).figures()
        self.assertEqual((figures["recall_at_pooled_precision"], figures["ap50"], figures["best_f1"]), (0.0, 0.0, 0.0))


def box(x, cls, side=10.0, visible=1.0):
    return (x, 0, x + side, side, cls, 1, visible)


class Rendered(unittest.TestCase):
    def test_what_counts(self):
        boxes = np.array([box(0, 0), box(0, 0, visible=0.25), box(0, 0, visible=0.24), box(0, 0, side=8),
                          box(0, 0, side=7.9)], shards.BOX)
        self.assertEqual(evaluate_rendered.asked(boxes, 640, 360).tolist(), [True, True, False, True, False])
        # twice the picture: eight pixels of it are four at 640x384
        self.assertEqual(evaluate_rendered.asked(boxes, 1280, 720).tolist(), [False] * 5)

    def test_what_counts_as_clear(self):
        boxes = np.array([box(0, 0, side=16, visible=0.5), box(0, 0, side=15.9), box(0, 0, side=40, visible=0.49)],
                         shards.BOX)
        self.assertEqual(evaluate_rendered.asked(boxes, 640, 360, evaluate_rendered.CLEAR).tolist(),
                         [True, False, False])
        tally = evaluate_rendered.Tally(evaluate_rendered.CLEAR)
        # the better score is on the small one, which is neither right nor wrong here
        tally.add(frame([0, 0, 16, 16, 0.7, 0], at(50, 0.8)), np.array([box(50, 0), box(0, 0, side=16)], shards.BOX),
                  640, 360)
        self.assertEqual(tally.figures()["classes"]["car"], {"boxes": 1, "map50": 1.0, "map50_95": 1.0})

    def test_per_class_and_mean(self):
        tally = evaluate_rendered.Tally()
        truth = np.array([box(0, 0), box(100, 0), box(200, 1), box(300, 0, visible=0.1)], shards.BOX)
        found = frame(at(0, 0.9), at(300, 0.8), at(100, 0.7), [200, 0, 210, 8.2, 0.6, 1], [0, 0, 10, 10, 0.5, 2])
        tally.add(found, truth, 640, 360)
        figures = tally.figures()
        # cars: both found, the hidden one neither right nor wrong; the truck's box has IoU 0.82: right at 7 thresholds
        # of 10; there is no bus, so its false alarm weighs nothing in the mean of classes
        self.assertEqual(set(figures["classes"]), {"car", "truck"})
        self.assertEqual(figures["classes"]["car"], {"boxes": 2, "map50": 1.0, "map50_95": 1.0})
        self.assertEqual(figures["classes"]["truck"]["map50"], 1.0)
        self.assertAlmostEqual(figures["classes"]["truck"]["map50_95"], 0.7)
        self.assertAlmostEqual(figures["map50_95"], 0.85)

    def test_without_truth(self):
        with self.assertRaisesRegex(ValueError, "none of the frames"):
            evaluate_rendered.Tally().figures()


class Sizes(unittest.TestCase):
    def test_parse(self):
        self.assertEqual([sizes.parse_size(sizes.name(size)) for size in sizes.LEVELS.values()],
                         list(sizes.LEVELS.values()))
        for text in ("640", "640x380", "0x384", "-32x32", "axb", "640x384x3", ""):
            with self.assertRaises(argparse.ArgumentTypeError):
                sizes.parse_size(text)


class Tables(unittest.TestCase):
    def test_goes_between_its_lines(self):
        card = "a\n<!-- figures: one -->\nold\n<!-- end -->\nb\n<!-- figures: two -->\n<!-- end -->\nc\n"
        made = {"one": figures.table(["x", "y"], [["m", "1"]]), "two": "T\n"}
        want = ("a\n<!-- figures: one -->\n| x | y |\n| --- | ---: |\n| m | 1 |\n<!-- end -->\nb\n"
                "<!-- figures: two -->\nT\n<!-- end -->\nc\n")
        self.assertEqual(figures.insert(card, made), want)
        self.assertEqual(figures.insert(want, made), want)

    def test_an_unknown_table(self):
        with self.assertRaisesRegex(ValueError, "no table 'three'"):
            figures.insert("<!-- figures: three -->\n<!-- end -->", {"one": ""})

    def test_numbers(self):
        self.assertEqual([figures.number(v) for v in (0.12345, 0.0, None, float("nan"))], ["0.123", "0.000", "-", "-"])


if __name__ == "__main__":
    unittest.main()
