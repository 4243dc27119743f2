"""Find the keypoints of every image of a list with frozen graphs; write them as a submission, and score them."""
import argparse
import logging
from typing import Optional, Sequence

from fashionai.annotations import read_annotations, read_test_list
from fashionai.cli.entry_point import add_outside_option, guarded, in_project, prepare_output, resolve
from fashionai.cli.inference_flags import add_inference_options, chosen_networks
from fashionai.errors import InputError
from fashionai.evaluation.metrics import check_measured, format_scores, score, warn_of_unmeasured
from fashionai.results.run_manifest import RunManifest, list_sum
from fashionai.results.submission import write_submission
from fashionai.signals import exit_on_sigterm

_PLACES = {'submit': ('data/test_b', 'test.csv'), 'validate': ('data/train', 'val.csv')}

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags: those of the original, and more."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--tag', required=True, help='garment type; rows of other types are left out. all: every row, type by type')
    add('--test', default='submit', choices=list(_PLACES), help='submit: write the rows. validate: the list has '
        'labels; print the error too')
    add('--imagepath', help='folder that image ids start from (default: data/test_b; for validate: data/train)')
    add('--csv', help='list of images (default: test.csv in --imagepath; for validate: val.csv)')
    add('--output', help='CSV file to write (default: submit/submit_<tag>.csv; for validate: '
        'submit/validate_<tag>.csv)')
    add_outside_option(parser)
    add('--overwrite', action='store_true', help='start again if the output exists')
    add_inference_options(parser)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Find the keypoints, write them, and with --test validate measure them."""
    args = parse(argv)
    usual_folder, usual_list = _PLACES[args.test]
    folder = resolve(args.imagepath or usual_folder)
    list_file = resolve(args.csv or folder / usual_list)
    networks = chosen_networks(args, args.tag)
    garments = networks.garments
    images = read_test_list(list_file, garments).of_type(args.tag)
    truth = read_annotations(list_file, garments).of_type(args.tag) if args.test == 'validate' else None
    if not len(images):
        raise InputError(f'{list_file} has no row of type {args.tag}')
    images.check_inside(args.allow_outside)
    output = prepare_output(args.output or in_project(f'submit/{args.test}_{args.tag}.csv'))
    manifest = RunManifest(output, {'type': args.tag, 'graph': networks.sums, 'list': list_sum(images.image_ids),
                                    'image folder': str(folder), 'setting': repr(networks.config)})
    with exit_on_sigterm():
        failures = write_submission(manifest, args.overwrite, images, folder, args.batch, networks.open_predictors)
    if truth:
        warn_of_unmeasured(truth)
        scores = score(truth, read_annotations(output, garments))
        check_measured(scores, truth)
        print(format_scores(scores))
    for image_id, error in failures.items():
        logger.error('%s: %s', image_id, error)
    if failures:
        raise InputError(f'{len(failures)} of {len(images)} images could not be read (listed above); their rows in '
                         f'{output} hold points that were not found. Repair the images and run again with --overwrite')
    return 0
