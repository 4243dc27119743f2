"""Measures how reliable lengths are: how many good and how many bad lengths of labelled pictures are flagged doubtful.

A length is good if it is within 20 % of the length between the labels of the same points, and bad otherwise.
"""
import argparse
import sys
from typing import Dict, List, Optional, Sequence

import numpy as np
from timing import circumstances
from tqdm import tqdm

from fashionai.annotations import Annotations, read_annotations
from fashionai.cli.entry_point import guarded, resolve
from fashionai.cli.inference_flags import add_inference_options, chosen_networks
from fashionai.garments.measurements import Points, measure
from fashionai.garments.table import JOINT
from fashionai.images.decoder import read_image
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor, points_of

GOOD = 0.2

Rows = Dict[str, List[List[float]]]
"""By type and length, a row for each picture: the error as a share of the label's length, and whether it is flagged."""


def compare_lengths(prediction: GarmentPrediction, labels: np.ndarray, rows: Rows) -> None:
    """Adds the lengths of a prediction, compared with labels (K, 3) in the garment's order, to the rows."""
    truth = measure(Points(prediction.garment, labels[:, :2].astype(float), prediction.scores,
                           prediction.found & (labels[:, 2] >= 0)))
    for name, length in measure(points_of(prediction)).items():
        true = truth[name].pixels
        if length.pixels is not None and true:
            row = [abs(length.pixels - true) / true, float(bool(length.doubtful))]
            rows.setdefault(f'{prediction.type} {name}', []).append(row)


def measured(predictor: GarmentPredictor, truth: Annotations, folder: str, batch: int) -> Rows:
    """Returns the rows of all pictures, each predicted as a garment of its labelled type."""
    rows: Rows = {}
    for start in tqdm(range(0, len(truth), batch), unit='batch'):
        part = truth.select(range(start, min(start + batch, len(truth))))
        images = [read_image(resolve(folder) / image_id) for image_id in part.image_ids]
        for prediction, labels in zip(predictor.predict(images, part.categories), part.keypoints):
            compare_lengths(prediction, labels[prediction.garment.csv_indices], rows)
    return rows


def format_rows(rows: Rows) -> str:
    """Returns the table: for each length and for all, the good and the bad ones, and how many of each are flagged."""
    lines = ['| length | good | of them flagged | bad | of them flagged |', '|---|---|---|---|---|']
    for name, own in [*rows.items(), ('all', [row for each in rows.values() for row in each])]:
        errors, flagged = np.array(own).T
        good, bad = flagged[errors <= GOOD], flagged[errors > GOOD]
        lines.append(f'| {name} | {len(good)} | {_counted(good)} | {len(bad)} | {_counted(bad)} |')
    return '\n'.join(lines)


def _counted(flagged: np.ndarray) -> str:
    return f'{flagged.sum():.0f} ({flagged.mean():.1%})' if len(flagged) else '0'


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predicts labelled pictures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--csv', default='data/train/val.csv', help='labels (default: %(default)s)')
    parser.add_argument('--imagepath', default='data/train', help='folder of the image ids (default: %(default)s)')
    add_inference_options(parser)
    args = parser.parse_args(argv)
    networks = chosen_networks(args, JOINT)
    garments = networks.garments
    truth = read_annotations(resolve(args.csv), garments)
    with networks.load_predictor() as predictor:
        print(circumstances(), '\n')
        print(format_rows(measured(predictor, truth, args.imagepath, args.batch)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
