"""Summarises the rows: the difference of each setting from the setting that it is compared with, and a table."""
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import stdev
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.evaluation.report.resampling import LEVEL, Estimate
from fashionai.experiments.image_errors import ImageErrors
from fashionai.experiments.recipes import networks_of
from fashionai.experiments.settings import BASELINE, Setting
from fashionai.experiments.table import Row
from fashionai.files import write_text

BEGIN, END = '<!-- table of experiments -->', '<!-- end of table -->'
"""The table is between these lines of the document."""

BETTER, WORSE, UNDECIDED = 'better', 'worse', 'undecided'
"""What a difference says."""

_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""The 97.5 % quantiles of Student's distribution, from 1 degree of freedom on."""


@dataclass(frozen=True)
class Result:
    """The result of a setting, and how it differs from the setting `against`.

    rows: one row per seed. capped: the capped NE of each row, in percent. gross: the images with a larger error than
    CAP, the mean over the rows. others: the rows of the setting that it is compared with; () if there are none.
    difference, capped_difference: its NE `visible`, or capped NE, minus theirs, means over seeds, in percentage points,
    with the interval over resampled images. seed_limit: the capped difference that another seed alone causes in 5 % of
    the trainings; 0 if no training is between the two settings; None if it is unknown, since the setting
    `repeated` has fewer than two rows.
    """

    setting: Setting
    rows: Tuple[Row, ...]
    capped: Tuple[float, ...]
    gross: float
    others: Tuple[Row, ...] = ()
    difference: Optional[Estimate] = None
    capped_difference: Optional[Estimate] = None
    seed_limit: Optional[float] = None

    @property
    def verdict(self) -> str:
        """BETTER or WORSE by the capped NE; UNDECIDED if the interval has 0 in it, or if another seed may cause the
        difference; '' without comparison."""
        change = self.capped_difference
        if change is None or change.value is None:
            return ''
        if self.seed_limit is None or abs(change.value) <= self.seed_limit:
            return UNDECIDED
        return {-1: BETTER, 0: UNDECIDED, 1: WORSE}[change.sign]

    @property
    def visible(self) -> Sequence[float]:
        """The NE `visible` of each row, in percent."""
        return [row.ne_visible for row in self.rows]


def results(rows: Iterable[Row], images: ImageErrors, settings: Mapping[str, Setting]) -> Dict[str, Result]:
    """Returns the result of each setting that has rows, in the order of the table. Skips rows of unknown settings.

    A setting is compared with the mean over all seeds of the other setting. If it uses networks of the other setting,
    or continues their training, it is compared with these only.
    """
    by_setting: Dict[str, List[Row]] = {}
    for row in rows:
        by_setting.setdefault(row.setting, []).append(row)
    capped, found = images.capped(), {}
    for name, setting in settings.items():
        if name not in by_setting:
            continue
        own = tuple(sorted(by_setting[name], key=lambda row: row.seed))
        keys, others = [row.key for row in own], _compared_with(setting, own, by_setting)
        result = Result(setting, own, tuple(map(capped.error, keys)), _mean([images.gross(key) for key in keys]))
        if others:
            theirs = [row.key for row in others]
            repeats = [capped.error(row.key) for row in by_setting.get(repeated(setting, settings).name, [])]
            result = replace(result, others=others, difference=images.difference(keys, theirs),
                             capped_difference=capped.difference(keys, theirs),
                             seed_limit=_seed_limit(setting, own, others, repeats))
        found[name] = result
    return found


def repeated(setting: Setting, settings: Mapping[str, Setting]) -> Setting:
    """Returns the setting whose seeds tell how much such trainings differ: the one at the end of all comparisons (the
    setting's `against`, the `against` of that, and so on), or the baseline if that one has one seed."""
    while not setting.is_reference:
        setting = settings[setting.against]
    return setting if len(setting.seeds) > 1 else settings[BASELINE]


def markdown(found: Mapping[str, Result]) -> str:
    """Returns Markdown: the command that makes a row again, and one table per group, lowest error first."""
    groups: Dict[str, List[Result]] = {}
    for result in found.values():
        groups.setdefault(result.setting.group, []).append(result)
    commands = (re.sub('--only .*? --seeds [0-9]+', '--only SETTING', result.rows[0].command)
                for result in found.values())
    command = max(commands, key=len)  # rows without training do not depend on the budget
    parts = [f'This command makes a row again: `{command}`.']
    for group, members in groups.items():
        ordered = sorted(members, key=lambda result: _mean(result.capped))
        costs = {(result.rows[0].parameters, result.rows[0].gflops) for result in members}
        tables = [_cells(result, len(costs) > 1 or not members[0].others) for result in ordered]
        heads = [_line(list(tables[0])), _line(['---' if name in _TEXTS else '---:' for name in tables[0]])]
        parts.append('\n'.join([f'**{group.capitalize()}**\n'] + heads + [_line(list(one.values())) for one in tables]))
    return '\n\n'.join(parts)


def write_table(document: Path, table: str) -> None:
    """Writes the table between the markers of a document. Makes the document if it does not exist.

    Raises InputError if the document has no markers.
    """
    text = document.read_text(encoding='utf-8') if document.exists() else f'# Experiments\n\n{BEGIN}\n{END}\n'
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f'{document} has no place for the table: add the lines {BEGIN} and {END}')
    write_text(document, f'{before}{BEGIN}\n\n{table}\n\n{END}{after}')


def _compared_with(setting: Setting, own: Sequence[Row], rows: Mapping[str, Sequence[Row]]) -> Tuple[Row, ...]:
    """Returns the rows that a setting is compared with."""
    if setting.is_reference:
        return ()
    networks = [network for row in own for network in networks_of(setting, row.seed)] if setting.uses else []
    shared = {seed for name, seed in networks if name == setting.against}
    if f'{{checkpoint:{setting.against}}}' in setting.train:
        shared = {row.seed for row in own}
    others = tuple(sorted(rows.get(setting.against, ()), key=lambda row: row.seed))
    return tuple(row for row in others if row.seed in shared) if shared else others


def _seed_limit(setting: Setting, own: Sequence[Row], others: Sequence[Row],
                repeats: Sequence[float]) -> Optional[float]:
    """Returns Result.seed_limit. `repeats`: the capped NE of the rows of the setting that `repeated` returns."""
    networks = {name for row in own for name, _ in networks_of(setting, row.seed)} if setting.uses else set()
    if setting.network or networks == {setting.against}:
        return 0
    if len(repeats) < 2:
        return None
    quantile = _STUDENT[min(len(repeats) - 1, len(_STUDENT)) - 1]
    return quantile * stdev(repeats) * math.sqrt(1 / len(own) + 1 / len(others))


_TEXTS = ('setting', 'flags', 'compared with', 'verdict')
"""The columns of the table that are not numbers."""


def _cells(result: Result, with_costs: bool) -> Dict[str, str]:
    """Returns the cells of a line of the table by the heads of the columns."""
    first = result.rows[0]
    costs = {'parameters, M': f'{first.parameters / 1e6:.2f}', 'GFLOP': f'{first.gflops:.2f}'} if with_costs else {}
    return {'setting': result.setting.name, 'flags': _told(result.setting), **costs,
            'NE `visible`, %': _shown(result.visible), f'difference ({LEVEL} %)': _change(result.difference),
            'capped NE, %': _shown(result.capped), f'capped difference ({LEVEL} %)': _change(result.capped_difference),
            'images above 20 %': f'{result.gross:.0f}', 'compared with': _names(result.others),
            'verdict': result.verdict, 'NE `leaderboard`, %': _shown([row.ne_leaderboard for row in result.rows])}


def _names(rows: Sequence[Row]) -> str:
    """Returns the setting of the rows, with their seeds if there are several settings of one name."""
    seeds = ', '.join(str(row.seed) for row in rows if row.seed)
    return f'{rows[0].setting}/{seeds}' if seeds else ''.join(row.setting for row in rows)


def _told(setting: Setting) -> str:
    """Returns the flags of a setting, the networks that it uses, and its share of the steps. Flags of `start` are told
    only of the setting that others are compared with."""
    flags = (setting if setting.is_reference else replace(setting, start=())).flags
    networks = () if setting.script or setting.network == setting.name else setting.uses or (setting.network,)
    others = f'on {" and ".join(networks)}' if any(networks) else ''
    steps = f'(1/{setting.divisor} of the steps)' if setting.divisor > 1 else ''
    return ' '.join(text for text in (f'`{flags}`' if flags else '', others, steps) if text)


def _shown(values: Sequence[float]) -> str:
    """Returns the mean, and the lowest and highest value if they differ."""
    low, high = min(values), max(values)
    return f'{_mean(values):.2f}' + (f' ({low:.2f} to {high:.2f})' if low < high else '')


def _change(change: Optional[Estimate]) -> str:
    return f'{change.value:+.2f} ({change.low:+.2f} to {change.high:+.2f})' if change else ''


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _line(cells: Sequence[str]) -> str:
    return '| ' + ' | '.join(cells) + ' |'
