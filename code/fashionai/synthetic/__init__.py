"""Generated garments: drawings, not photographs, with exact keypoints, in place of a data set nobody may share."""
