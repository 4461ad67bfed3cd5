#!/usr/bin/env python3
"""Weights of the network that had one anchor in each cell of the finest scale -> of the one that has several, so that
training goes on instead of beginning anew.

usage: grow.py OLD.pt NEW.pt

The anchors of a cell begin as copies of the one, with its nearer bins; Fine begins by adding nothing; the second
convolution of the boxes begins as the nearest separable one.
"""

import argparse

import torch

from network import BINS, SPLITS, Detector

OLD_BINS = 16
BOX, CLS = "heads.0.box", "heads.0.cls"


def separate(weight):
    """[out, in, 3, 3] -> each [in, 1, 3, 3], mix [out, in, 1, 1]: of every input channel the best product of the two."""
    outs, ins = weight.shape[:2]
    u, s, v = torch.linalg.svd(weight.permute(1, 0, 2, 3).reshape(ins, outs, 9), full_matrices=False)
    return v[:, 0].view(ins, 1, 3, 3), (u[:, :, 0] * s[:, :1]).T.reshape(outs, ins, 1, 1)


def repeated(values, per_side):
    """The last layer's [4 * OLD_BINS, ..] or [classes, ..] for all anchors of a cell."""
    anchors, rest = SPLITS[0] ** 2, values.shape[1:]
    if not per_side:
        return values.repeat_interleave(anchors, 0)
    nearer = values.view(4, 1, OLD_BINS, *rest)[:, :, :BINS[0]]
    return nearer.expand(4, anchors, BINS[0], *rest).reshape(-1, *rest)


def grow(old):
    """State of the network before -> of this one."""
    torch.manual_seed(1)  # for what is new
    new = Detector().state_dict()
    for name in new:
        if name in old:
            new[name] = old[name]
    for end in ("weight", "bias"):
        new["fine.gather." + end] = torch.zeros_like(new["fine.gather." + end])
        new[f"{BOX}.2.{end}"] = repeated(old[f"{BOX}.2.{end}"], True)
        new[f"{CLS}.4.{end}"] = repeated(old[f"{CLS}.4.{end}"], False)
    new[f"{BOX}.1.each.weight"], new[f"{BOX}.1.mix.conv.weight"] = separate(old[f"{BOX}.1.conv.weight"])
    for name in old:
        if name.startswith(f"{BOX}.1.norm."):
            new[name.replace(".norm.", ".mix.norm.")] = old[name]
    return new


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    args = parser.parse_args()
    torch.save(grow(torch.load(args.old, map_location="cpu")), args.new)


if __name__ == "__main__":
    main()
