"""The usual Python way: ultralytics predict(stream=True) on an ONNX model, one process. Prints one JSON line.

usage: peer_ultralytics.py MODEL VIDEO SECONDS"""
import json
import sys
import time

from ultralytics import YOLO


def main():
    path, video, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    model = YOLO(path, task="detect")
    warm_until = time.monotonic() + 3
    start, count = None, 0
    while True:
        for _ in model.predict(video, stream=True, imgsz=(384, 640), verbose=False, device="cpu"):
            now = time.monotonic()
            if start is None:
                if now >= warm_until:
                    start = now
                continue
            count += 1
            if now - start >= seconds:
                print(json.dumps({"fps": count / (now - start), "frames": count, "seconds": now - start}))
                return


if __name__ == "__main__":
    main()
