"""The report on sizes: one HTML page with a drawing of each garment, and its lengths against those of its size."""
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from fashionai.evaluation.report.document import document, picture_url
from fashionai.evaluation.report.markup import Content, Html, element, section, table
from fashionai.evaluation.report.sections import note, number, short
from fashionai.files import write_text
from fashionai.garments.grades import Grader, GradeTable, SizeCheck
from fashionai.images.drawing import draw_keypoints, tile
from fashionai.images.sources import Picture
from fashionai.inference.batch_inference import Outcome
from fashionai.inference.missing_keypoints import submission_keypoints
from fashionai.results.length_rows import yes_or_no
from fashionai.results.writers import MeasuredRow, printable

MOST_DRAWINGS = 1000
"""So many garments have a drawing; with more, the page would be too large for a browser. A drawing has about 12 KB."""

_SIDE = 200
_STYLE = Path(__file__).with_name('grade_report.css')

_PASSES = {False: 'fails', None: 'undecided', True: 'passes'}
"""The results, in the order of the page."""


@dataclass(frozen=True)
class Entry:
    """A garment of the report: the name of its picture, its type, its size, and the `data:` URL of its drawing."""

    name: str
    type: str
    check: SizeCheck
    drawing: Optional[str] = None


@dataclass
class GradeReport:
    """Collects garments and writes the page.

    Attributes:
        path: the HTML file.
        table: the sizes.
        model: the name of the model.
    """

    path: Path
    table: GradeTable
    model: str
    entries: List[Entry] = field(default_factory=list)
    faults: List[str] = field(default_factory=list)

    def add(self, outcome: Outcome, check: SizeCheck) -> None:
        """Adds a garment of this run."""
        prediction, drawing = outcome.prediction, None
        if len(self.entries) < MOST_DRAWINGS:
            keypoints = submission_keypoints(prediction.points_xy, prediction.garment)
            picture, moved = tile(outcome.image, keypoints, _SIDE)
            drawing = picture_url(_without_margin(draw_keypoints(picture, prediction.garment, moved),
                                                  outcome.image.shape[:2]))
        self.entries.append(Entry(_label(outcome.picture, outcome.garment), prediction.type, check, drawing))

    def add_rows(self, rows: Iterable[MeasuredRow], grader: Grader) -> None:
        """Adds the garments of an earlier run, without drawings."""
        for picture, place, garment in rows:
            check = grader.check(picture.source.path, garment)
            self.entries.append(Entry(_label(picture, place), garment.type, check))

    def write(self) -> None:
        """Writes the page, completely or not at all."""
        write_text(self.path, page(self.entries, self.faults, self.table, self.model))


def _label(picture: Picture, place: Any) -> str:
    return printable(picture.label) + (f', garment {place}' if place else '')


def page(entries: Sequence[Entry], faults: Sequence[str], sizes: GradeTable, model: str) -> Html:
    """Returns the page: a summary, and the garments of each type; those that fail come first.

    Args:
        entries: the garments.
        faults: why other pictures could not be read.
        sizes: the table of sizes.
        model: the name of the model.
    """
    counts = Counter(entry.check.passes for entry in entries)
    lines = [f'{text}: {counts[passes]} of {len(entries)} garments' for passes, text in _PASSES.items()]
    parts = [section('Summary', element('ul', *(element('li', line) for line in lines)), _sizes(entries, sizes),
                     note(f'Lengths are in {sizes.unit}. In each cell stand the measured length, what is expected, and '
                          'the difference. The bar shows the difference; the wide band is the tolerance. A length in '
                          'italics is doubtful: it does not count for the size. A garment fails if a length that is '
                          'not doubtful is outside its tolerance; it passes if all are inside, and none is doubtful. '
                          'The misfit of a size is the mean difference in tolerances.'))]
    for kind in dict.fromkeys(entry.type for entry in entries):
        of_kind = [entry for passes in _PASSES for entry in entries
                   if entry.type == kind and entry.check.passes is passes]
        parts.append(section(kind, _garments(kind, of_kind)))
    if faults:
        parts.append(section('Not measured', element('ul', *(element('li', fault) for fault in faults))))
    return document('Sizes of garments', note(f'Measured by {model}, against {short(sizes.source)}.'), parts,
                    _STYLE.read_text(encoding='utf-8'))


def _sizes(entries: Sequence[Entry], sizes: GradeTable) -> Html:
    """Returns how many garments of each size there are, and how many of them pass, in the order of the table."""
    rows = []
    for kind in dict.fromkeys([*sizes.sizes, *(entry.type for entry in entries)]):
        for size in (*sizes.sizes.get(kind, ()), None):
            found = Counter(entry.check.passes for entry in entries if (entry.type, entry.check.size) == (kind, size))
            if found:
                counts = [sum(found.values()), *(found[passes] for passes in _PASSES)]
                rows.append([kind, size or 'undecided', *map(str, counts)])
    return table('Garments by size', ['type', 'size', 'garments', *_PASSES.values()], rows)


def _garments(kind: str, entries: Sequence[Entry]) -> Html:
    names = list(dict.fromkeys(name for entry in entries for name in entry.check.lengths))
    rows: List[List[Content]] = [[_name(entry), _size(entry.check),
                                  *(_length(entry.check, name) for name in names)] for entry in entries]
    return table(f'Lengths of {kind}', ['garment', 'size', *(name.replace('_', ' ') for name in names)], rows)


def _name(entry: Entry) -> Html:
    drawing = [element('img', src=entry.drawing, alt='', loading='lazy')] if entry.drawing else []
    return element('div', *drawing, element('span', short(entry.name), class_='id', title=entry.name), class_='garment')


def _without_margin(picture: np.ndarray, image_hw: Tuple[int, int]) -> np.ndarray:
    """Returns a tile of an image without the margins that make it a square."""
    side = picture.shape[0]
    height, width = (max(1, round(side * length / max(image_hw))) for length in image_hw)
    top, left = (side - height) // 2, (side - width) // 2
    return picture[top:top + height, left:left + width]


def _size(check: SizeCheck) -> Html:
    result = _PASSES[check.passes]
    others = ', '.join(f'{name} {misfit:.2f}' for name, misfit in check.misfits.items())
    return element('td', element('strong', check.size or '?'), ' ', result,
                   *(element('div', text, class_='note') for text in
                     (check.reason, 'the size was given' if check.given else '', others and f'misfit: {others}')
                     if text), class_=f'size {result}')


def _length(check: SizeCheck, name: str) -> Html:
    """Returns the cell of a length: measured, expected, difference, and why it is doubtful."""
    length, grade = check.lengths[name], check.grades.get(name)
    measured = '-' if length.value is None else f'{length.value:g}'
    parts: List[Content] = [element('em' if length.doubt else 'strong', measured)]
    if grade:
        parts.append(element('div', f'{grade.expected:g} \u00b1 {grade.tolerance:g}'))
        difference = check.difference(name)
        if difference is not None:
            parts += [element('div', number(difference, sign=True)), _bar(difference / grade.tolerance)]
    if length.doubt:
        parts.append(element('div', length.doubt, class_='note'))
    return element('td', *parts, class_='doubtful' if length.doubt else f'within-{yes_or_no(check.within(name))}')


def _bar(share: float) -> Html:
    """Returns a bar from the expected length to the measured one; twice the tolerance is the end of the picture."""
    end = 50 * min(max(share, -2), 2) / 2
    return element('svg', element('rect', x='-25', y='0', width='50', height='8', class_='band'),
                   element('rect', x=f'{min(0, end):.1f}', y='2', width=f'{max(abs(end), 1):.1f}', height='4',
                           class_='bar'), viewBox='-50 0 100 8', aria_hidden='true', class_='gauge')

