"""Encodes keypoints as heat maps and part affinity fields, and decodes them again, in NumPy and OpenCV only."""
