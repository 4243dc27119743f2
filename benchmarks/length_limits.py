"""What lengths of one garment can be to each other: makes code/fashionai/garments/length_limits.json from shapes.json.

Shapes are drawn as the statistics of the labels say. Of the ratios of two lengths, the limits leave out one shape in a
thousand at either end; of the longer side to the shorter, one in ten, since a side that is bent or turned away is short
in the picture alone. --csv prints which share of labels is outside of the limits, and makes nothing.
"""
import argparse
import json
import sys
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
from timing import ROOT

from fashionai.annotations import Annotations, read_annotations
from fashionai.cli.entry_point import guarded, resolve
from fashionai.files import write_text
from fashionai.garments.contradictions import PAIRS, limits_of
from fashionai.garments.measurements import LENGTHS, along, places_of
from fashionai.garments.shapes import sampled_shapes, shape_of
from fashionai.garments.table import GARMENTS, Garment

SHAPES, SEED = 200_000, 0
OUTSIDE = 0.001
"""Of shapes, at either end of a ratio of two lengths."""

SIDES_OUTSIDE = 0.1
"""Of shapes, beyond the ratio of the longer side to the shorter."""

SIDES_AT_LEAST = 1.4
"""Up to this ratio the mean of two sides is within 20 % of either, whichever is right."""

Lengths = Mapping[str, Sequence[np.ndarray]]
"""By name, (N,) lengths of each side, NaN where a point is absent."""


def lengths_of(garment: Garment, points_xy: np.ndarray) -> Lengths:
    """The lengths of N garments, (N, K, 2) points in the garment's order, NaN where absent."""
    return {name: [along(points_xy, places_of(garment, path) or []) for path in paths]
            for name, paths in LENGTHS[garment.name].items()}


def side_ratios(sides: Sequence[np.ndarray]) -> np.ndarray:
    """(N,) the longer side by the shorter."""
    return np.maximum(*sides) / np.minimum(*sides)


def made_limits(garment: Garment) -> Dict[str, Any]:
    """The entry of a type."""
    shape = shape_of(garment.name)
    order = [shape.keypoints.index(name) for name in garment.keypoints]
    lengths = lengths_of(garment, sampled_shapes(shape, SHAPES, np.random.RandomState(SEED))[:, order])
    means = {name: np.mean(sides, axis=0) for name, sides in lengths.items()}
    pairs: List[List[Any]] = []
    for first, second in PAIRS[garment.name]:
        low, high = np.quantile(means[first] / means[second], [OUTSIDE, 1 - OUTSIDE])
        pairs.append([first, second, round(float(low), 2), round(float(high), 2)])
    most = {name: float(np.quantile(side_ratios(sides), 1 - SIDES_OUTSIDE))
            for name, sides in lengths.items() if len(sides) == 2}
    return {'sides': {name: round(max(ratio, SIDES_AT_LEAST), 2) for name, ratio in most.items()}, 'pairs': pairs}


def outside(garment: Garment, truth: Annotations) -> List[str]:
    """A line for each limit of a type: how many labelled garments have both lengths, and which share is outside."""
    labels = np.array([keypoints for tag, keypoints in zip(truth.categories, truth.keypoints) if tag == garment.name])
    labels = labels.reshape(-1, truth.keypoints.shape[1], 3)[:, garment.csv_indices]
    lengths = lengths_of(garment, np.where(labels[..., 2:] >= 0, labels[..., :2].astype(float), np.nan))
    with np.errstate(divide='ignore', invalid='ignore'):
        means = {name: np.mean(sides, axis=0) for name, sides in lengths.items()}
        ratios = [(f'sides of {name}', side_ratios(lengths[name]), 0., most)
                  for name, most in limits_of(garment).sides.items()]
        ratios += [(f'{first} / {second}', means[first] / means[second], low, high)
                   for first, second, low, high in limits_of(garment).pairs]
    lines = []
    for name, ratio, low, high in ratios:
        known = ratio[~np.isnan(ratio)]
        share = ((known < low) | (known > high)).mean() if len(known) else 0
        lines.append(f'| {garment.name} | {name} | {low:g} to {high:g} | {len(known)} | {share:.1%} |')
    return lines


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Write the file, or hold labels against it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--csv', help='labels: print which share of them is outside of each limit')
    args = parser.parse_args(argv)
    if args.csv:
        truth = read_annotations(resolve(args.csv))
        print('| type | ratio | limits | labels | outside |', '|---|---|---|---|---|',
              *(line for garment in GARMENTS.values() for line in outside(garment, truth)), sep='\n')
    else:
        entries = [f' "{name}": {json.dumps(made_limits(garment))}' for name, garment in GARMENTS.items()]
        write_text(ROOT / 'code/fashionai/garments/length_limits.json', '{\n' + ',\n'.join(entries) + '\n}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
