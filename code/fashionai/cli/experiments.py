"""Train, test and compare a list of settings at one budget: one row each, written as soon as it is known."""
import argparse
import logging
import signal
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from fashionai.annotations import read_annotations
from fashionai.cli import train
from fashionai.cli.entry_point import PROJECT_ROOT, HelpWithDefaults, guarded, in_project, prepare_output, resolve
from fashionai.cli.initial_weights import starting_weights
from fashionai.errors import InputError
from fashionai.experiments.campaign import Job, check_budget, jobs_of, run_all
from fashionai.experiments.plot import draw
from fashionai.experiments.recipes import filled, trainings
from fashionai.experiments.report import markdown, results, write_table
from fashionai.experiments.runner import Workshop
from fashionai.experiments.settings import SETTINGS, Budget, chosen
from fashionai.experiments.table import Table
from fashionai.files import locked
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.head_options import HeadOptions
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode
from fashionai.training.options import ExecutionOptions

logger = logging.getLogger(__name__)

_LARGE_HW = (368, 368)
"""The usual input size of the original's network, in pixels."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpWithDefaults)
    add = parser.add_argument
    add('--only', type=comma_list, default=[], metavar='A,B', help='settings or groups to run; default: all')
    add('--seeds', type=seed_list, default=[], metavar='1,2', help='seeds of trainings; default: those of each setting')
    add('--list', action='store_true', help='print the settings, and run nothing')
    add('--report', action='store_true', help='write the table (.md) and the plot (.png) beside --output; run nothing')
    add('--datapath', default='data', help='folder with train/train.csv, train/val.csv and their images')
    add('--work', default=in_project('tmp/experiments'), help='folder for checkpoints, graphs and logs')
    add('--output', default=in_project('tmp/experiments.csv'), help='file of the rows; rows that it has are not made '
        'again. Beside it, OUTPUT-images.csv has their errors of each image')
    ExecutionOptions.add_flags(parser, only=('precision',))
    Budget.add_flags(parser)
    return parser.parse_args(argv)


def comma_list(text: str) -> List[str]:
    """Returns the parts of `a,b`."""
    return [part.strip() for part in text.split(',') if part.strip()]


def seed_list(text: str) -> List[int]:
    """Returns the numbers of `1,2`."""
    return [at_least(0)(part) for part in comma_list(text)]


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the settings that have no row yet."""
    options = parse(argv)
    settings = chosen(SETTINGS, options.only)
    if options.list:
        print('\n'.join(f'{one.group:12}{one.name:28}{one.flags}' for one in settings))
        return 0
    budget = Budget.of(vars(options))
    output = prepare_output(options.output)
    if options.report:
        return report(output)
    data = resolve(options.datapath)
    resolve(data / 'train/train.csv')
    truth = read_annotations(resolve(data / 'train/val.csv'))
    table = Table.open(output, truth)
    check_budget(table.rows, budget, output)
    jobs = jobs_of(settings, options.seeds, table.rows)
    if not jobs:
        print(f'{output} has every row')
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):  # also in the background: the step under way may save what it did
        signal.signal(number, signal.default_int_handler)
    graph_mode()
    import tensorflow.compat.v1 as tf

    from fashionai.model_files.cost import graph_cost

    def cost_of(graph: Path) -> Tuple[int, float, float]:
        large, own = (graph_cost(graph, size) for size in (_LARGE_HW, ModelFile.open(graph).trained_hw))
        return own.parameters, large.flop / 1e9, own.flop / 1e9

    workshop = Workshop(SETTINGS, budget, data, prepare_output(options.work), PROJECT_ROOT,
                        ('--precision', ExecutionOptions.of(vars(options)).precision))
    lacking = without_weights(jobs, workshop, budget)
    for reason, names in lacking.items():
        logger.error('%s. Left out, since they start from it: %s', reason, ', '.join(names))
    left_out = {name for names in lacking.values() for name in names}
    with locked(output, 'experiments.py'):
        failed = sorted(left_out) + run_all([job for job in jobs if job_name(job) not in left_out], workshop, budget,
                                            table, truth, cost_of, tf.VERSION)
    if failed:
        raise InputError(f'{len(failed)} of {len(jobs)} failed, as said above: {", ".join(failed)}')
    return 0


def job_name(job: Job) -> str:
    """Returns the name of a job for messages."""
    return f'{job[0].name}/{job[1]}'


def without_weights(jobs: Sequence[Job], workshop: Workshop, budget: Budget) -> Dict[str, List[str]]:
    """Returns the jobs that need a training without its initial weights, by what is missing."""
    from fashionai.networks.catalog import network_spec
    found: Dict[str, List[str]] = {}
    made_first = str(PROJECT_ROOT)  # a path that is there, in place of what other trainings leave
    for job in jobs:
        for (name, seed), command in trainings(SETTINGS, *job, budget, '').items():
            if workshop.is_trained(name, seed):
                continue
            options = train.parse([filled(text, seed, made_first, lambda *key: made_first) for text in command[1:]])
            reason = '' if options.checkpoint else _missing(
                options, network_spec(options.model, HeadOptions.of(vars(options))).pretrained)
            if reason and job_name(job) not in found.setdefault(reason, []):
                found[reason].append(job_name(job))
    return found


def _missing(options: argparse.Namespace, usual_weights: str) -> str:
    """Returns what is missing of the initial weights of a training, or ''."""
    try:
        path = starting_weights(options, usual_weights)
    except InputError as error:
        return str(error)
    return f'no weights at {path}: models/README.md says where to get them' if path and not path.exists() else ''


def report(output: Path) -> int:
    """Write the table and the plot of the rows beside them."""
    table = Table.read(output)
    found = results(table.rows.values(), table.images, SETTINGS)
    if not found:
        raise InputError(f'{output} has no row of a setting: run some first')
    write_table(output.with_suffix('.md'), markdown(found))
    draw(found, output.with_suffix('.png'))
    print(f'wrote {output.with_suffix(".md")} and {output.with_suffix(".png")}')
    return 0

