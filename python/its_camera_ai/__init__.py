"""ITS Camera AI: live traffic cameras to detections in under 100 ms."""

__version__ = "0.1.0"
