"""The detector's network: an anchor-free, one-stage design in three scales, the size of YOLO11n.

A cross-stage-partial backbone (Wang et al., CSPNet, 2020; the split-and-gather form of YOLOv8's C2f), a fast spatial
pyramid pooling (He et al. 2015), a path-aggregation neck (Liu et al., PANet, 2018) and decoupled heads whose boxes are
distributions over distances (Li et al., Generalized Focal Loss, 2020). Written for this project; no foreign weights.
"""

import math

import torch
from torch import nn

from shards import CLASSES

STRIDES = (8, 16, 32)
# Anchors along each side of a cell. Small objects stand closer together than the finest cells, and one that fills a cell
# needs several anchors to choose from.
SPLITS = (2, 1, 1)
BINS = (8, 16, 16)  # a side of a box lies 0..7 or 0..15 strides from the anchor


def offsets(split):
    """Where a cell's anchors lie from its middle, in cells: x, y [split * split, 2]."""
    at = (torch.arange(split) + 0.5) / split - 0.5
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack((x, y), -1).view(-1, 2)


class Conv(nn.Module):
    """Convolution, batch normalisation, SiLU."""

    def __init__(self, c_in, c_out, kernel=1, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, width, hidden):
        super().__init__()
        self.first = Conv(width, hidden, 3)
        self.second = Conv(hidden, width, 3)

    def forward(self, x):
        return x + self.second(self.first(x))


class Stage(nn.Module):
    """Cross-stage partial: half of the hidden channels pass `depth` residuals, and every step is gathered at the end."""

    def __init__(self, c_in, c_out, hidden, depth=1):
        super().__init__()
        self.split = Conv(c_in, 2 * hidden)
        self.steps = nn.ModuleList(Residual(hidden, hidden) for _ in range(depth))
        self.gather = Conv((2 + depth) * hidden, c_out)

    def forward(self, x):
        parts = list(self.split(x).chunk(2, 1))
        for step in self.steps:
            parts.append(step(parts[-1]))
        return self.gather(torch.cat(parts, 1))


class Pyramid(nn.Module):
    """Spatial pyramid pooling by three 5x5 poolings in a row."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.reduce = Conv(c_in, c_in // 2)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.gather = Conv(c_in * 2, c_out)

    def forward(self, x):
        parts = [self.reduce(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.gather(torch.cat(parts, 1))


class Separable(nn.Module):
    """A 3x3 convolution in two: each channel by itself, then all of them pixel by pixel (Howard et al., MobileNets, 2017)."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.each = nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False)
        self.mix = Conv(c_in, c_out)

    def forward(self, x):
        return self.mix(self.each(x))


class Fine(nn.Module):
    """The finest scale's features and, added to them, what twice their resolution shows: both meet there in a few
    channels, and each cell takes in the four pixels that lie in it (space to depth)."""

    def __init__(self, c_double, c_in, width):
        super().__init__()
        self.shown, self.known = Conv(c_double, width), Conv(c_in, width)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.step = Residual(width, width)
        self.fold = nn.PixelUnshuffle(2)
        self.gather = nn.Conv2d(4 * width, c_in, 1)

    def forward(self, double, x):
        return x + self.gather(self.fold(self.step(self.shown(double) + self.up(self.known(x)))))


class Head(nn.Module):
    """One scale's boxes (logits of each side, anchor of the cell and bin) and classes (logits of each class and anchor)."""

    def __init__(self, c_in, stride, split, bins, classes):
        super().__init__()
        box, cls, anchors = 64, 64, split * split
        # Where the cells are many, the second convolution pays for the anchors.
        second = Conv(box, box, 3) if split == 1 else Separable(box, box)
        self.box = nn.Sequential(Conv(c_in, box, 3), second, nn.Conv2d(box, 4 * anchors * bins, 1))
        self.cls = nn.Sequential(
            Conv(c_in, c_in, 3, groups=c_in), Conv(c_in, cls),
            Conv(cls, cls, 3, groups=cls), Conv(cls, cls),
            nn.Conv2d(cls, classes * anchors, 1))
        nn.init.constant_(self.box[-1].bias, 1.0)
        # An anchor is an object about once in (640 / stride)^2 / 5: starting there keeps the first steps calm.
        nn.init.constant_(self.cls[-1].bias, math.log(5 / classes / (640 / stride) ** 2))

    def forward(self, x):
        return self.box(x), self.cls(x)


class Detector(nn.Module):
    """images [b, 3, H, W] RGB 0..1, H and W multiples of 32 -> per scale (box logits [b, 4 * anchors * bins, h, w], class
    logits [b, classes * anchors, h, w]), anchors being those of a cell."""

    def __init__(self, classes=len(CLASSES)):
        super().__init__()
        self.stem = nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), Stage(32, 64, 16))
        self.to_p3 = nn.Sequential(Conv(64, 64, 3, 2), Stage(64, 128, 32, 2))
        self.to_p4 = nn.Sequential(Conv(128, 128, 3, 2), Stage(128, 128, 48, 2))
        self.to_p5 = nn.Sequential(Conv(128, 192, 3, 2), Stage(192, 192, 64, 2), Pyramid(192, 192))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.down_p4 = Stage(192 + 128, 128, 32, 1)
        self.down_p3 = Stage(128 + 128, 64, 32, 1)
        self.shrink_p3 = Conv(64, 64, 3, 2)
        self.up_p4 = Stage(64 + 128, 128, 48, 1)
        self.shrink_p4 = Conv(128, 128, 3, 2)
        self.up_p5 = Stage(128 + 192, 192, 64, 1)
        self.fine = Fine(64, 64, 16)
        self.heads = nn.ModuleList(
            Head(*of_scale, classes) for of_scale in zip((64, 128, 192), STRIDES, SPLITS, BINS))

    def forward(self, images):
        p2 = self.stem(images)
        p3 = self.to_p3(p2)
        p4 = self.to_p4(p3)
        p5 = self.to_p5(p4)
        n4 = self.down_p4(torch.cat((self.up(p5), p4), 1))
        n3 = self.down_p3(torch.cat((self.up(n4), p3), 1))
        o4 = self.up_p4(torch.cat((self.shrink_p3(n3), n4), 1))
        o5 = self.up_p5(torch.cat((self.shrink_p4(o4), p5), 1))
        return [head(x) for head, x in zip(self.heads, (self.fine(p2, n3), o4, o5))]


def fuse(model):
    """Folds every batch normalisation into its convolution; the model is for inference from then on."""
    for module in model.modules():
        if not isinstance(module, Conv) or isinstance(module.norm, nn.Identity):
            continue
        norm = module.norm
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        conv = nn.Conv2d(module.conv.in_channels, module.conv.out_channels, module.conv.kernel_size,
                         module.conv.stride, module.conv.padding, groups=module.conv.groups)
        conv.weight.data = module.conv.weight.data * scale[:, None, None, None]
        conv.bias.data = norm.bias.data - norm.running_mean * scale
        module.conv, module.norm = conv, nn.Identity()
    return model


class Scale(nn.Module):
    """One scale's logits -> [b, 4 + classes, anchors]: those of one place in the cell after those of another.

    The cells are counted by running sums over ones, so that no shape enters the graph: height and width stay free.
    """

    def __init__(self, stride, split, bins):
        super().__init__()
        self.stride, self.anchors = stride, split * split
        self.register_buffer("bins", torch.arange(bins, dtype=torch.float32).view(1, bins, 1, 1, 1))
        self.register_buffer("middle", (offsets(split).T - 0.5).reshape(2, -1, 1, 1))  # from the cell's end

    def forward(self, box, cls):
        sides = box.unflatten(1, (4 * self.anchors, -1)).transpose(1, 2).softmax(1)
        left, top, right, bottom = (sides * self.bins).sum(1).split(self.anchors, 1)
        ones = (left[:, :1] > -1).to(left.dtype)  # a distance is never negative
        x, y = ones.cumsum(3) + self.middle[0], ones.cumsum(2) + self.middle[1]
        boxes = torch.cat((x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom), 1) * self.stride
        return torch.cat((boxes, cls.sigmoid()), 1).unflatten(1, (-1, self.anchors)).flatten(2)


class Decoded(nn.Module):
    """The deployed form: images -> [b, 4 + classes, N]: cx, cy, w, h in input pixels, then scores after sigmoid."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.scales = nn.ModuleList(Scale(*of_scale) for of_scale in zip(STRIDES, SPLITS, BINS))

    def forward(self, images):
        return torch.cat([scale(*maps) for scale, maps in zip(self.scales, self.model(images))], 2)
