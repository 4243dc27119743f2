"""Measure a submission against labels: the normalised error in both conventions, by type, keypoint and image."""
import argparse
import json
import sys
from pathlib import Path
from typing import Optional, Sequence

from fashionai.annotations import read_annotations
from fashionai.cli import add_garments_option, chosen_garments, guarded, resolve
from fashionai.error_files import write_image_errors
from fashionai.metrics import format_scores, score


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The command line's settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--truth', required=True, help='CSV of labels; every image in it is measured')
    parser.add_argument('--submission', required=True, help='CSV of predictions, of the same form')
    parser.add_argument('--json', metavar='OUT', help='also write the figures to this file, for --keypoint-weights')
    parser.add_argument('--errors', metavar='OUT', help='also write the error of each image to this CSV file, the '
                                                        'worst first, for --sampling')
    add_garments_option(parser)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Read both files, print the table and write the JSON file asked for."""
    args = parse(argv)
    garments = chosen_garments(args)
    truth = read_annotations(resolve(args.truth), garments)
    scores = score(truth, read_annotations(resolve(args.submission), garments))
    print(format_scores(scores))
    if args.json:
        Path(args.json).write_text(json.dumps(scores.to_json(), indent=2) + '\n', encoding='utf-8')
    if args.errors:
        write_image_errors(args.errors, truth, scores.images)
    return 0


if __name__ == '__main__':
    sys.exit(main())
