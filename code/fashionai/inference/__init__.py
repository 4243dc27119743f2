"""From a frozen graph and photographs to keypoints: windows, joined heat maps, peaks, fill-in, submission rows."""
