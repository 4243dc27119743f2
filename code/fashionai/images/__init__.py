"""Pictures: finds and decodes picture and video files, moves them with their points, and draws keypoints on them."""
