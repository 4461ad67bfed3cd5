"""Rendered frames kept whole in GPU memory, and batches cut, scaled, flipped and pieced together from them there."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from shards import read_shard

SOURCE_BOXES = 160  # of a frame, the largest; the rest of a crowd is left out
REAL, IGNORED = 128, 64  # of a batch's picture
LEAST_VISIBLE, LEAST_SIDE, LEAST_LENGTH = 0.2, 4.0, 8.0  # less is neither object nor background
PAD = 114 / 255  # the product's letterbox
# width / height of the cameras whose pictures are put into the detector's frame, None: fills it
SHAPES = (None, None, None, 16 / 9, 16 / 9, 4 / 3, 11 / 9)


@dataclass
class Batch:
    images: torch.Tensor  # [b, 3, H, W] RGB 0..1, before photometric effects
    content: torch.Tensor  # [b, 1, H, W] bool: picture, not padding
    labels: torch.Tensor  # [b, REAL] int64
    boxes: torch.Tensor  # [b, REAL, 4] x1 y1 x2 y2, pixels
    real: torch.Tensor  # [b, REAL] bool: an object, not filling
    ignored: torch.Tensor  # [b, IGNORED, 4], empty boxes as filling


class Frames:
    """All frames of the given shards: y uint8 [n, h, w], uv uint8 [n, 2, h/2, w/2], truth [n, SOURCE_BOXES, ...]."""

    def __init__(self, paths, device):
        parts = [read_shard(path) for path in paths]
        count = sum(len(frames) for frames, _, _ in parts)
        rows, self.width = parts[0][0].shape[1:]
        self.height = rows * 2 // 3
        self.y = torch.empty((count, self.height, self.width), dtype=torch.uint8, device=device)
        self.uv = torch.empty((count, 2, self.height // 2, self.width // 2), dtype=torch.uint8, device=device)
        boxes = np.zeros((count, SOURCE_BOXES, 4), np.float32)
        labels = np.zeros((count, SOURCE_BOXES), np.int64)
        visible = np.zeros((count, SOURCE_BOXES), np.float32)
        at = 0
        for frames, offsets, truth in parts:
            n = len(frames)
            self.y[at:at + n] = torch.from_numpy(np.ascontiguousarray(frames[:, :self.height])).to(device)
            chroma = np.ascontiguousarray(frames[:, self.height:]).reshape(n, 2, self.height // 2, self.width // 2)
            self.uv[at:at + n] = torch.from_numpy(chroma).to(device)
            for i in range(n):
                own = truth[offsets[i]:offsets[i + 1]]
                corners = np.stack([own["x1"], own["y1"], own["x2"], own["y2"]], 1)
                area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
                keep = np.argsort(-area, kind="stable")[:SOURCE_BOXES]
                boxes[at + i, :len(keep)] = corners[keep]
                labels[at + i, :len(keep)] = own["class"][keep]
                visible[at + i, :len(keep)] = own["visible"][keep]
            at += n
        self.boxes, self.labels, self.visible = (torch.from_numpy(a).to(device) for a in (boxes, labels, visible))

    def __len__(self):
        return len(self.y)


class Batches:
    """Draws batches of a canvas size from Frames with a generator of its own."""

    def __init__(self, frames, width, height, generator):
        self.frames, self.width, self.height, self.generator = frames, width, height, generator
        self.device = frames.y.device

    def rand(self, b, lo=0.0, hi=1.0):
        return torch.rand(b, generator=self.generator, device=self.device) * (hi - lo) + lo

    def draw(self, count, mosaic):
        """`count` pictures, the share `mosaic` of them pieced together from four frames."""
        pieced = int(count * mosaic)
        parts = [self.single(count - pieced)] if count > pieced else []
        if pieced:
            parts.append(self.four(pieced))
        return Batch(*(torch.cat([getattr(p, name) for p in parts]) for name in Batch.__dataclass_fields__))

    def single(self, b):
        shape = torch.tensor([s or self.width / self.height for s in SHAPES], device=self.device)
        shape = shape[torch.randint(len(SHAPES), (b,), generator=self.generator, device=self.device)]
        w = torch.minimum(torch.full_like(shape, self.width), self.height * shape).round()
        h = torch.minimum(torch.full_like(shape, self.height), self.width / shape).round()
        x, y = ((self.width - w) / 2).round(), ((self.height - h) / 2).round()
        zoom = torch.exp(self.rand(b, 0, 0.9) * (self.rand(b) < 0.6))
        return self.assemble([(torch.stack((x, y, x + w, y + h), 1), zoom)], b)

    def four(self, b):
        x = (self.rand(b, 0.3, 0.7) * self.width).round()
        y = (self.rand(b, 0.3, 0.7) * self.height).round()
        none, w, h = torch.zeros_like(x), torch.full_like(x, self.width), torch.full_like(x, self.height)
        tiles = [(none, none, x, y), (x, none, w, y), (none, y, x, h), (x, y, w, h)]
        return self.assemble([(torch.stack(t, 1), torch.exp(self.rand(b, 0, 0.9))) for t in tiles], b)

    def assemble(self, tiles, b):
        """tiles: (rectangle on the canvas [b, 4], zoom [b] over the smallest scale at which a frame fills it)."""
        ys = torch.arange(self.height, device=self.device, dtype=torch.float32)[None, :, None] + 0.5
        xs = torch.arange(self.width, device=self.device, dtype=torch.float32)[None, None, :] + 0.5
        image = torch.full((b, 3, self.height, self.width), PAD, device=self.device)
        content = torch.zeros((b, 1, self.height, self.width), dtype=torch.bool, device=self.device)
        found = []
        for rect, zoom in tiles:
            index = torch.randint(len(self.frames), (b,), generator=self.generator, device=self.device)
            scale, shift, flip = self.placement(rect, zoom)
            x = (xs - shift[:, 0, None, None]) / scale[:, 0, None, None]
            y = (ys - shift[:, 1, None, None]) / scale[:, 1, None, None]
            x = torch.where(flip[:, None, None], self.frames.width - x, x)
            here = ((xs >= rect[:, 0, None, None]) & (xs < rect[:, 2, None, None]) &
                    (ys >= rect[:, 1, None, None]) & (ys < rect[:, 3, None, None]))[:, None]
            image = torch.where(here, self.sample(index, x, y), image)
            content |= here
            found.append(self.place_boxes(index, rect, scale, shift, flip))
        return Batch(image, content, *choose(*(torch.cat(f, 1) for f in zip(*found))))

    def placement(self, rect, zoom):
        """-> scale [b, 2], shift [b, 2] (canvas = frame * scale + shift), flip [b]."""
        b = len(rect)
        size = rect[:, 2:] - rect[:, :2]
        whole = torch.tensor([self.frames.width, self.frames.height], device=self.device, dtype=torch.float32)
        stretch = torch.exp(torch.randn(b, generator=self.generator, device=self.device) * 0.08)
        scale = (size / whole).amax(1) * zoom
        scale = torch.stack((scale * stretch.clamp_min(1), scale / stretch.clamp_max(1)), 1)
        room = (whole - size / scale).clamp_min(0)  # frame pixels that do not fit
        origin = room * torch.rand((b, 2), generator=self.generator, device=self.device)
        return scale, rect[:, :2] - origin * scale, self.rand(b) < 0.5

    def sample(self, index, x, y):
        """Frames at float places [b, h, w] -> RGB [b, 3, h, w]."""
        gx, gy = torch.broadcast_tensors(x / self.frames.width * 2 - 1, y / self.frames.height * 2 - 1)
        grid = torch.stack((gx, gy), -1)
        luma = F.grid_sample(self.frames.y[index][:, None].float(), grid, padding_mode="border", align_corners=False)
        chroma = F.grid_sample(self.frames.uv[index].float(), grid, padding_mode="border", align_corners=False) - 128
        luma = (luma - 16) * (1 / 219)
        u, v = chroma[:, 0:1] * (1 / 224), chroma[:, 1:2] * (1 / 224)
        return torch.cat((luma + 1.402 * v, luma - 0.344136 * u - 0.714136 * v, luma + 1.772 * u), 1).clamp(0, 1)

    def place_boxes(self, index, rect, scale, shift, flip):
        """-> boxes on the canvas [b, SOURCE_BOXES, 4], labels, share that is seen."""
        boxes = self.frames.boxes[index]
        x1, y1, x2, y2 = boxes.unbind(-1)
        mirrored = flip[:, None]
        x1, x2 = (torch.where(mirrored, self.frames.width - x2, x1), torch.where(mirrored, self.frames.width - x1, x2))
        placed = torch.stack((x1, y1, x2, y2), -1) * scale.repeat(1, 2)[:, None] + shift.repeat(1, 2)[:, None]
        lo, hi = rect[:, None, :2], rect[:, None, 2:]
        cut = torch.cat((placed[..., :2].clamp(lo, hi), placed[..., 2:].clamp(lo, hi)), -1)
        area = (placed[..., 2:] - placed[..., :2]).prod(-1)
        seen = (cut[..., 2:] - cut[..., :2]).prod(-1) / area.clamp_min(1e-6)
        return cut, self.frames.labels[index], seen * self.frames.visible[index]


def choose(boxes, labels, seen):
    """Of all boxes of a picture the largest REAL ones that count, and the largest IGNORED ones that do not."""
    side = (boxes[..., 2:] - boxes[..., :2])
    area = side.prod(-1)
    counts = (seen >= LEAST_VISIBLE) & (side.amin(-1) >= LEAST_SIDE) & (side.amax(-1) >= LEAST_LENGTH)
    top, index = torch.where(counts, area, -1.0).topk(REAL, dim=1)
    faint, other = torch.where(counts | (seen <= 0), -1.0, area).topk(IGNORED, dim=1)
    ignored = boxes.gather(1, other[..., None].expand(-1, -1, 4)) * (faint > 0)[..., None]
    return (labels.gather(1, index), boxes.gather(1, index[..., None].expand(-1, -1, 4)), top > 0, ignored)
