"""The parts of the page: each a heading with tables, plots and what they mean."""
import math
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np

from fashionai.evaluation.metrics import Figure, score_points
from fashionai.evaluation.report.bias import CLOSE_BOUND, Bias, Drift
from fashionai.evaluation.report.comparison import Difference
from fashionai.evaluation.report.markup import Content, Html, element, section, table
from fashionai.evaluation.report.measurement import ALL, Measurement, errors_by_type, share_within
from fashionai.evaluation.report.plots import changes, cumulative, drifts, histograms
from fashionai.evaluation.report.resampling import LEVEL, Estimate
from fashionai.evaluation.report.swaps import mirror_pairs, put_right
from fashionai.evaluation.report.words import interval, verdict
from fashionai.evaluation.report.worst import side_by_side, worst_images

_BOUNDS = (2, 5, 10, 20, 50)
"""Percent of the normaliser, of the table of correct keypoints."""

_WORST = 16


def in_short(sentences: Sequence[str]) -> Html:
    """What the figures say."""
    return section('In short', element('ul', *(element('li', together(sentence)) for sentence in sentences)))


def errors(subject: Measurement, found: Dict[str, List[Estimate]]) -> Html:
    """NE in both conventions: by type with intervals, by keypoint, by status."""
    board, visible = subject.scores.leaderboard, subject.scores.visible
    by_type = [[name, number(a.value), interval(a), points.points, number(b.value), interval(b), more.points]
               for name, a, points, b, more in zip(
                   (ALL, *subject.types), found['visible'], (visible.pooled, *visible.types.values()),
                   found['leaderboard'], (board.pooled, *board.types.values()))]
    head = ['', 'NE visible', f'{LEVEL} %', 'points', 'NE leaderboard', f'{LEVEL} %', 'points']
    status = [[name, number(figure.percent), figure.points] for name, figure in subject.scores.status.items()]
    return section('Normalised error', note('In percent. Visible counts visible keypoints; leaderboard counts occluded '
                                            'ones too.'),
                   table('NE by type', head, texts(by_type)), element('h3', 'By keypoint, and visible by type'),
                   _by_keypoint(subject),
                   element('h3', 'By status'), table('NE by status', ['', 'NE', 'points'], texts(status)))


def _by_keypoint(subject: Measurement) -> Html:
    """Both conventions, then `visible` of each type; the darker a cell, the larger the error."""
    parts = {}
    for name in subject.types:
        rows = subject.of_type(name)
        parts[name] = score_points([name] * int(rows.sum()), subject.truth.keypoints[rows],
                                   subject.points[rows], subject.truth.garments).visible.keypoints
    most = max([figure.percent or 0 for part in parts.values() for figure in part.values()] + [1e-9])

    def cell(figure: Optional[Figure]) -> Content:
        if figure is None or figure.percent is None:
            return ''
        return element('td', number(figure.percent), style=f'--heat: {figure.percent / most:.2f}')

    board, visible = subject.scores.leaderboard.keypoints, subject.scores.visible.keypoints
    rows = [[name, number(visible[name].percent), str(visible[name].points), number(board[name].percent),
             str(board[name].points), *(cell(part.get(name)) for part in parts.values())] for name in board]
    return table('NE by keypoint', ['', 'NE visible', 'points', 'NE leaderboard', 'points', *parts], rows)


def distribution(subject: Measurement) -> Html:
    """How errors are spread: the histogram and the cumulative curve by type."""
    by_type = errors_by_type(subject)
    rows = [[name, *(number(share_within(values, bound), 1) for bound in _BOUNDS)] for name, values in by_type.items()]
    return section('Which errors there are', note('Of visible keypoints.'),
                   element('div', element('figure', element('figcaption', 'Correct keypoints (PCK): the share within a '
                                                                          'bound'), cumulative(by_type)),
                           element('figure', element('figcaption', 'How often which error is made; the tick is the '
                                                                   'median'), histograms(by_type)), class_='plots'),
                   table('Share of keypoints within a bound', ['keypoints within, %'] + [f'{bound} %'
                                                                                         for bound in _BOUNDS], rows))


def bias(found: Sequence[Bias]) -> Html:
    """Mean offsets by keypoint."""
    if not found:
        return section('Bias', note('There is nothing to measure it by.'))
    units = ('dx, %', 'dy, %', 'dx, pixels', 'dy, pixels', 'close: dx, pixels', 'close: dy, pixels')
    rows = [[one.name, str(one.points), *(_drift_cell(drift) for part in (one.spans, one.pixels, one.close)
                                          for drift in part)] for one in found]
    unit, near = '% of the normaliser', f'within {100 * CLOSE_BOUND:.0f} % of the normaliser'
    return section(
        'Bias', note(f'The mean of predicted less labelled, of visible keypoints; right and down are positive. "close" '
                     f'are the predictions {near}, which show what gross errors hide: a shift of a pixel moves them '
                     'all. Exchanged sides draw left keypoints to the right and right ones to the left. Significant '
                     'figures are bold. Bars are 95 % intervals.'),
        element('div', element('figure', element('figcaption', 'Every prediction'),
                               drifts({one.name: one.spans for one in found}, 'every', unit)),
                element('figure', element('figcaption', f'Predictions {near}'),
                        drifts({one.name: one.close for one in found}, 'close', 'pixels')), class_='plots'),
        table('Mean offset by keypoint', ['', 'points', *units], rows))


def swaps(subject: Measurement, both: np.ndarray, swapped: np.ndarray) -> Html:
    """Exchanged left and right: (N, P) pairs that can be, and that are."""
    truth, pairs = subject.truth, mirror_pairs(subject.truth.garments)
    mended = score_points(truth.categories, truth.keypoints, put_right(subject.points, swapped, pairs), truth.garments)
    rows = [[name, both[subject.of_type(name)], swapped[subject.of_type(name)]] for name in (ALL, *subject.types)]
    names = truth.garments.csv_keypoints
    rows += [[_pair_name(names[left], names[right]), both[:, pair], swapped[:, pair]]
             for pair, (left, right) in enumerate(pairs)]
    lines = [[name, str(there.sum()), str(wrong.sum()), number(100 * wrong.sum() / there.sum(), 1)]
             for name, there, wrong in rows if there.any()]
    return section('Left and right exchanged',
                   note("Pairs whose two predictions each lie nearer to the other's label. With these put right, NE "
                        f'would be {number(mended.visible.pooled.percent)} % visible and '
                        f'{number(mended.leaderboard.pooled.percent)} % leaderboard.'),
                   table('Exchanged pairs', ['', 'pairs', 'exchanged', '%'], lines))


def _pair_name(left: str, right: str) -> str:
    both = left.replace('left', 'left/right')
    return both if right == left.replace('left', 'right') else f'{left}, {right}'


def worst(subject: Measurement, folder: Optional[Path]) -> Html:
    """The worst images, labels and predictions side by side; without a folder of images, their list."""
    found = worst_images(subject, _WORST)
    names = [(subject.truth.image_ids[one.row], subject.truth.categories[one.row]) for one in found]
    if folder is None:
        rows = [[image_id, category, number(one.error), one.keypoint, number(one.keypoint_error)]
                for (image_id, category), one in zip(names, found)]
        return section('The worst images', note('Their pictures would be here with --imagepath, the folder that image '
                                                'ids start from.'),
                       table('Worst images', ['image', 'type', 'NE visible', 'worst keypoint', 'its error, %'], rows))
    figures = []
    for (image_id, category), one in zip(names, found):
        source, alt = side_by_side(subject, one.row, folder), f'labels and predictions of {image_id}'
        caption = f'{category}, NE {one.error:.1f} %; {one.keypoint} {one.keypoint_error:.0f} %'
        figures.append(element('figure', element('img', src=source, alt=alt),
                               element('figcaption', caption, element('span', image_id, class_='id'))))
    return section('The worst images', note('Labels on the left, predictions on the right; left keypoints are orange, '
                                            'right ones blue, occluded ones rings. NE visible of the image, and the '
                                            'error of its worst keypoint.'),
                   element('div', *figures, class_='grid'))


def comparison(found: Sequence[Difference], second: Measurement) -> Html:
    """The submission against another."""
    rows = [[one.name, one.convention, number(one.first), number(one.second),
             _marked(number(one.estimate.value, sign=True), bool(one.estimate.sign)), interval(one.estimate)]
            for one in found]
    head = ['', 'convention', 'first', 'second', 'difference', f'{LEVEL} %']
    return section('Against another submission',
                   note(f'The second is {short(second.source)}. A difference is NE of the first less NE of the second, '
                        f'in points; its interval has {LEVEL} % of the resamplings of the images, the same for both.'),
                   element('ul', *(element('li', together(verdict(one))) for one in found if one.name == ALL)),
                   element('div', changes(found), table('Differences', head, rows), class_='plots'))


def note(text: str) -> Html:
    """A paragraph of explanation."""
    return element('p', together(text), class_='note')


def together(text: str) -> str:
    """The text with no line break between a number and its unit."""
    return text.replace(' %', '\u00a0%')


def short(source: str) -> str:
    """The name of a file with its folder's: enough to know it by, and no more than strangers need."""
    return '/'.join(Path(source).parts[-2:])


def number(value: Optional[float], digits: int = 2, sign: bool = False) -> str:
    """A number for people, '-' for none."""
    if value is None or math.isnan(value):
        return '-'
    return f'{value:{"+" if sign else ""}.{digits}f}'


def texts(rows: Sequence[Sequence[object]]) -> List[List[str]]:
    """Cells as text."""
    return [[str(cell) for cell in row] for row in rows]


def _drift_cell(drift: Drift) -> Content:
    return _marked(number(drift.mean, sign=True), bool(drift.sign))


def _marked(text: str, bold: bool) -> Content:
    return element('strong', text) if bold else text
