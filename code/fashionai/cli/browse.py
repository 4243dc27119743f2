"""Draw training samples as the network sees them, those that train.py with the same flags and seed begins with.

A column is a sample; its rows are the picture with its labels, the network's input with the labels that moved with it,
its heat maps, and its part affinity fields. What is grey there does not count in the loss.
"""
import argparse
import itertools
from typing import List, Optional, Sequence

import cv2
import numpy as np

from fashionai.annotations import ABSENT
from fashionai.cli.entry_point import HelpWithDefaults, chosen_garments, guarded, in_project, prepare_output
from fashionai.cli.training_flags import add_sample_options, labelled_rows
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.dataflow.sampling import Key, draw_keys, fewer_rows, row_weights
from fashionai.errors import InputError
from fashionai.images.drawing import caption, draw_keypoints, sheet, tile, write_picture
from fashionai.images.geometry import scaling, transform_points, warp_image
from fashionai.images.heatmap_drawing import draw_fields, draw_heatmaps
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags: those of train.py that change samples, and those of the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpWithDefaults)
    add_sample_options(parser)
    add = parser.add_argument
    add('--count', type=at_least(1), default=12, help='number of samples')
    add('--seed', type=at_least(0), default=1, help='seed of order and augmentation, as in train.py')
    add('--output', default=in_project('tmp/browse.png'), help='picture to write')
    add('--columns', type=at_least(1), default=6, help='number of samples in a row')
    add('--side', type=at_least(16), default=320, help='side of each picture of a sample in pixels')
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Make the samples, draw them, and say which they are."""
    options = parse(argv)
    output = prepare_output(options.output)
    if not cv2.haveImageWriter(output.name):
        raise InputError(f'--output {output.name}: wanted the name of a picture, such as browse.png')
    garments = chosen_garments(options)
    rows, image_root = labelled_rows(options, 'train', garments)
    rows = fewer_rows(rows, options.rows)
    graph_mode()
    from fashionai.networks.catalog import network_spec
    from fashionai.networks.head_options import HeadOptions
    stride = network_spec(options.model, HeadOptions.of(vars(options))).stride
    data = DataOptions.of(vars(options))
    shape = InputShape((options.input_height, options.input_width), stride)
    encoder = SampleEncoder(rows, image_root, garments.of(options.tag), shape, options.seed, data)
    keys = list(itertools.islice(draw_keys(row_weights(data.sampling, rows), options.seed), options.count))
    columns = []
    for number, key in enumerate(keys, 1):
        category, image_id = rows.categories[key[1]], rows.image_ids[key[1]]
        print(f'{number} {category} {image_id}')
        title = caption(f'{number} {category}', options.side)
        columns.append(np.vstack([title, *pictures(encoder, key, options.side)]))
    write_picture(output, sheet(columns, min(options.columns, len(columns))))
    print(f'drew {len(keys)} samples in {output}, from above: labels, input, heat maps, fields; grey does not count')
    return 0


def pictures(encoder: SampleEncoder, key: Key, side: int) -> List[np.ndarray]:
    """The four pictures of a sample, (side, side, 3) each."""
    row, garment = key[1], encoder.garment
    original, labels = tile(encoder.image(key), encoder.annotations.keypoints[row], side)
    moved = encoder.augmented(key)
    targets = encoder.targets(moved)
    height, width = moved.picture.shape[:2]
    zoom = side / max(height, width)
    image = warp_image(scaling(zoom, zoom), moved.picture, (round(zoom * height), round(zoom * width)))
    points = np.full((len(garment.csv_keypoints), 3), ABSENT, np.float64)
    points[garment.csv_indices, :2] = transform_points(scaling(zoom, zoom), moved.points_xy)
    points[garment.csv_indices, 2] = moved.visibility
    drawn = [draw_keypoints(image, garment, points, garment.limbs),
             draw_heatmaps(image, garment, targets.heatmaps, targets.heatmap_weights),
             draw_fields(image, targets.fields, targets.field_weights)]
    labelled = encoder.annotations.garments[encoder.annotations.categories[row]]
    return [draw_keypoints(original, labelled, labels, labelled.limbs),
            *(tile(picture, points, side)[0] for picture in drawn)]

