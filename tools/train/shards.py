"""Reading and writing shards: files of rendered frames with their boxes.

Layout, all little-endian:
    64 bytes          "ITSFRAME", u32 version (1), u32 width, u32 height, u32 count, zeros
    count frames      I420, width * height * 3 / 2 bytes each, BT.601, limited range
    count + 1 u32     offsets: the boxes of frame i are boxes[offsets[i]:offsets[i + 1]]
    boxes             28 bytes each: f32 x1, y1, x2, y2 (pixels), i32 class, i32 id, f32 visible (0..1)
"""

import pathlib
import struct

import numpy as np

CLASSES = ("car", "truck", "bus", "motorcycle", "bicycle", "person")
HEADER = struct.Struct("<8s4I40x")
MAGIC, VERSION = b"ITSFRAME", 1
BOX = np.dtype([("x1", "<f4"), ("y1", "<f4"), ("x2", "<f4"), ("y2", "<f4"),
                ("class", "<i4"), ("id", "<i4"), ("visible", "<f4")])


class BadShard(ValueError):
    """A file that is not a shard, or is cut short."""


def read_shard(path):
    """Maps a shard into memory, read-only.

    Returns (frames, offsets, boxes): frames uint8 [count, height * 3 // 2, width] (rows of Y, then of U and of V, as
    they lie in the file), offsets uint32 [count + 1], boxes a structured array of BOX.
    """
    size = pathlib.Path(path).stat().st_size
    with open(path, "rb") as file:
        head = file.read(HEADER.size)
    if len(head) < HEADER.size:
        raise BadShard(f"{path}: {size} bytes are too few for a header")
    magic, version, width, height, count = HEADER.unpack(head)
    if magic != MAGIC or version != VERSION:
        raise BadShard(f"{path}: not a shard of version {VERSION}")
    if width < 2 or height < 2 or width % 2 or height % 2:
        raise BadShard(f"{path}: frames of {width}x{height}, sides must be even")
    at_offsets = HEADER.size + count * (width * height * 3 // 2)
    at_boxes = at_offsets + 4 * (count + 1)
    if size < at_boxes:
        raise BadShard(f"{path}: {size} bytes, {count} frames of {width}x{height} need at least {at_boxes}")
    frames = _map(path, np.uint8, HEADER.size, (count, height * 3 // 2, width))
    offsets = np.array(_map(path, "<u4", at_offsets, (count + 1,)))
    total = int(offsets[-1])
    if offsets[0] != 0 or (np.diff(offsets.astype(np.int64)) < 0).any():
        raise BadShard(f"{path}: the offsets of its boxes do not rise from 0")
    if size != at_boxes + total * BOX.itemsize:
        raise BadShard(f"{path}: {size} bytes, its {total} boxes end at {at_boxes + total * BOX.itemsize}")
    return frames, offsets, _map(path, BOX, at_boxes, (total,))


def _map(path, dtype, offset, shape):
    if 0 in shape:  # nothing to map
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", offset, shape)


def write_shard(path, frames, boxes):
    """frames: uint8 [count, height * 3 // 2, width]; boxes: one array of BOX per frame."""
    count, rows, width = frames.shape
    offsets = np.cumsum([0] + [len(of_frame) for of_frame in boxes]).astype("<u4")
    with open(path, "wb") as file:
        file.write(HEADER.pack(MAGIC, VERSION, width, rows * 2 // 3, count))
        file.write(np.ascontiguousarray(frames, np.uint8).tobytes())
        file.write(offsets.tobytes())
        for of_frame in boxes:
            file.write(np.ascontiguousarray(of_frame, BOX).tobytes())


def planes(frame):
    """Y [height, width], U and V [height / 2, width / 2] of one I420 frame [height * 3 // 2, width], without copying
    where the frame is contiguous."""
    rows, width = frame.shape
    height = rows * 2 // 3
    flat = frame.reshape(-1)
    luma, chroma = width * height, width * height // 4
    half = (height // 2, width // 2)
    return (flat[:luma].reshape(height, width), flat[luma:luma + chroma].reshape(half),
            flat[luma + chroma:].reshape(half))


def find_shards(folder):
    """All *.frames of a folder, or the file itself, by name."""
    folder = pathlib.Path(folder)
    found = [folder] if folder.is_file() else sorted(folder.glob("*.frames"))
    if not found:
        raise FileNotFoundError(f"{folder}: no *.frames there")
    return found
