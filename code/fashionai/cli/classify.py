"""Predict the garment type of each image of a list: write the two most probable types, and print how often the list
agrees."""
import argparse
import csv
import logging
from functools import partial
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from fashionai.annotations import TestList, image_path, read_test_list
from fashionai.cli.entry_point import (
    add_outside_option,
    chosen_graph,
    guarded,
    in_project,
    prepare_output,
    resolve,
)
from fashionai.engines.opening import default_engine, has_tensorflow, needs_tensorflow, open_model, open_network
from fashionai.errors import InputError
from fashionai.files import replacing
from fashionai.garments.table import JOINT
from fashionai.images.decoder import Unreadable, read_or_unreadable
from fashionai.inference.config import InferenceOptions
from fashionai.inference.whole_pictures import described
from fashionai.model_files.model_file import ModelFile, warn_of_assumptions
from fashionai.tf_compat import graph_mode

HEADER = ('image_id', 'image_category', 'first', 'first_probability', 'second', 'second_probability')
_BATCH = 8

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--modelpath', help='frozen graph, or exported model, of a network for all types with a type head (default: '
        'models/trained/all/graph/frozen_graph.pb, or the supplied one)')
    add('--imagepath', default='data/test_b', help='folder that image ids start from (default: %(default)s)')
    add('--csv', help='list of images (default: test.csv in --imagepath)')
    add_outside_option(parser)
    add('--output', default=in_project('submit/types.csv'), help='CSV file to write (default: %(default)s)')
    InferenceOptions.add_flags(parser, only=('trust_graph', 'threads'))
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predict the type of each image, write its row, and compare."""
    args = parse(argv)
    folder = resolve(args.imagepath)
    model = open_model(chosen_graph(args.modelpath, JOINT),
                       None if args.modelpath or has_tensorflow() else default_engine())
    warn_of_assumptions([model])
    images = read_test_list(resolve(args.csv or folder / 'test.csv'), model.garments)
    images.check_inside(args.allow_outside)
    types, found, failures = _look(model, images, folder, args.threads, args.trust_graph)
    right = dict(zip(images.image_ids, images.categories))
    order = {image_id: np.argsort(-probabilities) for image_id, probabilities in found.items()}
    output = prepare_output(args.output)
    with replacing(output) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for image_id, numbers in order.items():
            told = [cell for number in numbers[:2] for cell in (types[number], f'{found[image_id][number]:.4f}')]
            writer.writerow([image_id, right[image_id], *told])
    if order:
        print(format_types([right[image_id] for image_id in order],
                           [[types[number] for number in numbers] for numbers in order.values()], types))
    print(f'wrote {output}')
    for image_id, error in failures.items():
        logger.error('%s: %s', image_id, error)
    if failures:
        raise InputError(f'{len(failures)} of {len(images)} images could not be read (listed above); they have no row')
    return 0


def _look(model: ModelFile, images: TestList, folder: Path, threads: int,
          trusted: bool) -> Tuple[List[str], Dict[str, np.ndarray], Dict[str, str]]:
    """Returns the types, their probabilities by image id, and the reasons why images could not be read."""
    if needs_tensorflow(model):
        graph_mode()
    calibration = model.contract.calibration if model.contract else None
    types = calibration.types if calibration else None
    found: Dict[str, np.ndarray] = {}
    failures: Dict[str, str] = {}
    with open_network(model, images.garments.joint, images.garments, threads, trusted=trusted) as network:
        if not network.types:
            raise InputError(f'{model.path} does not predict types: wanted a network trained with --tag all '
                             '--type-head along')
        describe = partial(network.describe, visibility=False)
        for start in tqdm(range(0, len(images), _BATCH), unit='batch'):
            ids = images.image_ids[start:start + _BATCH]
            read = {image_id: read_or_unreadable(image_path(folder, image_id)) for image_id in ids}
            failures.update({image_id: picture.reason for image_id, picture in read.items()
                             if isinstance(picture, Unreadable)})
            pictures = {image_id: picture for image_id, picture in read.items() if not isinstance(picture, Unreadable)}
            if pictures:
                probabilities = described(describe, list(pictures.values()), model.trained_hw, network.garment).types
                assert probabilities is not None, 'the network predicts types'
                found.update(zip(pictures, types.tempered(probabilities) if types else probabilities))
    return list(network.types), found, failures


def format_types(right: Sequence[str], order: Sequence[Sequence[str]], types: Sequence[str]) -> str:
    """Returns a table: how often the right type is the first, how often it is among the first two, and the confusion.

    Args:
        right: the true type of each image.
        order: the types of each image, the most probable first.
        types: all types, in the order of rows and columns.
    """
    predicted = [names[0] for names in order]
    first = np.mean([one == other for one, other in zip(right, predicted)])
    second = np.mean([one in names[:2] for one, names in zip(right, order)])
    width = max(map(len, types)) + 2
    lines = [f'the type is right in {first:.1%} of {len(right)} images, and among the first two in {second:.1%}', '',
             'of' + ' ' * (width - 2) + ''.join(f'{name:>{width}}' for name in types) + '  were taken for']
    for name, counts in zip(types, _confusion(right, predicted, types)):
        lines.append(f'{name:<{width}}' + ''.join(f'{count:>{width}}' for count in counts))
    return '\n'.join(lines)


def _confusion(right: Sequence[str], predicted: Sequence[str], types: Sequence[str]) -> np.ndarray:
    """Returns (T, T) int for T types: the number of images of each true type (rows) that were predicted as each type
    (columns)."""
    counts = np.zeros((len(types), len(types)), int)
    for one, other in zip(right, predicted):
        counts[types.index(one), types.index(other)] += 1
    return counts
