"""What training rests on: which anchors answer for an object, where a picture's objects lie once it is cut, scaled and
flipped, and effects that move nothing. Needs torch, which the test environment may lack: it says so and exits 77."""

import pathlib
import sys
import tempfile
import unittest

import numpy as np

try:
    import torch
except ImportError:
    print("skipped: torch is not installed")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "train"))

import data  # noqa: E402
import grow  # noqa: E402
import loss  # noqa: E402
import shards  # noqa: E402
from network import BINS, CLASSES, SPLITS, STRIDES, Decoded, Detector  # noqa: E402
from photometric import Photometric  # noqa: E402

WIDTH, HEIGHT = 320, 192


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def grid(stride=8, cols=8, rows=8):
    """Anchors [rows * cols, 2]."""
    y, x = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(cols) + 0.5, indexing="ij")
    return torch.stack((x, y), -1).view(-1, 2) * stride


class Assignment(unittest.TestCase):
    anchors = grid()

    def assign(self, truth, labels, boxes=None, scores=None, real=None):
        """One picture; without boxes every anchor predicts the first object, without scores all are equal."""
        truth = torch.tensor([truth], dtype=torch.float32)
        boxes = truth[:, :1].expand(1, len(self.anchors), 4) if boxes is None else boxes
        scores = torch.full((1, len(self.anchors), len(CLASSES)), 0.1) if scores is None else scores
        real = torch.tensor([real or [True] * len(labels)])
        owner, taken, quality = loss.assign(scores, boxes, self.anchors, torch.tensor([labels]), truth, real)
        return owner[0], taken[0], quality[0]

    def off_by(self, truth, factor):
        """Boxes that leave the truth the more, the farther their anchor is from its middle."""
        truth = torch.tensor(truth, dtype=torch.float32)
        away = (self.anchors - (truth[:2] + truth[2:]) / 2).norm(dim=1, keepdim=True) * factor
        return (truth + away * torch.tensor([1.0, 0, 1, 0]))[None]

    def test_the_best_anchors_inside_are_taken(self):
        truth = [4.0, 4, 60, 60]
        _, taken, quality = self.assign([truth], [2], self.off_by(truth, 0.3))
        near = (self.anchors - 32).norm(dim=1).argsort()
        self.assertTrue(taken[near[:4]].all())
        self.assertFalse(taken[near[20:]].any())
        self.assertGreaterEqual(int(taken.sum()), loss.TOP)
        self.assertIn(int(quality.argmax()), near[:4].tolist())

    def test_quality_of_the_best_is_its_overlap(self):
        truth = [8.0, 8, 40, 40]
        boxes = self.off_by(truth, 0.2)
        _, taken, quality = self.assign([truth], [0], boxes)
        best = loss.overlap(boxes[0], torch.tensor(truth))[taken].max()
        self.assertAlmostEqual(float(quality.max()), float(best), places=5)
        self.assertEqual(float(quality[~taken].max()), 0)

    def test_a_surer_anchor_is_worth_more(self):
        scores = torch.full((1, 64, len(CLASSES)), 0.1)
        sure = 2 * 8 + 2
        scores[0, sure, 3] = 0.8
        scores[0, sure + 1, 0] = 0.8  # of another class: of no use
        _, _, quality = self.assign([[8.0, 8, 40, 40]], [3], scores=scores)
        self.assertEqual(int(quality.argmax()), sure)
        self.assertLess(float(quality[sure + 1]), 0.5)

    def test_an_anchor_goes_to_what_it_overlaps_most(self):
        small, large = [16.0, 16, 32, 32], [0.0, 0, 64, 64]
        boxes = torch.tensor(large).expand(1, 64, 4).clone()
        inside = loss.inside(self.anchors, torch.tensor([[small]]))[0, 0]
        boxes[0, inside] = torch.tensor(small)
        owner, taken, _ = self.assign([large, small], [0, 1], boxes)
        self.assertTrue((owner[inside] == 1).all() and taken[inside].all())
        self.assertTrue((owner[taken & ~inside] == 0).all())

    def test_the_smallest_object_has_an_anchor(self):
        """However it lies between the anchors."""
        for x in np.arange(20, 28, 0.5):
            _, taken, _ = self.assign([[x, 23.0, x + 3, 26]], [5])
            self.assertTrue(taken.any(), x)

    def test_filling_takes_nothing(self):
        _, taken, quality = self.assign([[0.0, 0, 64, 64]], [0], real=[False])
        self.assertFalse(taken.any())
        self.assertEqual(float(quality.sum()), 0)


class Loss(unittest.TestCase):
    def outputs(self, cls=-8.0):
        """Maps of a 64x64 picture whose every anchor predicts sides of 2 strides and no class."""
        maps = []
        for stride, split, bins in zip(STRIDES, SPLITS, BINS):
            side, anchors = 64 // stride, split * split
            box = torch.full((1, 4 * anchors, bins, side, side), -20.0)
            box[:, :, 2] = 20
            maps.append((box.flatten(1, 2), torch.full((1, len(CLASSES) * anchors, side, side), cls)))
        return maps

    def parts(self, outputs, truth, ignored=(0.0, 0, 0, 0), real=True):
        return loss.loss(outputs, torch.tensor([[0]]), torch.tensor([[truth]], dtype=torch.float32),
                         torch.tensor([[real]]), torch.tensor([[ignored]], dtype=torch.float32))[1]

    def test_a_right_box_costs_less(self):
        """The anchors of stride 8 predict 16 pixels to each side; the first of the cell at (36, 36) is at (34, 34)."""
        outputs = self.outputs()
        flat, _, anchors, strides, _ = loss.flatten(outputs)
        self.assertEqual(loss.decode(flat, anchors, strides)[0, 4 * 8 + 4].tolist(), [18, 18, 50, 50])
        right = self.parts(outputs, (18, 18, 50, 50)).tolist()
        wrong = self.parts(outputs, (18, 18, 58, 58)).tolist()
        self.assertLess(right[0], wrong[0])
        self.assertLess(right[2], wrong[2])

    def test_what_is_ignored_is_not_blamed(self):
        sure = self.outputs(cls=3.0)
        blamed = float(self.parts(sure, (0, 0, 1, 1), real=False)[1])
        spared = float(self.parts(sure, (0, 0, 1, 1), ignored=(0, 0, 64, 64), real=False)[1])
        half = float(self.parts(sure, (0, 0, 1, 1), ignored=(0, 0, 32, 64), real=False)[1])
        self.assertEqual(spared, 0)
        self.assertGreater(blamed, half)
        self.assertGreater(half, 0)

    def test_an_object_in_an_ignored_region_still_counts(self):
        parts = self.parts(self.outputs(), (20, 20, 52, 52), ignored=(0, 0, 64, 64))
        self.assertGreater(float(parts[1]), 0)

    def test_a_scale_does_not_reach_beyond_its_bins(self):
        """What an object would want of bins that are not there costs nothing beyond the last one."""
        flat, _, anchors, strides, bins = loss.flatten(self.outputs())
        finest = strides == STRIDES[0]
        self.assertTrue((bins[finest] == BINS[0]).all())
        self.assertEqual(float(flat[:, finest].softmax(-1)[..., BINS[0]:].max()), 0)
        self.assertLess(float(self.parts(self.outputs(), (0, 0, 640, 640))[2]), 100)

    def test_the_anchors_of_a_cell_share_it_evenly(self):
        _, _, anchors, strides, _ = loss.flatten(self.outputs())
        finest = anchors[strides == STRIDES[0]]
        step = STRIDES[0] / SPLITS[0]
        want = grid(step, int(64 / step), int(64 / step))
        self.assertEqual(sorted(finest.tolist()), sorted(want.tolist()))

    def test_the_deployed_form_decodes_as_the_loss_does(self):
        torch.manual_seed(1)
        model = Detector().eval()
        images = torch.rand(1, 3, 64, 96)
        with torch.no_grad():
            deployed = Decoded(model)(images)[0].T
            flat, cls, anchors, strides, _ = loss.flatten(model(images))
            corners = loss.decode(flat, anchors, strides)[0]
        middle, size = deployed[:, :2], deployed[:, 2:4]
        torch.testing.assert_close(torch.cat((middle - size / 2, middle + size / 2), 1), corners, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(deployed[:, 4:], cls[0].sigmoid())


class Growth(unittest.TestCase):
    def test_a_separable_convolution_is_kept(self):
        each, mix = torch.rand(5, 1, 3, 3, generator=generator()), torch.rand(7, 5, 1, 1, generator=generator(2)) - 0.5
        whole = mix * each.transpose(0, 1)
        got_each, got_mix = grow.separate(whole)
        torch.testing.assert_close(got_mix * got_each.transpose(0, 1), whole)

    def test_every_anchor_of_a_cell_begins_as_the_one(self):
        box = torch.arange(4.0 * grow.OLD_BINS).view(4, grow.OLD_BINS)
        anchors = SPLITS[0] ** 2
        grown = grow.repeated(box.flatten(), True).view(4, anchors, BINS[0])
        for anchor in range(anchors):
            self.assertTrue(torch.equal(grown[:, anchor], box[:, :BINS[0]]))
        classes = grow.repeated(torch.arange(6.0), False).view(6, anchors)
        self.assertTrue(torch.equal(classes, torch.arange(6.0)[:, None].expand(6, anchors)))


def bright_boxes(count, seed):
    """Dark frames with a white rectangle each, and their truth."""
    rng = np.random.default_rng(seed)
    frames = np.full((count, HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    frames[:, :HEIGHT] = 16
    boxes = []
    for frame in frames:
        w, h = rng.integers(16, 60, 2)
        x, y = rng.integers(0, WIDTH - w), rng.integers(0, HEIGHT - h)
        frame[y:y + h, x:x + w] = 235
        boxes.append(np.array([(x, y, x + w, y + h, rng.integers(len(CLASSES)), 1, 1.0)], shards.BOX))
    return frames, boxes


class Placement(unittest.TestCase):
    """Boxes against the pixels that they are about."""

    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "train-1-0000.frames"
            shards.write_shard(path, *bright_boxes(24, 3))
            self.frames = data.Frames(WIDTH, HEIGHT, 20, "cpu")
            self.frames.add(path)
        self.batches = data.Batches(self.frames, WIDTH, HEIGHT, generator(), generator(4))

    def check(self, batch):
        """Every white pixel lies in a box, and every box is filled with white to within a pixel of its edges."""
        found = 0
        for i in range(len(batch.images)):
            white = ((batch.images[i].mean(0) > 0.5) & batch.content[i, 0]).numpy()
            outside = white.copy()
            for x1, y1, x2, y2 in batch.boxes[i][batch.real[i]].tolist() + batch.ignored[i].tolist():
                if x2 <= x1:
                    continue
                found += 1
                inner = white[int(np.ceil(y1 + 1)):int(y2 - 1), int(np.ceil(x1 + 1)):int(x2 - 1)]
                self.assertTrue(inner.all(), (i, x1, y1, x2, y2))
                outside[max(0, int(y1 - 1)):int(np.ceil(y2 + 1)), max(0, int(x1 - 1)):int(np.ceil(x2 + 1))] = False
            self.assertFalse(outside.any(), i)
        return found

    def test_takes_up_as_much_as_there_is_room_for(self):
        self.assertEqual(len(self.frames), 20)

    def test_single_pictures(self):
        self.assertGreater(self.check(self.batches.draw(48, 0)), 24)

    def test_pieced_pictures(self):
        self.assertGreater(self.check(self.batches.draw(24, 1)), 48)

    def test_labels_travel_with_boxes(self):
        index = torch.arange(4)
        rect = torch.tensor([[0.0, 0, WIDTH, HEIGHT]]).expand(4, 4)
        still = (torch.ones(4, 2), torch.zeros(4, 2), torch.zeros(4, dtype=torch.bool))
        boxes, labels, seen = self.batches.place_boxes(index, rect, *still)
        torch.testing.assert_close(boxes, self.frames.boxes[:4])
        self.assertTrue((labels == self.frames.labels[:4]).all())
        self.assertEqual(seen[:, 0].tolist(), [1] * 4)
        self.assertEqual(float(seen[:, 1:].max()), 0)  # filling
        flip = torch.ones(4, dtype=torch.bool)
        mirrored, _, _ = self.batches.place_boxes(index, rect, *still[:2], flip)
        torch.testing.assert_close(mirrored[:, 0, 0], WIDTH - boxes[:, 0, 2])
        torch.testing.assert_close(mirrored[:, 0, 2], WIDTH - boxes[:, 0, 0])

    def test_what_is_cut_off_is_not_seen(self):
        x1, y1, x2, y2 = self.frames.boxes[0, 0].tolist()
        rect = torch.tensor([[0.0, 0, (x1 + x2) / 2, HEIGHT]])
        boxes, _, seen = self.batches.place_boxes(torch.tensor([0]), rect, torch.ones(1, 2), torch.zeros(1, 2),
                                                  torch.tensor([False]))
        self.assertAlmostEqual(float(seen[0, 0]), 0.5, places=5)
        self.assertEqual(boxes[0, 0].tolist(), [x1, y1, (x1 + x2) / 2, y2])

    def test_small_or_hidden_is_neither_object_nor_background(self):
        boxes = torch.tensor([[[0.0, 0, 20, 20], [0, 0, 3, 30], [0, 0, 30, 30], [0, 0, 0, 0]]])
        boxes = torch.cat((boxes, torch.zeros(1, data.REAL, 4)), 1)
        seen = torch.zeros(1, boxes.shape[1])
        seen[0, :3] = torch.tensor([1.0, 1.0, 0.1])
        labels, chosen, real, ignored = data.choose(boxes, torch.full_like(seen, 4, dtype=torch.int64), seen)
        self.assertEqual(int(real.sum()), 1)
        self.assertEqual((chosen[real].tolist(), labels[real].tolist()), ([[0, 0, 20, 20]], [4]))
        self.assertEqual(ignored[0, :2].tolist(), [[0, 0, 30, 30], [0, 0, 3, 30]])
        self.assertEqual(float(ignored[0, 2:].abs().max()), 0)


class Effects(unittest.TestCase):
    def setUp(self):
        overlays = torch.zeros(2, 4, HEIGHT, WIDTH)
        overlays[:, :, :8] = 1
        self.photometric = Photometric(generator(), generator(3), overlays)

    def test_shape_range_and_input_are_kept(self):
        images = torch.rand(12, 3, HEIGHT, WIDTH, generator=generator(2))
        before = images.clone()
        for _ in range(4):
            out = self.photometric(images, 0.3)
            self.assertEqual(out.shape, images.shape)
            self.assertTrue(torch.isfinite(out).all() and out.min() >= 0 and out.max() <= 1)
        self.assertTrue(torch.equal(images, before))

    def middle(self, image):
        """The middle of what is bright in [h, w]: x, y in pixels."""
        weight = image.clamp(0, 1) * (image > 0.3)
        y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
        return torch.stack(((weight * x).sum(), (weight * y).sum())) / weight.sum()

    def test_nothing_moves(self):
        """A soft spot in the lower right corner, where an error of scale shows most."""
        y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
        spot = torch.exp(-((x - WIDTH + 20) ** 2 + (y - HEIGHT + 20) ** 2) / 60)
        image = spot.expand(4, 3, HEIGHT, WIDTH).contiguous()
        want = self.middle(image[0, 0])
        effects = {"blurred": self.photometric.blurred, "sharpened": self.photometric.sharpened,
                   "compressed": self.photometric.compressed}
        for factor in (0.357, 0.49, 0.642, 0.8):
            effects[f"rescaled {factor}"] = lambda x, factor=factor: self.photometric.rescaled(x, factor)
        for name, effect in effects.items():
            for out in effect(image):
                shift = float((self.middle(out.mean(0)) - want).abs().max())
                self.assertLess(shift, 0.25, name)

    def test_the_transform_of_blocks_is_orthonormal(self):
        torch.testing.assert_close(self.photometric.dct @ self.photometric.dct.T, torch.eye(8), atol=1e-6, rtol=0)
        image = torch.rand(2, 1, 16, 24, generator=generator(3))
        fine = self.photometric.rounded(image, torch.full((2, 1, 1, 1), 1e-5))
        torch.testing.assert_close(fine, image, atol=1e-3, rtol=0)


if __name__ == "__main__":
    unittest.main()
