"""Draws the photographs of data/photographs with the keypoints and lengths that the supplied network predicts.

Writes docs/photographs.jpg, one photograph of each type for the README; docs/predict.jpg, the same as predict.py --draw
and --draw-heatmaps draw them; and docs/photographs-all.jpg, all of them.
"""
import argparse
from pathlib import Path
from typing import List, Optional, Sequence

import cv2
import numpy as np
from timing import ROOT

import fashionai
from fashionai.annotations import OCCLUDED, VISIBLE
from fashionai.cli.entry_point import guarded
from fashionai.images.decoder import read_upright
from fashionai.images.drawing import caption, draw_keypoints, sheet, tile, write_picture
from fashionai.inference.garment_predictor import LOW

PHOTOGRAPHS = ROOT / 'data' / 'photographs'

CHOSEN = ('fbefa9a6', 'de82880e', '60e4697b', 'f66f8334', 'ee6e5a32')
"""The photographs of the README."""

HEIGHT = 400
"""The height of the drawings of docs/predict.jpg."""

LENGTHS = {'blouse': ('chest', 'sleeve'), 'dress': ('chest', 'body_length'), 'outwear': ('chest', 'sleeve'),
           'skirt': ('waist', 'body_length'), 'trousers': ('waist', 'inseam')}
"""The two lengths of each type that are written below a photograph of the README."""


def drawn(garment: 'fashionai.Prediction', side: int) -> np.ndarray:
    """Returns the photograph with its keypoints in a square of `side` pixels; points with a low score are rings."""
    result = garment.result
    keypoints = np.full((len(result.garment.csv_keypoints), 3), -1.)
    keypoints[result.garment.csv_indices] = np.column_stack(
        [result.points_xy, np.where(result.scores < LOW, OCCLUDED, VISIBLE)])
    picture, moved = tile(garment.image, keypoints, side)
    return draw_keypoints(picture, result.garment, moved)


def as_predict_draws(photograph: Path, tag: str, model: 'fashionai.GarmentModel') -> np.ndarray:
    """Returns the two drawings of predict.py, one above the other; the photograph is enlarged to HEIGHT."""
    image = read_upright(str(photograph))
    width = round(image.shape[1] * HEIGHT / image.shape[0])
    garment = model.predict(cv2.resize(image, (width, HEIGHT), interpolation=cv2.INTER_CUBIC), tag=tag)
    return np.vstack([garment.draw().pixels, garment.draw(heatmaps=True).pixels])


def with_lengths(garment: 'fashionai.Prediction', side: int) -> np.ndarray:
    """Returns the drawing of the garment with two lengths below it, in pixels of the photograph."""
    lengths = garment.lengths()
    text = f'{garment.type}: ' + ', '.join(
        f'{name.replace("_length", " length")} {lengths[name].pixels:.0f}' for name in LENGTHS[garment.type]
        if lengths[name].pixels is not None)
    return np.vstack([drawn(garment, side), caption(text, side)])


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predicts all photographs and writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', help='network file (default: the supplied network)')
    parser.add_argument('--output', default=str(ROOT / 'docs'), help='folder (default: %(default)s)')
    args = parser.parse_args(argv)
    rows = fashionai.read_annotations(PHOTOGRAPHS / 'val.csv')
    chosen: List[np.ndarray] = []
    every: List[np.ndarray] = []
    both: List[np.ndarray] = []
    with fashionai.load_model(args.model) as model:
        for image_id, tag in zip(rows.image_ids, rows.categories):
            garment = model.predict(PHOTOGRAPHS / image_id, tag=tag)
            every.append(drawn(garment, 192))
            if Path(image_id).stem in CHOSEN:
                chosen.append(with_lengths(garment, 300))
                both.append(as_predict_draws(PHOTOGRAPHS / image_id, tag, model))
    write_picture(Path(args.output, 'photographs.jpg'), sheet(chosen, len(CHOSEN)))
    write_picture(Path(args.output, 'predict.jpg'), np.hstack(both))
    write_picture(Path(args.output, 'photographs-all.jpg'), sheet(every, 8))
    return 0


if __name__ == '__main__':
    cv2.setNumThreads(1)
    raise SystemExit(main())
