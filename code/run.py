"""Find the keypoints of every image of a list with frozen graphs; write them as a submission, and score them."""
import argparse
import logging
import sys
from pathlib import Path
from typing import ContextManager, List, Mapping, Optional, Sequence

from fashionai.annotations import read_annotations, read_test_list
from fashionai.cli import (
    PROJECT_ROOT,
    add_garments_option,
    at_least,
    chosen_garments,
    guarded,
    in_project,
    prepare_output,
    resolve,
    size_hw,
)
from fashionai.codec.decoding import DECODERS
from fashionai.garments import Garments
from fashionai.inference.canvas import JOINS
from fashionai.inference.models import trained_garments, trained_hw, usual_graph
from fashionai.inference.opening import Look, open_predictors
from fashionai.inference.predictor import ASSEMBLIES, PredictionOptions
from fashionai.inference.record import Record, list_sum
from fashionai.inference.second_pass import SECOND_PASSES, AnyPredictor
from fashionai.inference.submission import write_submission
from fashionai.inference.tiling import DEFAULT_TILING, TILINGS
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales
from fashionai.metrics import format_scores, score
from fashionai.networks.contract import OUTPUTS, file_sum
from fashionai.stack import graph_mode

_PLACES = {'submit': ('data/test_b', 'test.csv'), 'validate': ('data/train', 'val.csv')}


logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options: the original's flags and a few more."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--tag', required=True, help='garment type; rows of others are passed over. all: every row, type by type')
    add_garments_option(parser)  # not needed where a graph's contract holds its table
    add('--test', default='submit', choices=list(_PLACES), help='validate: the list has labels; print the error too')
    add('--modelpath', help='frozen graph, or several with commas between: their heat maps are averaged (default: '
        'models/trained/<tag>/graph/frozen_graph.pb, or that of `all`, or the supplied one)')
    add('--imagepath', help='folder the image ids lead from (default: data/test_b; to validate: data/train)')
    add('--csv', help='list of images (default: test.csv in --imagepath; to validate: val.csv)')
    add('--inputsize', help='side of the square canvas in pixels (default: the longer one that the first graph was '
        'trained at; 368 where it does not say)')
    add('--resolution', help='input of the network, WIDTHxHEIGHT, or one for each graph (default: what each was '
        'trained at; 368x368 where it does not say)')
    add('--scales', default=DEFAULT_SCALES, help='list of None, s, (s, step) or (cx, cy, s) (default: %(default)s)')
    add('--windows', default=DEFAULT_TILING, choices=TILINGS, help='exact: as --scales says. merged: overlapping ones '
        'of a scale as one, and without the padding of images that are not square (default: %(default)s)')
    add('--merge', default='addup', choices=JOINS, help='windows joined by maximum (addup) or mean (average)')
    add('--maps', default='last', choices=OUTPUTS, help='of the last stage, or the mean of the last two')
    add('--decode', default='blur', choices=DECODERS, help='how a point is read off its heat map (default: blur)')
    add('--assembly', default='peaks', choices=ASSEMBLIES, help='the highest peaks, or those that the fields join best')
    add('--second-pass', choices=SECOND_PASSES, help='look again at the garment set upright: replace or average')
    add('--no-flip', action='store_true', help='do not look at the mirror image too: half the time')
    add('--output', help='default: submit/submit_<tag>.csv; to validate: submit/validate_<tag>.csv')
    add('--overwrite', action='store_true', help='start anew where the output exists')
    add('--batch', type=at_least(1), default=1, help='images that are looked at together (default: 1)')
    add('--threads', type=at_least(0), default=0, help='threads of the network (default: one a core)')
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Find the keypoints, write them, and measure them where asked to."""
    args = parse(argv)
    usual_folder, usual_list = _PLACES[args.test]
    folder = resolve(args.imagepath or usual_folder)
    list_file = resolve(args.csv or folder / usual_list)
    graphs = _graphs(args)
    garments = chosen_garments(args) if args.garments else trained_garments(graphs)
    images = read_test_list(list_file, garments).of_type(args.tag)
    truth = read_annotations(list_file, garments).of_type(args.tag) if args.test == 'validate' else None
    if not len(images):
        raise ValueError(f'{list_file} has no row of type {args.tag}')
    output = prepare_output(args.output or in_project(f'submit/{args.test}_{args.tag}.csv'))
    look = _look(args, graphs)
    record = Record(output, {'type': args.tag, 'graph': '+'.join(file_sum(graph) for graph in graphs),
                             'list': list_sum(images.image_ids), 'image folder': str(folder), 'setting': repr(look)})
    failures = write_submission(record, args.overwrite, images, folder, args.batch,
                                lambda: _opened(graphs, args.tag, look, args.threads, garments))
    if truth:
        print(format_scores(score(truth, read_annotations(output, garments))))
    for image_id, error in failures.items():
        logger.error('%s: %s', image_id, error)
    if failures:
        raise ValueError(f'{len(failures)} of {len(images)} images could not be read (listed above); their rows in '
                         f'{output} hold points that were not found. Put them right and run again with --overwrite')
    return 0


def _opened(graphs: Sequence[Path], tag: str, look: Look, threads: int,
            garments: Garments) -> ContextManager[Mapping[str, AnyPredictor]]:
    graph_mode()
    return open_predictors(graphs, tag, look, threads, garments)


def _look(args: argparse.Namespace, graphs: Sequence[Path]) -> Look:
    sizes = [trained_hw(graph) for graph in graphs]
    canvas_hw = size_hw(args.inputsize) if args.inputsize else (max(sizes[0]),) * 2
    if canvas_hw[0] != canvas_hw[1]:
        raise ValueError(f'--inputsize {args.inputsize}: the canvas is a square, wanted one number such as 368')
    options = PredictionOptions(canvas_hw[0], not args.no_flip, args.merge, args.decode, args.assembly)
    resolutions = [size_hw(text) for text in args.resolution.split(',')] if args.resolution else sizes
    return Look(options, parse_scales(args.scales), tuple(resolutions), args.maps, args.second_pass, args.windows)


def _graphs(args: argparse.Namespace) -> List[Path]:
    if args.modelpath:
        return [resolve(path) for path in args.modelpath.split(',')]
    return [usual_graph(args.tag, PROJECT_ROOT / 'models/trained')]


if __name__ == '__main__':
    sys.exit(main())
