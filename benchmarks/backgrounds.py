"""Before which background transparent pictures are looked at best: crude cut-outs of labelled photographs.

A cut-out is what lies in the hull of a photograph's keypoints, and a margin around it. Nothing is left of the rest, as
of pictures that tools for cutting out have made.
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
"""Picture (h, w, 3) float32 and the share (h, w, 1) of each pixel that is opaque, to a background: (h, w, 3), (3,)."""


def cut_out(shape: Sequence[int], points: np.ndarray, margin: float) -> np.ndarray:
    """(h, w, 1) float32: 1 in the hull of points (n, 2) and within a margin around it, a share of the longer side; soft
    over some two pixels."""
    inside = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    reach = max(1, round(margin * max(shape)))
    wider = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    return cv2.GaussianBlur(wider, (0, 0), 1).astype(np.float32)[..., None] / 255


def _mean(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    return (picture * share).sum(axis=(0, 1)) / share.sum()


def _smeared(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The colours of the cut-out carried on outside of it."""
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
"""By name, what is put behind."""


def errors(predictor: GarmentPredictor, truth: Annotations, folder: str, margin: float) -> Dict[str, float]:
    """NE `visible` in per cent of all pictures before each background."""
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
    """Look at cut-outs before each background, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--csv', default='data/train/val.csv', help='labels (default: %(default)s)')
    parser.add_argument('--imagepath', default='data/train', help='folder the image ids lead from')
    parser.add_argument('--images', type=at_least(1), default=12, help='the first so many of each type')
    parser.add_argument('--margins', default='0.03', help='around the hulls, shares of the longer side (default: 0.03)')
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
