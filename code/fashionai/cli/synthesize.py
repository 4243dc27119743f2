"""Draw a set of generated garments, with exact labels, in the layout of the FashionAI data."""
import argparse
import os
from typing import List, Optional

from fashionai.cli.entry_point import HelpWithDefaults, guarded, in_project, prepare_output
from fashionai.option_group import at_least
from fashionai.synthetic.dataset import write_dataset
from fashionai.synthetic.render import DEFAULT_SIZE

LEAST_SIZE, MOST_SIZE = 64, 8192


def parse(argv: Optional[List[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpWithDefaults)
    parser.add_argument('--output', default=in_project('data/synthetic'), help='folder to make')
    parser.add_argument('--train', type=at_least(0), default=1000, help='number of training pictures, over all five '
        'types')
    parser.add_argument('--val', type=at_least(0), default=100, help='number of validation pictures')
    parser.add_argument('--test', type=at_least(0), default=100, help='number of test pictures')
    parser.add_argument('--seed', type=at_least(0), default=0, help='seed; the same seed gives the same pictures')
    parser.add_argument('--size', type=at_least(LEAST_SIZE, MOST_SIZE), default=DEFAULT_SIZE,
                        help='longer side of a picture in pixels')
    parser.add_argument('--workers', type=at_least(1, 1024), default=os.cpu_count() or 1, help='number of processes '
        'that draw')
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[List[str]] = None) -> int:
    """Draw what the command line asks for."""
    args = parse(argv)
    write_dataset(prepare_output(args.output), (args.train, args.val, args.test), args.seed, args.size, args.workers)
    return 0

