"""Summarises the rows: the difference of each setting from the setting that it is compared with, and a table."""
import re
from dataclasses import dataclass
from pathlib import Path
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

_HEADER = ('setting', 'flags', 'parameters, M', 'GFLOPs at 368x368', 'at its own size', 'images/s in training',
           'NE `visible`, %', f'difference ({LEVEL} % of resamplings)', 'from', 'so it is', 'NE `leaderboard`, %')

BETTER, WORSE, UNDECIDED = 'better', 'worse', 'not told apart'
"""What a difference says."""


@dataclass(frozen=True)
class Result:
    """The result of a setting.

    rows: one row per seed. difference: its NE `visible` minus that of the setting `against`, both means over seeds, in
    points, with the interval over resampled images; None if it is compared with no other setting. seed_spread: by how
    many points the seeds of the baseline differ, 0 if no training is between the two settings; None if it is unknown,
    since the baseline has fewer than two seeds.
    """

    setting: Setting
    rows: Tuple[Row, ...]
    difference: Optional[Estimate] = None
    seed_spread: Optional[float] = None

    @property
    def verdict(self) -> str:
        """BETTER or WORSE; UNDECIDED if the interval has 0 in it, or if seeds differ as much; '' without comparison."""
        if self.difference is None or self.difference.value is None:
            return ''
        if self.seed_spread is None or abs(self.difference.value) <= self.seed_spread:
            return UNDECIDED
        return {-1: BETTER, 0: UNDECIDED, 1: WORSE}[self.difference.sign]

    @property
    def visible(self) -> Tuple[float, float, float]:
        """Mean, lowest and highest NE `visible` over the seeds, in percent."""
        return _spread([row.ne_visible for row in self.rows])

    @property
    def leaderboard(self) -> Tuple[float, float, float]:
        """Mean, lowest and highest NE `leaderboard` over the seeds, in percent."""
        return _spread([row.ne_leaderboard for row in self.rows])


def results(rows: Iterable[Row], images: ImageErrors, settings: Mapping[str, Setting]) -> Dict[str, Result]:
    """Returns the result of each setting that has rows, in the order of the table. Skips rows of unknown settings.

    A setting is compared with the mean over all seeds of the other setting. If it only uses the networks of the other
    setting in a different way, it is compared with the same seeds only, and no training is between the two.
    """
    by_setting: Dict[str, List[Row]] = {}
    for row in rows:
        by_setting.setdefault(row.setting, []).append(row)
    found = {}
    for name, setting in settings.items():
        if name in by_setting:
            own = tuple(sorted(by_setting[name], key=lambda row: row.seed))
            found[name] = Result(setting, own, *_compared(setting, own, by_setting, images))
    return found


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
        ordered = sorted(members, key=lambda result: result.visible[0])
        lines = [_line(_HEADER), _line(['---'] * 2 + ['---:'] * 6 + ['---', '---', '---:'])]
        parts.append('\n'.join([f'**{group.capitalize()}**\n'] + lines + [_line(_cells(result)) for result in ordered]))
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


def _compared(setting: Setting, own: Sequence[Row], rows: Mapping[str, Sequence[Row]],
              images: ImageErrors) -> Tuple[Optional[Estimate], Optional[float]]:
    """Returns the difference of a setting, and how much seeds differ."""
    others = rows.get(setting.against, [])
    networks = [network for row in own for network in networks_of(setting, row.seed)] if setting.uses else []
    shared = {seed for name, seed in networks if name == setting.against}
    others = [row for row in others if row.seed in shared] if shared else others
    if not others or setting.name == setting.against:
        return None, None
    difference = images.difference([row.key for row in own], [row.key for row in others])
    if setting.network or networks and all(name == setting.against for name, _ in networks):
        return difference, 0
    seeds = [row.ne_visible for row in rows.get(BASELINE, [])]
    return difference, max(seeds) - min(seeds) if len(seeds) > 1 else None


def _cells(result: Result) -> List[str]:
    first, change = result.rows[0], result.difference
    trained = first.images_per_second is not None and not result.setting.uses
    return [result.setting.name, _told(result.setting),
            f'{first.parameters / 1e6:.2f}', f'{first.gflops_368:.1f}', f'{first.gflops:.2f}',
            f'{first.images_per_second:.1f}' if trained else '', _shown(result.visible),
            f'{change.value:+.2f} ({change.low:+.2f} to {change.high:+.2f})' if change else '',
            result.setting.against if change else '', result.verdict, _shown(result.leaderboard)]


def _told(setting: Setting) -> str:
    """Returns the flags of a setting, the networks that it uses, and its share of the steps."""
    networks = () if setting.script or setting.network == setting.name else setting.uses or (setting.network,)
    others = f'on {" and ".join(networks)}' if any(networks) else ''
    share = setting.slower * setting.parts
    steps = f'(1/{share} of the steps)' if share > 1 else ''
    return ' '.join(text for text in (f'`{setting.flags}`' if setting.flags else '', others, steps) if text)


def _shown(spread: Tuple[float, float, float]) -> str:
    mean, low, high = spread
    return f'{mean:.2f}' + (f' ({low:.2f} to {high:.2f})' if low < high else '')


def _spread(values: Sequence[float]) -> Tuple[float, float, float]:
    return sum(values) / len(values), min(values), max(values)


def _line(cells: Sequence[str]) -> str:
    return '| ' + ' | '.join(cells) + ' |'
