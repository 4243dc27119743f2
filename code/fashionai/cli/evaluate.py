"""Measure a submission against labels: the normalised error in both conventions, by type, keypoint and image."""
import argparse
import logging
from pathlib import Path
from typing import Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import Annotations, read_annotations, read_test_list
from fashionai.cli.entry_point import (
    add_garments_option,
    add_outside_option,
    chosen_garments,
    guarded,
    prepare_output,
    resolve,
)
from fashionai.errors import InputError
from fashionai.evaluation.error_files import write_image_errors
from fashionai.evaluation.metrics import check_measured, format_scores, match_rows, score, warn_of_unmeasured
from fashionai.evaluation.oks import coco_scores, format_coco_scores, read_sigmas, sigmas_of
from fashionai.files import write_json
from fashionai.garments.table import JOINT, Garments

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The command line's settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--truth', required=True, help='CSV of labels; every image in it is measured')
    parser.add_argument('--submission', required=True, help='CSV of predictions, of the same form, or JSON that '
                                                            'predict.py --format coco wrote')
    parser.add_argument('--coco', action='store_true', help='also print OKS-AP and the end-point error in pixels')
    parser.add_argument('--sigmas', metavar='JSON', help='sigmas by keypoint for --coco (default: those of '
                                                         'docs/looking.md)')
    parser.add_argument('--json', metavar='OUT', help='also write the figures to this file, for --keypoint-weights')
    parser.add_argument('--errors', metavar='OUT', help='also write the error of each image to this CSV file, the '
                                                        'worst first, for --sampling')
    parser.add_argument('--report', metavar='OUT', help='also write a page of tables, plots and the worst images to '
                                                        'this HTML file; needs matplotlib')
    parser.add_argument('--imagepath', help='folder the image ids start from, for the pictures of --report')
    parser.add_argument('--against', metavar='CSV', help='another submission, which --report compares with')
    add_outside_option(parser)
    add_garments_option(parser)
    parser.add_argument('--tag', default=JOINT, help='garment type to measure; other rows are skipped (default: all)')
    options = parser.parse_args(argv)
    if options.sigmas and not options.coco:
        raise InputError('--sigmas is for --coco, which is not asked for')
    for flag in ('imagepath', 'against'):
        if getattr(options, flag) and not options.report:
            raise InputError(f'--{flag} is for the page of --report, which is not asked for')
    return options


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Read both files, print the table and write the files asked for."""
    args = parse(argv)
    garments = chosen_garments(args)
    truth = _read(args.truth, args.tag, garments)
    warn_of_unmeasured(truth)
    _warn_of_trained(truth)
    submission, sure = _predictions(args.submission, args.tag, truth)
    scores = score(truth, submission)
    check_measured(scores, truth)
    print(format_scores(scores))
    figures = scores.to_json()
    if args.coco:
        sigmas = sigmas_of(garments, read_sigmas(resolve(args.sigmas), garments) if args.sigmas else {})
        coco = coco_scores(truth, match_rows(truth, submission), sure, sigmas)
        print(f'\n{format_coco_scores(coco)}')
        figures['coco'] = coco.to_json()
    if args.json:
        write_json(args.json, figures, indent=2)
    if args.errors:
        write_image_errors(prepare_output(args.errors), truth, scores.images)
    if args.report:
        write_page(args, truth)
    return 0


def _read(path: str, tag: str, garments: Garments) -> Annotations:
    """Returns the rows of one type, or of all. Raises InputError if the file has no such row."""
    rows = read_annotations(resolve(path), garments).of_type(tag)
    if not len(rows):
        raise InputError(f'{path} has no row of type {tag}')
    return rows


def _predictions(path: str, tag: str, truth: Annotations) -> Tuple[Annotations, Optional[np.ndarray]]:
    """Returns the rows of a submission, and the scores of the images of the truth if it has any."""
    if not path.lower().endswith('.json'):
        return _read(path, tag, truth.garments), None
    from fashionai.datasets.coco_predictions import read_coco_predictions  # loads OpenCV, which CSV files do not need
    submission, scores = read_coco_predictions(resolve(path), truth)
    if scores is None:
        return submission, None
    by_id = dict(zip(submission.image_ids, scores.tolist()))
    return submission, np.array([by_id.get(image_id, 0) for image_id in truth.image_ids])


def _warn_of_trained(truth: Annotations) -> None:
    """Log how many of the images are also in the train.csv beside the labels, if there is one."""
    beside = Path(truth.source).with_name('train.csv')
    if beside.is_file() and not beside.samefile(truth.source):
        try:
            trained = set(read_test_list(beside, truth.garments).image_ids)
        except InputError:
            return  # a file of another kind
        both = [index for index, image_id in enumerate(truth.image_ids) if image_id in trained]
        if both:
            logger.warning('%d of %d images are also in %s, such as %s: their error is not that of new images',
                           len(both), len(truth), beside, truth.place(both[0]))


def write_page(args: argparse.Namespace, truth: Annotations) -> None:
    """Write the page of --report; what draws is loaded for it alone."""
    from fashionai.evaluation.report.page import write_report
    from fashionai.evaluation.report.scored_submission import score_submission
    first, *second = [score_submission(truth, _read(path, args.tag, truth.garments))
                      for path in (args.submission, args.against) if path]
    if args.imagepath:
        truth.check_inside(args.allow_outside)
    output = prepare_output(args.report)
    write_report(output, first, resolve(args.imagepath) if args.imagepath else None, second[0] if second else None)
    print(f'wrote {output}')

