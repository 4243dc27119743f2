"""Runs a list of jobs one after the other. Each job makes one row of the table."""
import logging
from pathlib import Path
from typing import Callable, List, Mapping, Sequence, Tuple

from fashionai.annotations import Annotations, read_annotations
from fashionai.errors import InputError
from fashionai.evaluation.metrics import Breakdown, Scores, score
from fashionai.experiments.image_errors import Key
from fashionai.experiments.recipes import networks_of
from fashionai.experiments.runner import StepFailed, Workshop
from fashionai.experiments.settings import SETTINGS, Budget, Setting
from fashionai.experiments.table import Row, Table
from fashionai.model_files.contract import file_sum
from fashionai.model_files.default_model import supplied_graph

logger = logging.getLogger(__name__)

Job = Tuple[Setting, int]
"""A setting and a seed."""

CostOf = Callable[[Path], Tuple[int, float, float]]
"""Takes a frozen graph; returns the network's parameters and its GFLOPs for one image: at 368x368 pixels, the usual
size of the original, and at the size that it was trained at."""


def jobs_of(settings: Sequence[Setting], seeds: Sequence[int], rows: Mapping[Key, Row]) -> List[Job]:
    """Returns the settings that have no row yet, each at these seeds, or at its own seeds without any or if nothing is
    trained for it."""
    return [(setting, seed) for setting in settings
            for seed in (() if setting.network else seeds) or setting.seeds if (setting.name, seed) not in rows]


def network_of(setting: Setting) -> str:
    """Returns which network of the project a setting uses, by name and sum; '' if it uses trained ones."""
    return f'{setting.network} {file_sum(supplied_graph(setting.network))[:8]}' if setting.network else ''


def command(setting: str, seed: int, budget: Budget) -> str:
    """Returns the command that makes a row again, in a new table, from the data in the folder SAMPLE."""
    start = 'python code/experiments.py --datapath SAMPLE --work tmp/again --output tmp/again.csv'
    return ' '.join([start, '--only', setting, '--seeds', str(seed), *budget.changed_flags])


def check_budget(rows: Mapping[Key, Row], budget: Budget, source: Path) -> None:
    """Raises InputError if a row was made at another budget, or with other flags or another network of the project
    than its setting has now."""
    for key, row in rows.items():
        if row.setting in SETTINGS:
            setting = SETTINGS[row.setting]
            for what, then, now in (('flags', row.flags, setting.flags), ('network', row.network, network_of(setting))):
                if then != now:
                    raise InputError(f'{source}: the row of {row.setting} was made with the {what} `{then}`, but now '
                                     f'it has `{now}`: remove the row')
        if row.command != command(*key, Budget() if row.network else budget):
            raise InputError(f'{source} has rows of another budget, such as that of `{row.command}`: give another file '
                             'as --output, or the same budget')


def run_all(jobs: Sequence[Job], workshop: Workshop, budget: Budget, table: Table, truth: Annotations,
            cost_of: CostOf, stack: str) -> List[str]:
    """Adds a row for each job to the table. `truth` is val.csv. Returns the names of the failed jobs."""
    failed = []
    for number, (setting, seed) in enumerate(jobs, 1):
        logger.info('%d/%d  %s, seed %d', number, len(jobs), setting.name, seed)
        try:
            scores = score(truth, read_annotations(workshop.product('submission', setting.name, seed)))
            row = row_of(setting, seed, scores, workshop, budget, cost_of, stack)
        except StepFailed as error:
            logger.error('  failed: %s', error)
            failed.append(f'{setting.name}/{seed}')
            continue
        table.add(row, scores.images)
        logger.info('  NE %.2f %% visible, %.2f %% leaderboard', row.ne_visible, row.ne_leaderboard)
    return failed


def row_of(setting: Setting, seed: int, scores: Scores, workshop: Workshop, budget: Budget, cost_of: CostOf,
           stack: str) -> Row:
    """Returns the row of a setting from the errors of its keypoints. Raises StepFailed if a graph cannot be made."""
    networks = networks_of(setting, seed)
    graphs = ([supplied_graph(setting.network)] if setting.network else
              [workshop.product('graph', *network) for network in networks])
    parameters, gflops_368, gflops = map(sum, zip(*map(cost_of, graphs)))
    speed = workshop.training_speed(*networks[0]) if len(networks) == 1 else None
    return Row(setting.name, setting.group, setting.flags, network_of(setting), seed, parameters, round(gflops_368, 3),
               round(gflops, 3), speed, _rounded_ne(scores.visible), _rounded_ne(scores.leaderboard), stack,
               command(setting.name, seed, Budget() if setting.network else budget))


def _rounded_ne(errors: Breakdown) -> float:
    """Returns the error in percent; the table has made sure that there are points."""
    return round(100 * errors.pooled.total / errors.pooled.points, 2)
