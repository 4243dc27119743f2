"""Measure a submission against labels: the normalised error in both conventions, by type and by keypoint."""
import argparse
import json
import sys
from pathlib import Path
from typing import Optional, Sequence

from fashionai.annotations import read_annotations
from fashionai.cli import guarded, resolve
from fashionai.metrics import format_scores, score


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The command line's settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--truth', required=True, help='CSV of labels; every image in it is measured')
    parser.add_argument('--submission', required=True, help='CSV of predictions, of the same form')
    parser.add_argument('--json', metavar='OUT', help='also write the figures to this file')
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Read both files, print the table and write the JSON file asked for."""
    args = parse(argv)
    scores = score(read_annotations(resolve(args.truth)), read_annotations(resolve(args.submission)))
    print(format_scores(scores))
    if args.json:
        Path(args.json).write_text(json.dumps(scores.to_json(), indent=2) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
