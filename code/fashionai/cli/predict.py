"""Find the garments in your own pictures: their types, keypoints and lengths."""
import argparse
import os
import shutil
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from textwrap import fill
from typing import ContextManager, Dict, Iterable, List, Optional, Sequence, TextIO, Type

from tqdm import tqdm

from fashionai.cli.entry_point import guarded, prepare_output, resolve
from fashionai.cli.grading import add_grading_options, chosen_grader, grading_sums
from fashionai.cli.inference_flags import ChosenNetworks, add_inference_options, chosen_networks
from fashionai.datasets.box_files import BoxFile, read_boxes
from fashionai.datasets.coco_ids import CocoIds, read_coco_ids
from fashionai.errors import InputError
from fashionai.files import locked
from fashionai.garments.measurements import PixelScale, chosen_scale, lengths_added, lengths_of, plane_scale
from fashionai.garments.table import AUTO, JOINT, Garment, Garments
from fashionai.images.decoder import MEGAPIXELS
from fashionai.images.scale import parse_scale
from fashionai.images.sources import MediaFile, Picture, expected, pictures_of, sources_of
from fashionai.inference.batch_inference import Failure, Outcome, PictureResult, failures, predict_pictures
from fashionai.inference.boxes import AUTO_BOX
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.model_files.contract import file_sum
from fashionai.option_group import at_least
from fashionai.results.coco_writers import CocoResults, coco_category_ids
from fashionai.results.formats import COCO, COCO_RESULTS, FORMATS, JSON, LENGTHS, TABLE
from fashionai.results.grade_report import GradeReport
from fashionai.results.overlays import Overlays, type_text
from fashionai.results.prediction_output import Done, Failures, ToDo, done_so_far, opened
from fashionai.results.run_manifest import RunManifest, list_sum
from fashionai.results.writers import Writer
from fashionai.signals import exit_on_sigterm


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('paths', nargs='+', metavar='PATH', help='pictures, videos, folders of them, patterns such as "shop/*.jpg"; '
        '-: read the paths from standard input, one on each line')
    add('--tag', default=AUTO, help='garment type of all pictures; auto: the network predicts the type (default)')
    add('--boxes', metavar='FILE', help='boxes of the garments, in pixels: a COCO file, or a CSV with the columns '
        'image_id,x,y,w,h and, if you know the types, type; each box is a garment (default: one garment in each '
        'picture)')
    add('--box', choices=(AUTO_BOX,), help='auto: predict the garment in the whole picture, and then again in the box '
        'of its points')
    add('--every', type=at_least(1), default=1, metavar='N', help='use every N-th frame of a video (default: every '
        'frame)')
    add('--megapixels', type=float, default=MEGAPIXELS, help='maximum size of a picture in million pixels; larger '
        'pictures are not decoded (default: %(default)g)')
    add('--output', metavar='FILE', help='file to write; an interrupted run continues after its last row (default: '
        'standard output)')
    add('--overwrite', action='store_true', help='start again if the output exists')
    add('--format', choices=FORMATS, help='table: a table for people (default in a terminal, without --output). json: '
        'an object on each line for each picture (default for files and pipes). csv: the format of FashionAI, as '
        'run.py writes it. lengths: a table of lengths, for spreadsheets. coco: a COCO data set. coco-results: COCO '
        'keypoint results')
    add('--ids', metavar='JSON', help='a COCO ground truth: write COCO keypoint results with its ids. Images are '
        'found by file_name, categories by name (default: images are numbered in the order of the paths)')
    add('--mark-visibility', action='store_true', help='with --format csv, coco or coco-results: the third number of a '
        'point says whether it is visible, occluded or absent')
    add('--draw', metavar='FOLDER', help='draw the keypoints on copies of the pictures in that folder')
    add('--draw-heatmaps', action='store_true', help='with --draw: draw the heat maps too')
    add('--measure', action='store_true', help='add lengths of the garment in pixels; --draw then names doubtful '
        'lengths')
    add('--cm-per-pixel', type=float, metavar='CM', help='size of a pixel in cm: add lengths in cm')
    add('--reference', metavar='A=CM', help='a length in cm of each garment, such as chest=50, or two keypoints and '
        'their distance, such as waistband_left,waistband_right=38: add lengths in cm')
    add_grading_options(parser)
    add('--scale', metavar='OBJECT', help='an object of known size beside the garment: a4 (a sheet of paper), card (a '
        'bank card), marker:5cm (a printed marker with that side), or marker:5cm:7 (marker number 7). It gives the '
        'scale and corrects the tilt of the camera. Adds lengths in cm, as --measure does')
    add_inference_options(parser)
    args = parser.parse_args(argv)
    args.format = args.format or (TABLE if sys.stdout.isatty() and not args.output else JSON)
    args.measure = (args.measure or args.format == LENGTHS or args.cm_per_pixel is not None
                    or any((args.reference, args.scale, args.grades)))
    return args


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Predict each picture, write the predictions, and draw them."""
    args = parse(argv)
    scale_object = parse_scale(args.scale) if args.scale else None
    _check_flags(args)
    sources = sources_of([path for named in args.paths for path in (_listed() if named == '-' else [named])])
    tag = JOINT if args.tag == AUTO else args.tag
    networks = chosen_networks(args, tag, prefer='onnxruntime')
    garments = networks.garments
    if args.tag not in (AUTO, *garments):
        raise InputError(f'--tag {args.tag}: wanted {AUTO}, or one of {garments}')
    scale = _scale(args, list(garments.values()) if args.tag == AUTO else [garments[args.tag]])
    grader = chosen_grader(args, garments, scale, [source.path for source in sources])
    report = GradeReport(Path(args.report), grader.table, networks.name) if grader and args.report else None
    truth = _ground_truth(args, sources, garments)
    boxes = _boxes(args, sources, garments)
    if args.format in (COCO, COCO_RESULTS):
        _say_numbers(args, truth, garments)
    overlays = _overlays(args, sources) if args.draw else None
    form, manifest = FORMATS[_form(args)], _manifest(args, sources, networks)
    with ExitStack() as stack:
        stack.enter_context(exit_on_sigterm())
        if manifest:
            stack.enter_context(locked(manifest.output, 'predict.py'))
        done = Done()
        if manifest and not args.overwrite:
            done = done_so_far(manifest, form, _garment_counts(sources, boxes, form))
        pictures = pictures_of(sources, args.every, args.megapixels)
        to_do = ToDo(boxes.added(pictures) if boxes else pictures, done, form, overlays.pass_over if overlays else None)
        found: Iterable[PictureResult] = failures(to_do)
        if to_do.are_left:
            predictor = stack.enter_context(networks.load_predictor())
            _check_answers(args, predictor, networks, bool(boxes and boxes.all_typed))
            found = stack.enter_context(closing(predict_pictures(predictor, to_do, args.tag, args.batch,
                                                                 args.box == AUTO_BOX, scale_object)))
        elif done.rows:
            _say(f'{args.output} is already complete: nothing to do')
        file = stack.enter_context(_opened(args.output, manifest, done)) if args.output else sys.stdout
        writer = form(file, networks.name, scale, garments, bool(done.rows), args.mark_visibility)
        writer.grade_by(grader)
        stack.enter_context(writer)
        if report and grader and done.rows:
            report.add_rows(writer.measured_rows(), grader)
        if truth and isinstance(writer, CocoResults):
            writer.number_by(truth)
        progress = tqdm(found, total=expected(sources, args.every), initial=len(done.rows), unit='picture',
                        disable=file.isatty())
        failed = _write(progress, writer, overlays, Failures(manifest, done.failures), report)
    if report:
        report.write()
    if overlays and overlays.count:
        _say(f'drew {overlays.count} picture{"s" if overlays.count > 1 else ""} in {args.draw}')
    if failed:
        raise InputError(f'{failed} of {to_do.count} pictures could not be read or drawn, or have no scale '
                         '(listed above)')
    return 0


def _check_flags(args: argparse.Namespace) -> None:
    """Raises InputError for flags that do not fit together."""
    if args.draw_heatmaps and not args.draw:
        raise InputError('--draw-heatmaps draws into the folder of --draw: give that too')
    if args.mark_visibility and args.format in (JSON, LENGTHS, TABLE):
        raise InputError('--mark-visibility is for --format csv and coco: json says it of every point')
    if args.boxes and args.box:
        raise InputError('--boxes and --box both say where garments are: wanted one of them')
    if args.format == TABLE and args.output:
        raise InputError(f'--format {TABLE} is for people, and an output is for programs: wanted another format, or no '
                         '--output')


def _check_answers(args: argparse.Namespace, predictor: GarmentPredictor, networks: ChosenNetworks,
                   typed: bool) -> None:
    """Raises InputError if the networks do not tell what is asked of them; `typed` says that the boxes give all types.
    """
    if args.tag == AUTO and not predictor.types and not typed:
        raise InputError(f'{networks.models[0].path} does not predict garment types: give --tag')
    if args.mark_visibility and not predictor.tells_visibility:
        raise InputError(f'--mark-visibility: {networks.models[0].path} does not tell which points are visible; '
                         'code/calibrate.py --visibility-csv adds that to a network')


def _say_numbers(args: argparse.Namespace, truth: Optional[CocoIds], garments: Garments) -> None:
    """Prints what the numbers in COCO files stand for."""
    categories = truth.categories if truth else coco_category_ids(garments)
    _say('categories: ' + ', '.join(f'{number} {name}' for name, number in categories.items()))
    if not truth and args.format == COCO_RESULTS:
        _say('image ids number the pictures in the order of the paths: --ids JSON takes the ids of a ground truth')


def _write(found: Iterable[PictureResult], writer: Writer, overlays: Optional[Overlays], noted: Failures,
           report: Optional[GradeReport]) -> int:
    """Draw and write each; how many could not be read or drawn, or have no scale. A drawing comes before its rows, so
    that a picture with rows needs no second look."""
    looked, failed, unsure = 0, 0, []
    for result in found:
        fault = result.reason if isinstance(result, Failure) else '; '.join(
            filter(None, (_drawing_fault(result, overlays), _scale_fault(result))))
        if fault:
            failed += 1
            _say(fault)
            noted.note(result.picture if isinstance(result, Failure) else result[0].picture, fault)
        if report and isinstance(result, Failure):
            report.faults.append(fault)
        for outcome in () if isinstance(result, Failure) else result:
            looked += 1
            writer.write(outcome)
            check = writer.size_check(outcome) if report else None
            if report and check:
                report.add(outcome, check)
            if not outcome.prediction.type_sure:
                unsure.append(f'{outcome.picture.label}: {type_text(outcome.prediction)}')
    if unsure:
        _say(f'unsure of the type of {len(unsure)} of {looked} garments, such as {unsure[0]}')
    return failed


def _drawing_fault(outcomes: Sequence[Outcome], overlays: Optional[Overlays]) -> str:
    """Draw the garments of a picture; why they cannot be drawn, such as a picture too large for a JPEG."""
    try:
        if overlays and outcomes:
            first = outcomes[0]
            overlays.draw(first.picture.source.name, first.picture.frame, first.image,
                          [outcome.prediction for outcome in outcomes])
    except InputError as error:
        return str(error)
    return ''


def _scale_fault(outcomes: Sequence[Outcome]) -> str:
    """Returns why a picture has no scale; '' if it has one, or if no object was to give it."""
    plane = outcomes[0].prediction.plane if outcomes else None
    return f'{outcomes[0].picture.label}: {plane.fault}' if plane and plane.fault else ''


def _boxes(args: argparse.Namespace, sources: Sequence[MediaFile], garments: Garments) -> Optional[BoxFile]:
    """Returns the boxes of --boxes, or None without it. Raises InputError if boxes and pictures do not fit each other.
    """
    if not args.boxes:
        return None
    boxes = read_boxes(resolve(args.boxes), garments)
    boxes.check(sources, None if args.tag == AUTO else args.tag, 1 if args.format == 'csv' else None)
    without = [source.path for source in sources if not source.fault and not boxes.of(source.path)]
    if without:
        _say(f'{len(without)} pictures have no box in {args.boxes}, such as {without[0]}')
    return boxes


def _garment_counts(sources: Sequence[MediaFile], boxes: Optional[BoxFile], form: Type[Writer]) -> Dict[str, int]:
    """Returns the number of boxes of each picture by its name in the output; {} without --boxes."""
    pictures = boxes.added(map(Picture, sources)) if boxes else ()
    return {form.name_of(picture): len(picture.boxes or ()) for picture in pictures}


def _overlays(args: argparse.Namespace, sources: Sequence[MediaFile]) -> Overlays:
    return Overlays(Path(args.draw), [source.path for source in sources], args.draw_heatmaps, args.measure)


def _say(text: str) -> None:
    """Print a line on standard error, above the progress bar. A terminal shows a long one as several lines."""
    if sys.stderr.isatty():
        text = fill(text, shutil.get_terminal_size().columns - 1, subsequent_indent='    ', break_on_hyphens=False)
    tqdm.write(text, file=sys.stderr)


def _form(args: argparse.Namespace) -> str:
    """Returns the form that is written: with the ids of a ground truth, COCO results, which are scored against it."""
    return COCO_RESULTS if args.ids else args.format


def _listed() -> List[str]:
    """Returns the lines of standard input."""
    return [line.strip() for line in sys.stdin if line.strip()]


def _ground_truth(args: argparse.Namespace, sources: Sequence[MediaFile], garments: Garments) -> Optional[CocoIds]:
    """Returns the ids of --ids, or None without it. Raises InputError, with the picture, if a picture has no id."""
    if not args.ids:
        return None
    if args.format not in (COCO, COCO_RESULTS):
        raise InputError(f'--ids numbers images for --format {COCO_RESULTS}: {args.format} names them by their paths')
    truth = read_coco_ids(resolve(args.ids), garments)
    for source in sources:
        if source.is_video and not source.fault:
            raise InputError(f'{source.path}: the frames of a video have no ids in {args.ids}')
    truth.check([source.path for source in sources if not source.fault])
    return truth


def _manifest(args: argparse.Namespace, sources: Sequence[MediaFile],
              networks: ChosenNetworks) -> Optional[RunManifest]:
    """The manifest of --output; None if predictions go to standard output, a pipe or a device.

    Raises InputError if the output is one of the sources, for example because of a pattern after --output.
    """
    if not args.output or (Path(args.output).exists() and not Path(args.output).is_file()):
        return None
    output = prepare_output(args.output)
    if output in [Path(source.path).resolve() for source in sources]:
        raise InputError(f'--output {args.output} is one of the pictures: wanted another file')
    pictures = [os.path.abspath(source.path) for source in sources]
    return RunManifest(output, {
        'format': _form(args), 'type': args.tag, 'graph': networks.sums,
        'list of pictures': list_sum([*pictures, f'every {args.every}']), 'pixel limit': str(args.megapixels),
        'ids of images': file_sum(resolve(args.ids)) if args.ids else '',
        'boxes': file_sum(resolve(args.boxes)) if args.boxes else args.box or '',
        'setting': repr(networks.config), 'scores': repr((networks.calibrations, args.mark_visibility)),
        'measurement': repr((args.measure, args.cm_per_pixel, args.reference, *grading_sums(args),
                             *lengths_added(networks.garments),
                             *([args.scale] if args.scale else [])))})


def _opened(path: str, manifest: Optional[RunManifest], done: Done) -> ContextManager[TextIO]:
    return opened(manifest, done) if manifest else open(path, 'w', encoding='utf-8', newline='')


def _scale(args: argparse.Namespace, types: Sequence[Garment]) -> Optional[PixelScale]:
    """Returns how pixels of the types become centimetres; None if lengths are not wanted. Raises InputError for flags
    that do not fit together, and for types without known lengths."""
    if sum(map(bool, (args.cm_per_pixel is not None, args.reference, args.scale))) > 1:
        raise InputError('--cm-per-pixel, --reference and --scale all give the size of a pixel: wanted one of them')
    if not args.measure:
        return None
    if args.format not in (JSON, LENGTHS, TABLE):
        raise InputError(f'--measure, --grades and flags of a scale add lengths to --format {JSON}, {LENGTHS} and '
                         f'{TABLE}: {args.format} has no place for them')
    if not any(map(lengths_of, types)):
        names = ', '.join(garment.name for garment in types)
        raise InputError(f'--measure: no lengths are known of {names}: wanted lengths in the table of --garments')
    if args.scale:
        return plane_scale
    return chosen_scale(args.cm_per_pixel, args.reference, types)

