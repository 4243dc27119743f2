"""Predictions as a table for people, in a terminal: a row for each garment, and its lengths below."""
import unicodedata
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional

from fashionai.inference.garment_predictor import LOW

_TYPE, _FOUND, _CHECK = 16, 8, 8
_GAP, _CUT = '  ', '...'
_BOLD, _YELLOW, _PLAIN = '\033[1m', '\033[33m', '\033[0m'
_VALUE = 8
"""The width of a length without its name."""


@dataclass(frozen=True)
class TextTable:
    """How a table looks: its width in columns, and whether it has colours."""

    width: int = 80
    colour: bool = False

    def header(self) -> str:
        """Returns the first line."""
        line = _GAP.join((_fitted('picture', self._name), f'{"type":<{_TYPE}}', f'{"found":<{_FOUND}}', 'to check'))
        return self._in(_BOLD, line)

    def rows(self, name: str, said: Mapping[str, Any]) -> List[str]:
        """Returns the lines of a garment.

        Args:
            name: of its picture; it is cut in the middle if it is too long.
            said: what `prediction_json` says of the garment.
        """
        points = said['keypoints'].values()
        found, check = sum(point['found'] for point in points), sum(point['score'] < LOW for point in points)
        kind = _fitted(_type(said), _TYPE)
        number = f'{check or "-":>{_CHECK}}'
        return [_GAP.join((_fitted(name, self._name), kind if said['type_sure'] else self._in(_YELLOW, kind),
                           f'{f"{found} of {len(points)}":<{_FOUND}}', self._in(_YELLOW, number) if check else number)),
                *self._lengths(said.get('measurements', {})), *self._size(said.get('size_check'))]

    @property
    def _name(self) -> int:
        return max(12, self.width - _TYPE - _FOUND - _CHECK - 3 * len(_GAP))

    def _lengths(self, lengths: Mapping[str, Mapping[str, Any]]) -> List[str]:
        """Returns lines of lengths in columns; a question mark says that a length is doubtful, and lines below why."""
        longest = max(map(len, lengths), default=0)
        cells = [f'{name:<{longest}} {_value(length):>{_VALUE}} {"?" if length["doubtful"] else " "}'
                 for name, length in lengths.items()]
        across = max(1, (self.width - 1) // (longest + _VALUE + 4))
        lines = [_GAP + ' '.join(cells[start:start + across]).rstrip() for start in range(0, len(cells), across)]
        doubts = dict.fromkeys(reason for length in lengths.values() if length['doubtful']
                               for reason in length['doubtful'].split('; '))
        return lines + [self._in(_YELLOW, f'{_GAP}? {reason}') for reason in doubts]

    def _size(self, check: Optional[Mapping[str, Any]]) -> List[str]:
        """Returns a line with the size of a garment, and the lengths that are outside their tolerances."""
        if check is None:
            return []
        outside = [f'{name} {length["difference"]:+g} {check["unit"]}' for name, length in check['lengths'].items()
                   if length['within'] is False]
        result = {True: 'passes', False: 'fails', None: 'undecided'}[check['passes']]
        text = f'{_GAP}size {check["size"] or "?"}: ' + ', '.join([check['doubt'] or result, *outside])
        return [text if check['passes'] else self._in(_YELLOW, text)]

    def _in(self, colour: str, text: str) -> str:
        return f'{colour}{text}{_PLAIN}' if self.colour else text


def _type(said: Mapping[str, Any]) -> str:
    """Returns the type; if the network predicted it, also its probability, and a question mark if it is unsure."""
    share: Optional[float] = said['type_probabilities'].get(said['type'])
    mark = '' if said['type_sure'] else '?'
    return said['type'] + mark + ('' if share is None else f' {100 * share:.0f} %')


def _value(length: Mapping[str, Any]) -> str:
    """Returns a length in cm if it is known, else in pixels; a dash if it is not."""
    if length['pixels'] is None:
        return '-'
    return f'{length["pixels"]:.0f} px' if length['cm'] is None else f'{length["cm"]:.1f} cm'


def _fitted(text: str, width: int) -> str:
    """Returns a text that takes `width` columns of a terminal: filled up with spaces, or cut in the middle."""
    text = ''.join(letter if letter.isprintable() else '?' for letter in text)
    if _columns(text) <= width:
        return text + ' ' * (width - _columns(text))
    first = width // 3
    start, end = text[:first], text[-(width - first - len(_CUT)):]
    while _columns(start) > first:
        start = start[:-1]
    while _columns(end) > width - first - len(_CUT):
        end = end[1:]
    return _fitted(f'{start}{_CUT}{end}', width)


def _columns(text: str) -> int:
    """Returns the columns that a text takes in a terminal: wide letters, such as Chinese ones, take two."""
    return sum(0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in 'WF' else 1
               for letter in text)
