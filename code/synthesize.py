"""Draw a set of generated garments, with exact labels, in the layout of the FashionAI data."""
import argparse
import os
import sys
from typing import List, Optional

from fashionai.cli import guarded, resolve_output
from fashionai.synthetic.dataset import write_dataset
from fashionai.synthetic.render import DEFAULT_SIZE

LEAST_SIZE = 64


def parse(argv: Optional[List[str]]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--output', default='data/synthetic', help="new folder, from the project's root")
    parser.add_argument('--train', type=int, default=1000, help='training pictures, over all five types')
    parser.add_argument('--val', type=int, default=100, help='validation pictures')
    parser.add_argument('--test', type=int, default=100, help='test pictures')
    parser.add_argument('--seed', type=int, default=0, help='the same seed gives the same pictures')
    parser.add_argument('--size', type=int, default=DEFAULT_SIZE, help='longer side of the pictures in pixels')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes that draw')
    return parser.parse_args(argv)


def main(argv: Optional[List[str]] = None) -> int:
    """Check the command line and draw."""
    args = parse(argv)
    counts = (args.train, args.val, args.test)
    if min(counts) < 0 or args.seed < 0:
        raise ValueError(f'--train, --val, --test and --seed are {counts + (args.seed,)}: wanted none below 0')
    if args.size < LEAST_SIZE or args.workers < 1:
        raise ValueError(f'--size is {args.size}, --workers {args.workers}: wanted at least {LEAST_SIZE} and 1')
    write_dataset(resolve_output(args.output), counts, args.seed, args.size, args.workers)
    return 0


if __name__ == '__main__':
    sys.exit(guarded(main))
