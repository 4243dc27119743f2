"""Generated garments: drawings with exact keypoints, not photographs. They replace a data set nobody may share."""
