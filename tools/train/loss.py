"""Which anchors answer for which object, and what their answers cost.

Assignment: task-aligned (Feng et al., TOOD, 2021): the TOP anchors inside an object by score^ALPHA * IoU^BETA. Boxes: CIoU
(Zheng et al. 2020) and distribution focal loss (Li et al. 2020). Classes: binary cross-entropy against the aligned quality.
Everything has fixed shapes, so that the whole step compiles to one graph.
"""

import math

import torch
import torch.nn.functional as F

from network import BINS, SPLITS, STRIDES, offsets

TOP, ALPHA, BETA = 10, 0.5, 6.0
GAIN_BOX, GAIN_CLS, GAIN_DFL = 7.5, 1.0, 1.5
MOST, ABSENT = max(BINS), -100.0
SMALLEST = 10.0  # pixels: smaller objects are widened to this when anchors are sought, so that each has some


def flatten(outputs):
    """Per-scale maps -> box logits [b, A, 4, MOST], class logits [b, A, C], anchors [A, 2] and strides [A] (pixels), bins
    [A]. The anchors lie as the deployed form gives them; bins that a scale lacks are as good as impossible."""
    boxes, classes, anchors, strides, counts = [], [], [], [], []
    for stride, split, bins, (box, cls) in zip(STRIDES, SPLITS, BINS, outputs):
        b, _, h, w = box.shape
        n, device = split * split, box.device
        box = box.view(b, 4, n, bins, h, w).permute(0, 2, 4, 5, 1, 3).reshape(b, n * h * w, 4, bins)
        boxes.append(F.pad(box, (0, MOST - bins), value=ABSENT))
        classes.append(cls.view(b, -1, n, h, w).permute(0, 2, 3, 4, 1).reshape(b, n * h * w, -1))
        y, x = torch.meshgrid(torch.arange(h, device=device) + 0.5, torch.arange(w, device=device) + 0.5, indexing="ij")
        places = torch.stack((x, y), -1).view(1, -1, 2) + offsets(split).to(device)[:, None]
        anchors.append(places.view(-1, 2) * stride)
        strides.append(torch.full((n * h * w,), float(stride), device=device))
        counts.append(torch.full((n * h * w,), float(bins), device=device))
    return torch.cat(boxes, 1).float(), torch.cat(classes, 1).float(), *map(torch.cat, (anchors, strides, counts))


def decode(box_logits, anchors, strides):
    """-> x1 y1 x2 y2 [b, A, 4] in pixels."""
    bins = torch.arange(MOST, device=box_logits.device, dtype=torch.float32)
    sides = (box_logits.softmax(-1) * bins).sum(-1) * strides[:, None]
    return torch.cat((anchors - sides[..., :2], anchors + sides[..., 2:]), -1)


def overlap(a, b):
    """IoU of boxes that broadcast against each other; [..., 4] -> [...]."""
    lo, hi = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inter = (hi - lo).clamp_min(0).prod(-1)
    area = (a[..., 2:] - a[..., :2]).clamp_min(0).prod(-1) + (b[..., 2:] - b[..., :2]).clamp_min(0).prod(-1)
    return inter / (area - inter + 1e-7)


def complete_iou(a, b):
    """CIoU: overlap less the distance of the middles and the difference in shape; [..., 4] -> [...]."""
    iou = overlap(a, b)
    span = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).square().sum(-1) + 1e-7
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).square().sum(-1)
    size_a, size_b = (a[..., 2:] - a[..., :2]).clamp_min(1e-3), (b[..., 2:] - b[..., :2]).clamp_min(1e-3)
    v = (4 / math.pi ** 2) * (torch.atan(size_b[..., 0] / size_b[..., 1]) -
                              torch.atan(size_a[..., 0] / size_a[..., 1])).square()
    with torch.no_grad():
        share = v / (v - iou + 1 + 1e-7)
    return iou - apart / span - share * v


def inside(anchors, boxes):
    """[A, 2] in [b, M, 4] -> bool [b, M, A]."""
    x, y = anchors[:, 0], anchors[:, 1]
    return ((x > boxes[..., 0:1]) & (x < boxes[..., 2:3]) & (y > boxes[..., 1:2]) & (y < boxes[..., 3:4]))


@torch.no_grad()
def assign(scores, boxes, anchors, labels, truth, real):
    """scores [b, A, C] after sigmoid, boxes [b, A, 4]; labels [b, M] int64, truth [b, M, 4], real [b, M] bool ->
    owner [b, A] (index into M), taken [b, A] bool, quality [b, A] 0..1."""
    size = (truth[..., 2:] - truth[..., :2]).clamp_min(SMALLEST)
    middle = (truth[..., 2:] + truth[..., :2]) / 2
    candidates = inside(anchors, torch.cat((middle - size / 2, middle + size / 2), -1)) & real[..., None]
    iou = overlap(truth[:, :, None], boxes[:, None]) * candidates
    score = scores.transpose(1, 2).gather(1, labels[..., None].expand(-1, -1, scores.shape[1]))
    aligned = (score.clamp_min(1e-9) ** ALPHA * iou ** BETA + 1e-12) * candidates
    least = aligned.topk(TOP, dim=-1).values[..., -1:]
    chosen = (aligned >= least) & (aligned > 0)
    # An anchor that several objects want goes to the one it overlaps most.
    best, owner = (iou * chosen + chosen * 1e-6).max(1)
    taken = best > 0
    mine = chosen & (owner[:, None] == torch.arange(truth.shape[1], device=truth.device)[None, :, None])
    aligned = aligned * mine
    top_aligned = aligned.amax(-1, keepdim=True)
    top_iou = (iou * mine).amax(-1, keepdim=True)
    quality = (aligned / (top_aligned + 1e-12) * top_iou).amax(1)
    return owner, taken, quality * taken


def loss(outputs, labels, truth, real, ignored):
    """outputs of Detector; labels [b, M], truth [b, M, 4] pixels, real [b, M] bool, ignored [b, K, 4] pixels: inside
    those no anchor is blamed for a detection. -> (total, parts [3]: box, class, distribution)."""
    box_logits, cls_logits, anchors, strides, bins = flatten(outputs)
    boxes = decode(box_logits, anchors, strides)
    owner, taken, quality = assign(cls_logits.detach().sigmoid(), boxes.detach(), anchors, labels, truth, real)
    target = truth.gather(1, owner[..., None].expand(-1, -1, 4))
    label = labels.gather(1, owner)
    want = F.one_hot(label, cls_logits.shape[-1]) * quality[..., None]
    blame = ~inside(anchors, ignored).any(1) | taken
    total_quality = quality.sum().clamp_min(1)

    cls = F.binary_cross_entropy_with_logits(cls_logits, want, reduction="none").sum(-1)
    cls = (cls * blame).sum() / total_quality
    box = ((1 - complete_iou(boxes, target)) * quality).sum() / total_quality
    sides = torch.cat((anchors - target[..., :2], target[..., 2:] - anchors), -1) / strides[:, None]
    sides = torch.minimum(sides.clamp_min(0), bins[:, None] - 1.01)
    low = sides.floor()
    part = sides - low
    log_p = box_logits.log_softmax(-1)
    dfl = -(log_p.gather(-1, low.long()[..., None]).squeeze(-1) * (1 - part) +
            log_p.gather(-1, low.long()[..., None] + 1).squeeze(-1) * part).mean(-1)
    dfl = (dfl * quality).sum() / total_quality
    parts = torch.stack((box * GAIN_BOX, cls * GAIN_CLS, dfl * GAIN_DFL))
    return parts.sum(), parts.detach()
