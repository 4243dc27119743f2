"""Draw keypoints of a CSV, labels or predictions, over their images: one sheet, a row a garment type."""
import argparse
from pathlib import Path
from typing import Optional, Sequence

import cv2

from fashionai.annotations import image_path, read_annotations
from fashionai.cli.entry_point import (
    HelpWithDefaults,
    add_garments_option,
    add_outside_option,
    chosen_garments,
    guarded,
    in_project,
    prepare_output,
    resolve,
)
from fashionai.errors import InputError
from fashionai.images.decoder import read_image
from fashionai.images.drawing import draw_keypoints, sheet, tile, write_picture
from fashionai.option_group import at_least


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Draw the first images of each type that the CSV has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpWithDefaults)
    parser.add_argument('--csv', default='submit/submit.csv', help='CSV file of keypoints: a submission or annotations')
    parser.add_argument('--imagepath', default='data/test_b', help='folder that image ids start from')
    parser.add_argument('--output', help='picture to write (default: submit/<name of the CSV>.png)')
    parser.add_argument('--columns', type=at_least(1), default=6, help='number of images of each type')
    parser.add_argument('--side', type=at_least(16), default=320, help='side of an image on the sheet in pixels')
    add_outside_option(parser)
    add_garments_option(parser)
    options = parser.parse_args(argv)
    table, folder = read_annotations(resolve(options.csv), chosen_garments(options)), resolve(options.imagepath)
    table.check_inside(options.allow_outside)
    output = prepare_output(options.output or in_project(f'submit/{Path(options.csv).stem}.png'))
    if not cv2.haveImageWriter(output.name):
        raise InputError(f'--output {output.name}: wanted the name of a picture, such as predictions.png')
    tiles = []
    for name, garment in table.garments.items():
        rows = table.of_type(name)
        shown = rows.select(range(min(options.columns, len(rows))))
        for image_id, keypoints in zip(shown.image_ids, shown.keypoints):
            image, moved = tile(read_image(image_path(folder, image_id)), keypoints, options.side)
            tiles.append(draw_keypoints(image, garment, moved))
    write_picture(output, sheet(tiles, options.columns))
    print(f'drew {len(tiles)} images of {options.csv} in {output}')
    return 0

