"""Keypoints to maps and back, in NumPy alone: heat maps, part affinity fields, and the targets a network learns."""
