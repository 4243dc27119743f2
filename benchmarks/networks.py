"""Prints what each network costs: its parameters, and its operations for one image. These are counted, not measured."""
import argparse
import sys
from typing import Optional, Sequence

import timing  # noqa: F401 (finds the package)

from fashionai.cli.entry_point import guarded
from fashionai.garments.table import GARMENTS, JOINT
from fashionai.model_files.cost import network_cost
from fashionai.networks.catalog import NETWORKS
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Prints a table in Markdown, with one line for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--tag', default=JOINT, help='garment type, or all')
    parser.add_argument('--size', type=at_least(32), default=368, help='width and height of the input in pixels')
    parser.add_argument('--model', nargs='+', default=list(NETWORKS), choices=list(NETWORKS), metavar='NETWORK',
                        help='the networks; default: all')
    options = parser.parse_args(argv)
    garment, size = GARMENTS.of(options.tag), options.size
    graph_mode()
    print(f'| network | stages | parameters, M | GFLOP, {size}x{size} |', '|---|---:|---:|---:|', sep='\n')
    for name in options.model:
        cost = network_cost(name, garment, (size, size))
        print(f'| `{name}` | {NETWORKS[name].head.stages} | {cost.parameters / 1e6:.1f} | {cost.flop / 1e9:.1f} |')
    return 0


if __name__ == '__main__':
    sys.exit(main())
