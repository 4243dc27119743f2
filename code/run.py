"""Find the keypoints of every image of a list with a frozen graph; write them as a submission, and score them."""
import argparse
import logging
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, Optional, Sequence, Tuple

from fashionai.annotations import read_annotations, read_test_list
from fashionai.cli import PROJECT_ROOT, at_least, guarded, in_project, prepare_output, resolve, size_hw
from fashionai.garments import GARMENTS, JOINT, garment_of
from fashionai.inference.canvas import JOINS
from fashionai.inference.predictor import Predictor
from fashionai.inference.record import Record, list_sum
from fashionai.inference.submission import write_submission
from fashionai.inference.windows import DEFAULT_SCALES, Scale, parse_scales, windows_of
from fashionai.metrics import format_scores, score
from fashionai.networks.contract import file_sum
from fashionai.stack import graph_mode

_MODEL = 'models/trained/{}/graph/frozen_graph.pb'
_PLACES = {'submit': ('data/test_b', 'test.csv'), 'validate': ('data/train', 'val.csv')}


logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options: the original's flags and a few more."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--tag', required=True, choices=[*GARMENTS, JOINT],
        help='garment type; rows of others are passed over. all: every row, type by type')
    add('--test', default='submit', choices=list(_PLACES), help='validate: the list has labels; print the error too')
    add('--modelpath', help='frozen graph (default: models/trained/<tag>/graph/frozen_graph.pb, or that of `all`)')
    add('--imagepath', help='folder the image ids lead from (default: data/test_b; to validate: data/train)')
    add('--csv', help='list of images (default: test.csv in --imagepath; to validate: val.csv)')
    add('--inputsize', default='368', help='side of the square canvas in pixels (default: %(default)s)')
    add('--resolution', default='368x368', help='input of the network, WIDTHxHEIGHT (default: %(default)s)')
    add('--scales', default=DEFAULT_SCALES, help='list of None, s, (s, step) or (cx, cy, s) (default: %(default)s)')
    add('--merge', default='addup', choices=JOINS, help='windows joined by maximum (addup) or mean (average)')
    add('--no-flip', action='store_true', help='do not look at the mirror image too: half the time')
    add('--output', help='default: submit/submit_<tag>.csv; to validate: submit/validate_<tag>.csv')
    add('--overwrite', action='store_true', help='start anew where the output exists')
    add('--batch', type=at_least(1), default=1, help='images that go through the network together (default: 1)')
    add('--threads', type=at_least(0), default=0, help='threads of the network (default: one a core)')
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Find the keypoints, write them, and measure them where asked to."""
    args = parse(argv)
    usual_folder, usual_list = _PLACES[args.test]
    folder = resolve(args.imagepath or usual_folder)
    list_file = resolve(args.csv or folder / usual_list)
    images = read_test_list(list_file).of_type(args.tag)
    truth = read_annotations(list_file).of_type(args.tag) if args.test == 'validate' else None
    if not len(images):
        raise ValueError(f'{list_file} has no row of type {args.tag}')
    canvas_hw = size_hw(args.inputsize)
    if canvas_hw[0] != canvas_hw[1]:
        raise ValueError(f'--inputsize {args.inputsize}: the canvas is a square, wanted one number such as 368')
    output = prepare_output(args.output or in_project(f'submit/{args.test}_{args.tag}.csv'))
    model = _model_path(args)
    look = {'input_size': canvas_hw[0], 'resolution_hw': size_hw(args.resolution),
            'scales': parse_scales(args.scales), 'flip': not args.no_flip, 'join': args.merge}
    record = Record(output, {'type': args.tag, 'graph': file_sum(model), 'list': list_sum(images.image_ids),
                             'image folder': str(folder), 'setting': repr(look)})
    failures = write_submission(record, args.overwrite, images, folder, args.batch,
                                lambda: _predictors(model, args.tag, args.threads, **look))
    if truth:
        print(format_scores(score(truth, read_annotations(output))))
    for image_id, error in failures.items():
        logger.error('%s: %s', image_id, error)
    if failures:
        raise ValueError(f'{len(failures)} of {len(images)} images could not be read (listed above); their rows in '
                         f'{output} hold the mean shape. Put the images right and run again with --overwrite')
    return 0


@contextmanager
def _predictors(model: Path, tag: str, threads: int, input_size: int, resolution_hw: Tuple[int, int],
                scales: Sequence[Scale], flip: bool, join: str) -> Iterator[Dict[str, Predictor]]:
    """The predictor of each garment type wanted, while the graph is open."""
    graph_mode()
    from fashionai.inference.graph import FrozenGraph  # only here: loading TensorFlow takes seconds
    windows = windows_of(scales, input_size, resolution_hw)
    with FrozenGraph(model, garment_of(tag), threads) as graph:
        yield {name: Predictor(graph.forward, garment, input_size, resolution_hw, windows, graph.stride, flip, join,
                               graph.garment) for name, garment in GARMENTS.items() if tag in (name, JOINT)}


def _model_path(args: argparse.Namespace) -> Path:
    usual = [PROJECT_ROOT / _MODEL.format(tag) for tag in (args.tag, JOINT)]
    found = [resolve(args.modelpath)] if args.modelpath else [path for path in usual if path.exists()]
    if not found:
        raise ValueError(f'no graph for {args.tag}, neither {usual[0]} nor {usual[1]}: freeze one or give --modelpath')
    return found[0]


if __name__ == '__main__':
    sys.exit(main())
