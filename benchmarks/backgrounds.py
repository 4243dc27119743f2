"""Measures which background is best for transparent pictures, with rough cut-outs of labelled photographs.

A cut-out is the part of a photograph inside the hull of its keypoints and a margin around it. The rest is removed, as
tools that cut out objects do.
"""
import argparse
import sys
from dataclasses import replace
from types import MappingProxyType
from typing import Callable, Dict, List, Mapping, Optional, Sequence

import cv2
import numpy as np
from timing import circumstances
from tqdm import tqdm

from fashionai.annotations import ABSENT, Annotations, read_annotations
from fashionai.cli.entry_point import guarded, resolve
from fashionai.cli.inference_flags import add_inference_options, chosen_networks
from fashionai.evaluation.metrics import score
from fashionai.garments.table import JOINT
from fashionai.images.decoder import read_image
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.inference.missing_keypoints import submission_keypoints
from fashionai.option_group import at_least

Filling = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A function from a picture (h, w, 3) float32 and its opacity (h, w, 1) to a background (h, w, 3) or (3,)."""


def cut_out(shape: Sequence[int], points: np.ndarray, margin: float) -> np.ndarray:
    """Returns (h, w, 1) float32: 1 in the hull of points (n, 2) and in a margin around it, 0 elsewhere. The edge is
    soft over about two pixels. The margin is a share of the longer side."""
    inside = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    reach = max(1, round(margin * max(shape)))
    wider = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    return cv2.GaussianBlur(wider, (0, 0), 1).astype(np.float32)[..., None] / 255


def _mean(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    return (picture * share).sum(axis=(0, 1)) / share.sum()


def _smeared(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Returns the colours of the cut-out, continued outside it."""
    sigma = max(picture.shape) / 16
    weights = cv2.GaussianBlur(share, (0, 0), sigma)[..., None] + 1e-3
    return (cv2.GaussianBlur(picture * share, (0, 0), sigma) + 1e-3 * _mean(picture, share)) / weights


def _other_end(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.full(3, 255. if _mean(picture, share).mean() < 128 else 0.)


def _colour(blue: int, green: int, red: int) -> Filling:
    return lambda picture, share: np.array((blue, green, red), np.float32)


FILLINGS: Mapping[str, Filling] = MappingProxyType({
    'the photograph itself': lambda picture, share: picture,
    'black': _colour(0, 0, 0), 'dark grey, 64': _colour(64, 64, 64), 'mean of ImageNet': _colour(104, 117, 123),
    'grey, 128': _colour(128, 128, 128), 'light grey, 192': _colour(192, 192, 192), 'white': _colour(255, 255, 255),
    'black or white, the farther': _other_end, "the garment's mean colour": _mean,
    "the garment's colours, carried on": _smeared})
"""Backgrounds by name."""


def errors(predictor: GarmentPredictor, truth: Annotations, folder: str, margin: float) -> Dict[str, float]:
    """Returns the NE `visible` of all pictures in percent, by background."""
    found: Dict[str, List[np.ndarray]] = {name: [] for name in FILLINGS}
    for image_id, category, labels in tqdm(list(zip(truth.image_ids, truth.categories, truth.keypoints))):
        picture = read_image(resolve(folder) / image_id).astype(np.float32)
        share = cut_out(picture.shape, labels[labels[:, 2] != ABSENT, :2], margin)
        before = [np.rint(share * picture + (1 - share) * fill(picture, share)).astype(np.uint8)
                  for fill in FILLINGS.values()]
        for name, prediction in zip(FILLINGS, predictor.predict(before, [category] * len(before))):
            found[name].append(submission_keypoints(prediction.points_xy, prediction.garment))
    scores = {name: score(truth, replace(truth, keypoints=np.stack(rows))) for name, rows in found.items()}
    return {name: one.visible.pooled.percent or 0. for name, one in scores.items()}


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predicts cut-outs before each background and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--csv', default='data/train/val.csv', help='labels (default: %(default)s)')
    parser.add_argument('--imagepath', default='data/train', help='folder of the image ids (default: %(default)s)')
    parser.add_argument('--images', type=at_least(1), default=12,
                        help='number of images of each type (default: %(default)s)')
    parser.add_argument('--margins', default='0.03',
                        help='margins around the hulls, as shares of the longer side (default: %(default)s)')
    add_inference_options(parser)
    args = parser.parse_args(argv)
    networks = chosen_networks(args, JOINT)
    garments = networks.garments
    truth = read_annotations(resolve(args.csv), garments)
    truth = truth.select([row for name in garments for row in [
        row for row, category in enumerate(truth.categories) if category == name][:args.images]])
    margins = [float(margin) for margin in args.margins.split(',')]
    with networks.load_predictor() as predictor:
        columns = [errors(predictor, truth, args.imagepath, margin) for margin in margins]
    print(circumstances(), f'\n\nNE `visible` of {len(truth)} cut-outs\n')
    print('| behind the cut-out |' + ''.join(f' margin {margin:.0%} |' for margin in margins))
    print('|---|' + '---|' * len(margins))
    for name in FILLINGS:
        print(f'| {name} |' + ''.join(f' {column[name]:.1f} |' for column in columns))
    return 0


if __name__ == '__main__':
    sys.exit(main())
