"""Runs a list of jobs one after the other. Each job makes one row of the table."""
import logging
from pathlib import Path
from typing import Callable, Dict, List, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.experiments.recipes import networks_of
from fashionai.experiments.runner import StepFailed, Workshop
from fashionai.experiments.settings import SETTINGS, Budget, Setting
from fashionai.experiments.table import Row, errors_of, write_rows

logger = logging.getLogger(__name__)

Job = Tuple[Setting, int]
"""A setting and a seed."""

Rows = Dict[Tuple[str, int], Row]

CostOf = Callable[[Path, int], Tuple[int, float]]
"""Takes a frozen graph and a square size in pixels; returns the network's parameters and its GFLOPs for one image."""

_LARGE = 368
"""The usual input size of the original's network, in pixels."""


def command(setting: str, seed: int, budget: Budget) -> str:
    """Returns the command that makes a row again, in a new table, from the data in the folder SAMPLE."""
    start = 'python code/experiments.py --datapath SAMPLE --work tmp/again --output tmp/again.csv'
    return ' '.join([start, '--only', setting, '--seeds', str(seed), *budget.changes()])


def check_budget(rows: Rows, budget: Budget, source: Path) -> None:
    """Raises InputError if a row was made at another budget, or with other flags than its setting has now."""
    for key, row in rows.items():
        if row.setting in SETTINGS and row.flags != SETTINGS[row.setting].flags:
            raise InputError(f'{source}: the row of {row.setting} was made with the flags `{row.flags}`, but now '
                             f'they are `{SETTINGS[row.setting].flags}`: remove the row')
        if row.command != command(*key, budget):
            raise InputError(f'{source} has rows of another budget, such as that of `{row.command}`: give another file '
                             'as --output, or the same budget')


def run_all(jobs: Sequence[Job], workshop: Workshop, budget: Budget, rows: Rows, output: Path, cost_of: CostOf,
            stack: str) -> List[str]:
    """Adds a row for each job to the existing rows, and writes all of them. Returns the names of the failed jobs."""
    rows, failed = dict(rows), []
    for number, (setting, seed) in enumerate(jobs, 1):
        logger.info('%d/%d  %s, seed %d', number, len(jobs), setting.name, seed)
        try:
            row = measure(setting, seed, workshop, budget, cost_of, stack)
        except StepFailed as error:
            logger.error('  failed: %s', error)
            failed.append(f'{setting.name}/{seed}')
            continue
        rows[row.key] = row
        order = {name: place for place, name in enumerate(SETTINGS)}
        write_rows(output, sorted(rows.values(), key=lambda one: (order.get(one.setting, len(order)), one.seed)))
        logger.info('  NE %.2f %% visible, %.2f %% leaderboard', row.ne_visible, row.ne_leaderboard)
    return failed


def measure(setting: Setting, seed: int, workshop: Workshop, budget: Budget, cost_of: CostOf, stack: str) -> Row:
    """Returns the row of a setting. Makes its products if they do not exist yet. Raises StepFailed if one fails."""
    visible, leaderboard = errors_of(workshop.product('ne', setting.name, seed))
    networks = networks_of(setting, seed)
    graphs = [workshop.product('graph', *network) for network in networks]
    large, small = ([cost_of(graph, size) for graph in graphs] for size in (_LARGE, budget.size))
    speed = workshop.training_speed(*networks[0]) if len(networks) == 1 else None
    return Row(setting.name, setting.group, setting.flags, seed, sum(parameters for parameters, _ in small),
               round(sum(gflops for _, gflops in large), 3), round(sum(gflops for _, gflops in small), 3), speed,
               visible, leaderboard, stack, command(setting.name, seed, budget))
