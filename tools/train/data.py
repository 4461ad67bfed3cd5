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
    """Frames in the memory of a device, taken up shard by shard while the renderer still works on later ones:
    y uint8 [n, h, w], uv uint8 [n, 2, h/2, w/2], boxes [n, SOURCE_BOXES, 4], labels and visible [n, SOURCE_BOXES]."""

    def __init__(self, width, height, capacity, device):
        self.width, self.height, self.count = width, height, 0
        self.y = torch.empty((capacity, height, width), dtype=torch.uint8, device=device)
        self.uv = torch.empty((capacity, 2, height // 2, width // 2), dtype=torch.uint8, device=device)
        self.boxes = torch.zeros((capacity, SOURCE_BOXES, 4), device=device)
        self.labels = torch.zeros((capacity, SOURCE_BOXES), dtype=torch.int64, device=device)
        self.visible = torch.zeros((capacity, SOURCE_BOXES), device=device)

    def add(self, path):
        """Takes up a shard, or as much of it as there is room for."""
        frames, offsets, truth = read_shard(path)
        if frames.shape[1:] != (self.height * 3 // 2, self.width):
            raise ValueError(f"{path}: frames of {frames.shape[2]}x{frames.shape[1] * 2 // 3}, "
                             f"not {self.width}x{self.height}")
        n = min(len(frames), len(self.y) - self.count)
        to = slice(self.count, self.count + n)
        self.y[to] = torch.from_numpy(np.ascontiguousarray(frames[:n, :self.height])).to(self.y.device)
        chroma = np.ascontiguousarray(frames[:n, self.height:]).reshape(n, *self.uv.shape[1:])
        self.uv[to] = torch.from_numpy(chroma).to(self.y.device)
        boxes, labels, visible = (np.zeros(a[to].shape, d) for a, d in (
            (self.boxes, np.float32), (self.labels, np.int64), (self.visible, np.float32)))
        for i in range(n):
            own = truth[offsets[i]:offsets[i + 1]]
            area = (own["x2"] - own["x1"]) * (own["y2"] - own["y1"])
            own = own[np.argsort(-area, kind="stable")[:SOURCE_BOXES]]
            boxes[i, :len(own)] = np.stack([own[side] for side in ("x1", "y1", "x2", "y2")], 1)
            labels[i, :len(own)], visible[i, :len(own)] = own["class"], own["visible"]
        for mine, new in ((self.boxes, boxes), (self.labels, labels), (self.visible, visible)):
            mine[to] = torch.from_numpy(new).to(mine.device)
        self.count += n

    def __len__(self):
        return self.count


class Batches:
    """Draws batches of a canvas size from Frames with a generator of its own."""

    def __init__(self, frames, width, height, generator, host):
        """host: a generator on the CPU for what decides about shapes, so that the GPU is not waited for."""
        self.frames, self.width, self.height, self.generator, self.host = frames, width, height, generator, host
        self.device = frames.y.device

    def rand(self, b, lo=0.0, hi=1.0):
        return torch.rand(b, generator=self.generator, device=self.device) * (hi - lo) + lo

    def draw(self, count, mosaic, zoomed=0.4):
        """`count` pictures, the share `mosaic` of them pieced together from four frames, and of the others the share
        `zoomed` cut out of a part of the frame."""
        pieced = int(count * mosaic)
        parts = [self.single(count - pieced, zoomed)] if count > pieced else []
        if pieced:
            parts.append(self.four(pieced))
        return Batch(*(torch.cat([getattr(p, name) for p in parts]) for name in Batch.__dataclass_fields__))

    def single(self, b, zoomed):
        shape = torch.tensor([s or self.width / self.height for s in SHAPES], device=self.device)
        shape = shape[torch.randint(len(SHAPES), (b,), generator=self.generator, device=self.device)]
        w = torch.minimum(torch.full_like(shape, self.width), self.height * shape).round()
        h = torch.minimum(torch.full_like(shape, self.height), self.width / shape).round()
        x, y = ((self.width - w) / 2).round(), ((self.height - h) / 2).round()
        zoom = torch.exp(self.rand(b, 0, 0.9) * (self.rand(b) < zoomed))
        return self.assemble([((0, 0, self.width, self.height), torch.stack((x, y, x + w, y + h), 1), zoom)], b)

    def four(self, b):
        """All pictures of one draw are divided at one place, so that each pixel is sampled once."""
        part = torch.rand(2, generator=self.host) * 0.4 + 0.3
        x, y = int(part[0] * self.width), int(part[1] * self.height)
        regions = [(0, 0, x, y), (x, 0, self.width, y), (0, y, x, self.height), (x, y, self.width, self.height)]
        return self.assemble([(r, torch.tensor(r, device=self.device, dtype=torch.float32).expand(b, 4),
                               torch.exp(self.rand(b, 0, 0.9))) for r in regions], b)

    def assemble(self, tiles, b):
        """tiles: (region of the canvas x0, y0, x1, y1; each picture's rectangle in it [b, 4]; zoom [b] over the smallest
        scale at which a frame fills the rectangle)."""
        image = torch.full((b, 3, self.height, self.width), PAD, device=self.device)
        content = torch.zeros((b, 1, self.height, self.width), dtype=torch.bool, device=self.device)
        found = []
        for (x0, y0, x1, y1), rect, zoom in tiles:
            index = torch.randint(len(self.frames), (b,), generator=self.generator, device=self.device)
            scale, shift, flip = self.placement(rect, zoom)
            xs = torch.arange(x0, x1, device=self.device, dtype=torch.float32)[None, None, :] + 0.5
            ys = torch.arange(y0, y1, device=self.device, dtype=torch.float32)[None, :, None] + 0.5
            x = (xs - shift[:, 0, None, None]) / scale[:, 0, None, None]
            y = (ys - shift[:, 1, None, None]) / scale[:, 1, None, None]
            x = torch.where(flip[:, None, None], self.frames.width - x, x)
            here = ((xs >= rect[:, 0, None, None]) & (xs < rect[:, 2, None, None]) &
                    (ys >= rect[:, 1, None, None]) & (ys < rect[:, 3, None, None]))[:, None]
            image[:, :, y0:y1, x0:x1] = torch.where(here, self.sample(index, x, y), PAD)
            content[:, :, y0:y1, x0:x1] = here
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
