"""Find the garment in pictures of your own: its type, its keypoints, and lengths of it."""
import argparse
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Iterable, List, Optional, Sequence, TextIO, Union

from tqdm import tqdm

from fashionai.cli import at_least, guarded, prepare_output
from fashionai.dataflow.inputs import Source, expected, pictures_of, sources_of
from fashionai.errors import InputError
from fashionai.garments import AUTO, JOINT, Garment
from fashionai.inference.finder import open_finder
from fashionai.inference.finding_files import FORMATS, Writer, coco_categories
from fashionai.inference.models import model_name
from fashionai.inference.overlay import Overlays, type_text
from fashionai.inference.own_pictures import Failure, Outcome, outcomes
from fashionai.look_options import add_look_options, garments_of, graphs_of, look_of, start_engines
from fashionai.measurements import LENGTHS, Scale, fixed_scale, no_scale, parse_reference, reference_scale


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('paths', nargs='+', metavar='PATH', help='pictures, videos, folders of them, patterns such as "shop/*.jpg"; '
        '-: paths on standard input, one a line')
    add('--tag', default=AUTO, help='the garment type of all; auto: the network tells it (default)')
    add('--every', type=at_least(1), default=1, metavar='N', help='of a video, every N-th frame (default: every one)')
    add('--output', metavar='FILE', help='default: standard output')
    add('--format', default='json', choices=FORMATS, help='json: an object a line, one a picture (default). csv: the '
        'form of FashionAI, as run.py writes it. coco: keypoint results')
    add('--draw', metavar='FOLDER', help='draw the keypoints over the pictures, into that folder')
    add('--draw-heatmaps', action='store_true', help='with --draw: the heat maps too')
    add('--measure', action='store_true', help='add lengths of the garment, in pixels; --draw then names doubtful ones')
    add('--cm-per-pixel', type=float, metavar='CM', help='with --measure: in centimetres too')
    add('--reference', metavar='A,B=CM', help='the same by a length that is known in each picture, such as '
        'waistband_left,waistband_right=38')
    add_look_options(parser)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Look at each picture, write what was found, and draw it."""
    args = parse(argv)
    if args.draw_heatmaps and not args.draw:
        raise InputError('--draw-heatmaps draws into the folder of --draw: give that too')
    sources = sources_of([path for named in args.paths for path in (_listed() if named == '-' else [named])])
    tag = JOINT if args.tag == AUTO else args.tag
    graphs = graphs_of(args, tag)
    garments = garments_of(args, graphs)
    if args.tag not in (AUTO, *garments):
        raise InputError(f'--tag {args.tag}: wanted {AUTO}, or one of {garments}')
    look = look_of(args, graphs, garments)
    scale = _scale(args, list(garments.values()) if args.tag == AUTO else [garments[args.tag]])
    if args.format == 'coco':
        _say('categories: ' + ', '.join(f'{number} {name}' for name, number in coco_categories(garments).items()))
    overlays = _overlays(args, sources) if args.draw else None
    start_engines(graphs, look)
    with ExitStack() as stack:
        finder = stack.enter_context(open_finder(graphs, tag, look, args.threads, garments))
        if args.tag == AUTO and not finder.types:
            raise InputError(f'{graphs[0]} cannot tell garment types: give --tag')
        file = stack.enter_context(_opened(args.output, sources)) if args.output else sys.stdout
        model = '+'.join(map(model_name, graphs))
        writer = stack.enter_context(FORMATS[args.format](file, model, scale, garments))
        found = stack.enter_context(closing(outcomes(finder, pictures_of(sources, args.every), args.tag, args.batch)))
        total = expected(sources, args.every)
        _write(tqdm(found, total=total, unit='picture', disable=file.isatty()), writer, overlays)
    return 0


def _write(found: Iterable[Union[Outcome, Failure]], writer: Writer, overlays: Optional[Overlays]) -> None:
    """Write and draw each. Raises InputError, at the end, where pictures could not be read or drawn."""
    pictures, failures, unsure = 0, 0, []
    for outcome in found:
        pictures += 1
        if isinstance(outcome, Failure):
            failures += 1
            _say(outcome.reason)
            continue
        writer.write(outcome)
        try:
            if overlays:
                overlays.draw(outcome.picture.source.name, outcome.picture.frame, outcome.image, outcome.finding)
        except ValueError as error:  # a picture too large for a JPEG; the others are not
            failures += 1
            _say(str(error))
        if not outcome.finding.type_sure:
            unsure.append(f'{outcome.picture.label}: {type_text(outcome.finding)}')
    if unsure:
        _say(f'unsure of the type of {len(unsure)} of {pictures} pictures, such as {unsure[0]}')
    if failures:
        raise InputError(f'{failures} of {pictures} pictures could not be read or drawn (listed above)')


def _overlays(args: argparse.Namespace, sources: Sequence[Source]) -> Overlays:
    return Overlays(Path(args.draw), [source.path for source in sources], args.draw_heatmaps, args.measure)


def _say(text: str) -> None:
    """A line on standard error, above the progress bar."""
    tqdm.write(text, file=sys.stderr)


def _listed() -> List[str]:
    """The lines of standard input."""
    return [line.strip() for line in sys.stdin if line.strip()]


def _opened(path: str, sources: Sequence[Source]) -> TextIO:
    """The file, empty. Raises InputError where it is one of the sources, such as by a pattern behind --output."""
    output = prepare_output(path)
    if output in [Path(source.path).resolve() for source in sources]:
        raise InputError(f'--output {path} is among the pictures: wanted another file')
    return open(str(output), 'w', encoding='utf-8', newline='')


def _scale(args: argparse.Namespace, types: Sequence[Garment]) -> Optional[Scale]:
    """How measurements of the types come to centimetres; None where nothing is measured. Raises InputError for a bad
    combination, and for types of which no length is known."""
    if args.cm_per_pixel is not None and args.reference:
        raise InputError('--cm-per-pixel and --reference both say how large a pixel is: wanted one of them')
    if not args.measure:
        if args.cm_per_pixel is not None or args.reference:
            raise InputError('--cm-per-pixel and --reference are for measurements: give --measure too')
        return None
    if args.format != 'json':
        raise InputError(f'--measure adds to --format json: {args.format} has no place for lengths')
    if not any(garment.name in LENGTHS for garment in types):
        names = ', '.join(garment.name for garment in types)
        raise InputError(f'--measure: no lengths are known of {names}: LENGTHS in fashionai/measurements.py wants them')
    if args.reference:
        return reference_scale(parse_reference(args.reference, types))
    return no_scale if args.cm_per_pixel is None else fixed_scale(args.cm_per_pixel)


if __name__ == '__main__':
    sys.exit(main())
