"""Train, test and compare a list of settings at one budget: one row each, written as soon as it is known."""
import argparse
import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

from fashionai.cli import PROJECT_ROOT, at_least, guarded, in_project, prepare_output, resolve
from fashionai.errors import InputError
from fashionai.experiments.campaign import Job, check_budget, run_all
from fashionai.experiments.plot import draw
from fashionai.experiments.report import markdown, results, write_table
from fashionai.experiments.runner import Workshop
from fashionai.experiments.settings import SETTINGS, Budget, chosen
from fashionai.experiments.table import read_rows
from fashionai.files import locked
from fashionai.stack import graph_mode


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--only', type=comma_list, default=[], metavar='A,B', help='settings or groups; default: all')
    add('--seeds', type=seed_list, default=[], metavar='1,2', help="default: the settings' own")
    add('--list', action='store_true', help='print the settings, and run nothing')
    add('--report', action='store_true', help='write the table (.md) and the plot (.png) beside --output; run nothing')
    add('--datapath', default='data', help='folder with train/train.csv, train/val.csv and their images')
    add('--work', default=in_project('tmp/experiments'), help='folder for checkpoints, graphs and logs')
    add('--output', default=in_project('docs/experiments.csv'), help='the rows; those it has are not made again')
    for item in fields(Budget):
        kind: Any = at_least(0) if isinstance(item.default, int) else str
        add(f'--{item.name.replace("_", "-")}', type=kind, default=item.default, help=item.metadata['help'])
    return parser.parse_args(argv)


def comma_list(text: str) -> List[str]:
    """The parts of `a,b`."""
    return [part.strip() for part in text.split(',') if part.strip()]


def seed_list(text: str) -> List[int]:
    """The numbers of `1,2`."""
    return [at_least(0)(part) for part in comma_list(text)]


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the settings that have no row yet."""
    options = parse(argv)
    settings = chosen(SETTINGS, options.only)
    if options.list:
        print('\n'.join(f'{one.group:12}{one.name:26}{one.flags}' for one in settings))
        return 0
    budget = Budget(**{item.name: getattr(options, item.name) for item in fields(Budget)})
    output = prepare_output(options.output)
    if options.report:
        return report(output)
    data = resolve(options.datapath)
    for table in ('train.csv', 'val.csv'):
        resolve(data / 'train' / table)
    rows = read_rows(output)
    check_budget(rows, budget, output)
    jobs: List[Job] = [(one, seed) for one in settings for seed in options.seeds or one.seeds
                       if (one.name, seed) not in rows]
    if not jobs:
        print(f'{output} has every row')
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):  # also in the background: the step under way may save what it did
        signal.signal(number, signal.default_int_handler)
    graph_mode()
    import tensorflow.compat.v1 as tf

    from fashionai.networks.cost import graph_cost

    def cost_of(graph: Path, size: int) -> Tuple[int, float]:
        cost = graph_cost(graph, (size, size))
        return cost.parameters, cost.flop / 1e9

    with locked(output, 'experiments.py'):
        failed = run_all(jobs, Workshop(SETTINGS, budget, data, prepare_output(options.work), PROJECT_ROOT), budget,
                         rows, output, cost_of, tf.VERSION)
    if failed:
        raise InputError(f'{len(failed)} of {len(jobs)} failed, as said above: {", ".join(failed)}')
    return 0


def report(output: Path) -> int:
    """Write what the rows say beside them."""
    found = results(read_rows(output).values(), SETTINGS)
    if not found:
        raise InputError(f'{output} has no row of a setting: run some first')
    write_table(output.with_suffix('.md'), markdown(found))
    draw(found, output.with_suffix('.png'))
    print(f'wrote {output.with_suffix(".md")} and {output.with_suffix(".png")}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
