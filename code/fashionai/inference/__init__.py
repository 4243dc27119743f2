"""Inference: from networks and photographs to keypoints, by windows, joined heat maps, peaks and mean shapes."""
