"""Input sizes, as (width, height)."""

import argparse

# Of the product's quality levels; one set of weights serves them all.
LEVELS = {"enhanced": (960, 544), "full": (640, 384), "standard": (512, 288), "simplified": (416, 256),
          "minimal": (320, 192)}
FULL = LEVELS["full"]
STRIDE = 32  # sides are multiples of it


def parse_size(text):
    """"640x384" -> (640, 384), for argparse"""
    width, _, height = text.partition("x")
    size = tuple(int(side) if side.isdecimal() else 0 for side in (width, height))
    if not all(size) or any(side % STRIDE for side in size):
        raise argparse.ArgumentTypeError(f"{text}: must be WIDTHxHEIGHT, multiples of {STRIDE}")
    return size


def name(size):
    """(640, 384) -> 640x384"""
    return f"{size[0]}x{size[1]}"
