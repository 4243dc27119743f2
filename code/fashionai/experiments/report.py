"""Summarises the rows: the difference of each setting from the setting that it is compared with, and a table."""
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.experiments.recipes import networks_of
from fashionai.experiments.settings import Setting
from fashionai.experiments.table import Row
from fashionai.files import write_text

BEGIN, END = '<!-- table of experiments -->', '<!-- end of table -->'
"""The table is between these lines of the document."""

_HEADER = ('setting', 'flags', 'parameters, M', 'GFLOPs at 368x368', "at the budget's size", 'images/s in training',
           'NE `visible`, %', 'difference', 'from', 'NE `leaderboard`, %')


@dataclass(frozen=True)
class Result:
    """The result of a setting.

    rows: one row per seed. difference: its mean NE `visible` minus that of the setting `against`, in points; None if it
    is compared with no other setting.
    """

    setting: Setting
    rows: Tuple[Row, ...]
    difference: Optional[float] = None

    @property
    def visible(self) -> Tuple[float, float, float]:
        """Mean, lowest and highest NE `visible` over the seeds, in percent."""
        return _spread([row.ne_visible for row in self.rows])

    @property
    def leaderboard(self) -> Tuple[float, float, float]:
        """Mean, lowest and highest NE `leaderboard` over the seeds, in percent."""
        return _spread([row.ne_leaderboard for row in self.rows])


def results(rows: Iterable[Row], settings: Mapping[str, Setting]) -> Dict[str, Result]:
    """Returns the result of each setting that has rows, in the order of the table. Skips rows of unknown settings.

    A setting is compared with the mean over all seeds of the other setting. If it only uses the networks of the other
    setting in a different way, it is compared with the same seeds only.
    """
    by_setting: Dict[str, List[Row]] = {}
    for row in rows:
        by_setting.setdefault(row.setting, []).append(row)
    found = {}
    for name, setting in settings.items():
        if name in by_setting:
            own = tuple(sorted(by_setting[name], key=lambda row: row.seed))
            found[name] = Result(setting, own, _difference(setting, own, by_setting.get(setting.against, [])))
    return found


def markdown(found: Mapping[str, Result]) -> str:
    """Returns Markdown: the command that makes a row again, and one table per group, lowest error first."""
    groups: Dict[str, List[Result]] = {}
    for result in found.values():
        groups.setdefault(result.setting.group, []).append(result)
    command = next(iter(found.values())).rows[0].command
    command = re.sub('--only .*? --seeds [0-9]+', '--only SETTING', command)
    parts = [f'This command makes a row again: `{command}`.']
    for group, members in groups.items():
        ordered = sorted(members, key=lambda result: result.visible[0])
        lines = [_line(_HEADER), _line(['---'] * 2 + ['---:'] * 6 + ['---', '---:'])]
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


def _difference(setting: Setting, own: Sequence[Row], others: Sequence[Row]) -> Optional[float]:
    shared = {seed for row in own for name, seed in networks_of(setting, row.seed)
              if setting.uses and name == setting.against}
    others = [row for row in others if row.seed in shared] if shared else others
    if not others or setting.name == setting.against:
        return None
    return _spread([row.ne_visible for row in own])[0] - _spread([row.ne_visible for row in others])[0]


def _cells(result: Result) -> List[str]:
    first, changed = result.rows[0], result.difference is not None
    trained = first.images_per_second is not None and not result.setting.uses
    return [result.setting.name, _told(result.setting),
            f'{first.parameters / 1e6:.2f}', f'{first.gflops_368:.1f}', f'{first.gflops:.2f}',
            f'{first.images_per_second:.1f}' if trained else '', _shown(result.visible),
            f'{result.difference:+.2f}' if changed else '', result.setting.against if changed else '',
            _shown(result.leaderboard)]


def _told(setting: Setting) -> str:
    """Returns the flags of a setting, the settings whose networks it uses, and its share of the steps."""
    others = f'on {" and ".join(setting.uses)}' if setting.uses and not setting.script else ''
    steps = f'(1/{setting.parts} of the steps)' if setting.parts > 1 else ''
    return ' '.join(text for text in (f'`{setting.flags}`' if setting.flags else '', others, steps) if text)


def _shown(spread: Tuple[float, float, float]) -> str:
    mean, low, high = spread
    return f'{mean:.2f}' + (f' ({low:.2f} to {high:.2f})' if low < high else '')


def _spread(values: Sequence[float]) -> Tuple[float, float, float]:
    return sum(values) / len(values), min(values), max(values)


def _line(cells: Sequence[str]) -> str:
    return '| ' + ' | '.join(cells) + ' |'
