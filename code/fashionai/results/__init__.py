"""Results: the files of predictions (submissions, JSON, COCO, drawings), and the manifest of a run."""
