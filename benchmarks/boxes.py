"""Measures what a box is worth: the error of labelled pictures as a whole, in the box of their labels with several
margins, and in the box that a first look gives (auto).

`near` is the share of the labelled points that are within a tenth of the normaliser of their place, and `score` the
mean score of these points: if scores are probabilities, the two should be equal.
"""
import argparse
import sys
from functools import partial
from typing import Callable, Dict, List, Optional, Sequence

import numpy as np
from timing import circumstances
from tqdm import tqdm

from fashionai.annotations import Annotations, read_annotations
from fashionai.calibration.calibration import NEAR
from fashionai.cli.entry_point import guarded, resolve
from fashionai.cli.inference_flags import add_inference_options, chosen_networks
from fashionai.evaluation.metrics import keypoint_errors, score_points
from fashionai.garments.boxes import Box, box_of
from fashionai.garments.table import JOINT
from fashionai.images.decoder import read_image
from fashionai.inference.boxes import predict_in_boxes, predict_twice
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor
from fashionai.inference.missing_keypoints import submission_keypoints
from fashionai.option_group import at_least

Way = Callable[[Sequence[np.ndarray], Sequence[str], Sequence[Box]], List[GarmentPrediction]]
"""A function from images, the types and the true boxes of their garments to predictions."""


def ways(predictor: GarmentPredictor, margins: Sequence[float]) -> Dict[str, Way]:
    """Returns the ways to predict a garment, by name."""
    def in_true_boxes(images: Sequence[np.ndarray], tags: Sequence[str], boxes: Sequence[Box],
                      margin: float) -> List[GarmentPrediction]:
        return predict_in_boxes(predictor, images, tags, boxes, margin=margin)
    return {'whole picture': lambda images, tags, boxes: predictor.predict(images, tags),
            **{f'true box, margin {margin:g}': partial(in_true_boxes, margin=margin) for margin in margins},
            'auto': lambda images, tags, boxes: predict_twice(predictor, images, tags)}


def predicted(way: Way, truth: Annotations, folder: str, batch: int) -> List[GarmentPrediction]:
    """Returns the predictions of all pictures, each as a garment of its labelled type."""
    found: List[GarmentPrediction] = []
    for start in range(0, len(truth), batch):
        part = truth.select(range(start, min(start + batch, len(truth))))
        images = [read_image(resolve(folder) / image_id) for image_id in part.image_ids]
        boxes = [box_of(labels[labels[:, 2] >= 0, :2], image.shape[:2])
                 for labels, image in zip(part.keypoints, images)]
        found += way(images, part.categories, boxes)
    return found


def line_of(name: str, truth: Annotations, found: Sequence[GarmentPrediction]) -> str:
    """Returns the line of a way in the table."""
    points = np.stack([submission_keypoints(one.points_xy, one.garment) for one in found])
    scores = np.zeros(truth.keypoints.shape[:2])
    for row, one in enumerate(found):
        scores[row, one.garment.csv_indices] = one.scores
    errors = keypoint_errors(truth.categories, truth.keypoints, points, truth.garments)
    measured = score_points(truth.categories, truth.keypoints, points, truth.garments)
    return (f'| {name} | {measured.visible.ne:.2f} | {measured.leaderboard.ne:.2f} '
            f'| {(errors.errors[errors.visible] < NEAR).mean():.3f} | {scores[errors.visible].mean():.3f} |')


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predicts labelled pictures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--csv', default='data/train/val.csv', help='labels (default: %(default)s)')
    add('--imagepath', default='data/train', help='folder of the image ids (default: %(default)s)')
    add('--photographs', type=at_least(1), default=250, help='at most so many pictures, from all over the list '
        '(default: %(default)s)')
    add('--margins', nargs='*', type=float, default=[0.05, 0.1, 0.15, 0.25, 0.4], help='margins around the true box, '
        'as shares of its longer side (default: %(default)s)')
    add_inference_options(parser)
    args = parser.parse_args(argv)
    networks = chosen_networks(args, JOINT)
    rows = read_annotations(resolve(args.csv), networks.garments)
    count = min(args.photographs, len(rows))
    truth = rows.select([number * len(rows) // count for number in range(count)])
    with networks.load_predictor() as predictor:
        print(circumstances(), '\n', f'\n{count} pictures, {networks.name}, --preset {args.preset}\n', sep='')
        print('| predicted in | NE `visible`, % | NE `leaderboard`, % | near | score |\n|---|---|---|---|---|')
        for name, way in tqdm(ways(predictor, args.margins).items(), unit='way'):
            print(line_of(name, truth, predicted(way, truth, args.imagepath, args.batch)), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
