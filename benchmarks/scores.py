"""Compares scores with errors: points of labelled pictures, in classes of their score."""
import argparse
import sys
from typing import Optional, Sequence, Tuple

import numpy as np
from timing import circumstances
from tqdm import tqdm

from fashionai.annotations import VISIBLE, Annotations, read_annotations
from fashionai.cli.entry_point import guarded, resolve
from fashionai.cli.inference_flags import add_inference_options, chosen_networks
from fashionai.garments.table import JOINT
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.inference.held_out import point_answers

EDGES = (0., .1, .2, .3, .4, .5, .6, .7, .8, .9)
"""The lower ends of the classes of scores."""


def measured(predictor: GarmentPredictor, truth: Annotations, folder: str,
             batch: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the score of every visible keypoint, whether it was found, and its error as a share of the normaliser."""
    answers = point_answers(predictor, truth, resolve(folder), batch, tqdm)
    chosen = (answers.labels == VISIBLE) & np.isfinite(answers.errors)
    return answers.scores[chosen], answers.found[chosen], answers.errors[chosen]


def format_classes(scores: np.ndarray, found: np.ndarray, errors: np.ndarray) -> str:
    """Returns the table: for each class its share of all points, mean and median error, and shares of near points."""
    edges = [*EDGES, np.inf]
    classes = [('not found', ~found)] + [
        (f'{low:.1f} to {min(high, 1):.1f}', found & (scores >= low) & (scores < high))
        for low, high in zip(edges, edges[1:])] + [('all', np.ones(len(scores), bool))]
    lines = ['| score | points | mean error | median error | within 5 % | within 10 % |', '|---|---|---|---|---|---|']
    for name, members in classes:
        own = errors[members]
        if len(own):
            lines.append(f'| {name} | {len(own) / len(errors):.1%} | {own.mean():.1%} | {np.median(own):.1%} | '
                         f'{(own < .05).mean():.0%} | {(own < .1).mean():.0%} |')
    return '\n'.join(lines)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predicts labelled pictures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--csv', default='data/train/val.csv', help='labels (default: %(default)s)')
    parser.add_argument('--imagepath', default='data/train', help='folder of the image ids (default: %(default)s)')
    add_inference_options(parser)
    args = parser.parse_args(argv)
    networks = chosen_networks(args, JOINT)
    garments = networks.garments
    truth = read_annotations(resolve(args.csv), garments)
    with networks.load_predictor() as predictor:
        print(circumstances(), '\n')
        print(format_classes(*measured(predictor, truth, args.imagepath, args.batch)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
