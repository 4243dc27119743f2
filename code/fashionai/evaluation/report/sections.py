"""The parts of the page: each has a heading, tables, plots and an explanation."""
import math
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np

from fashionai.evaluation.metrics import PooledError, score_points
from fashionai.evaluation.report.markup import Content, Html, element, section, table
from fashionai.evaluation.report.plots import changes, cumulative, histograms, mean_offsets
from fashionai.evaluation.report.resampling import LEVEL, Difference, Estimate
from fashionai.evaluation.report.scored_submission import ALL, ScoredSubmission, errors_by_type, share_within
from fashionai.evaluation.report.systematic_errors import CLOSE_BOUND, Bias, MeanOffset, mirror_pairs, unswapped
from fashionai.evaluation.report.words import interval, verdict
from fashionai.evaluation.report.worst import side_by_side, worst_images

_BOUNDS = (2, 5, 10, 20, 50)
"""Bounds in the table of correct keypoints, in percent of the normaliser."""

_WORST = 16


def summary(sentences: Sequence[str]) -> Html:
    """Returns the summary: the findings as sentences."""
    return section('Summary', element('ul', *(element('li', unbroken(sentence)) for sentence in sentences)))


def errors(scored: ScoredSubmission, found: Dict[str, List[Estimate]]) -> Html:
    """Returns NE in both conventions: by type with intervals, by keypoint, by visibility."""
    board, visible = scored.scores.leaderboard, scored.scores.visible
    by_type = [[name, number(a.value), interval(a), points.points, number(b.value), interval(b), more.points]
               for name, a, points, b, more in zip(
                   (ALL, *scored.types), found['visible'], (visible.pooled, *visible.types.values()),
                   found['leaderboard'], (board.pooled, *board.types.values()))]
    head = ['', 'NE visible', f'{LEVEL} %', 'keypoints', 'NE leaderboard', f'{LEVEL} %', 'keypoints']
    status = [[name, number(figure.percent), figure.points] for name, figure in scored.scores.status.items()]
    return section('Normalised error',
                   note('The normalised error (NE) is the distance between prediction and label, in percent of the '
                        'normaliser. "NE visible" counts only visible keypoints; "NE leaderboard" counts occluded '
                        f'keypoints too. The columns "{LEVEL} %" are confidence intervals.'),
                   table('NE by type', head, texts(by_type)),
                   element('h3', 'By keypoint; NE visible also by type'), _by_keypoint(scored),
                   element('h3', 'By visibility'), table('NE by visibility', ['', 'NE', 'keypoints'], texts(status)))


def _by_keypoint(scored: ScoredSubmission) -> Html:
    """Returns NE by keypoint in both conventions, then `visible` for each type; darker cells are larger errors."""
    parts = {}
    for name in scored.types:
        rows = scored.of_type(name)
        parts[name] = score_points([name] * int(rows.sum()), scored.truth.keypoints[rows],
                                   scored.points[rows], scored.truth.garments).visible.keypoints
    most = max([figure.percent or 0 for part in parts.values() for figure in part.values()] + [1e-9])

    def cell(figure: Optional[PooledError]) -> Content:
        if figure is None or figure.percent is None:
            return ''
        return element('td', number(figure.percent), style=f'--heat: {figure.percent / most:.2f}')

    board, visible = scored.scores.leaderboard.keypoints, scored.scores.visible.keypoints
    rows = [[name, number(visible[name].percent), str(visible[name].points), number(board[name].percent),
             str(board[name].points), *(cell(part.get(name)) for part in parts.values())] for name in board]
    return table('NE by keypoint', ['', 'NE visible', 'keypoints', 'NE leaderboard', 'keypoints', *parts], rows)


def distribution(scored: ScoredSubmission) -> Html:
    """Returns the distribution of errors: the cumulative curve and the histogram, by type."""
    by_type = errors_by_type(scored)
    rows = [[name, *(number(share_within(values, bound), 1) for bound in _BOUNDS)] for name, values in by_type.items()]
    return section('Distribution of errors', note('Over visible keypoints.'),
                   element('div', element('figure', element('figcaption', 'Percentage of correct keypoints (PCK): '
                                                                          'the error is at most the bound'),
                                          cumulative(by_type)),
                           element('figure', element('figcaption', 'Histogram of errors; the tick is the median'),
                                   histograms(by_type)), class_='plots'),
                   table('Percentage of keypoints within a bound',
                         ['% of keypoints within', *(f'{bound} %' for bound in _BOUNDS)], rows))


def bias(found: Sequence[Bias]) -> Html:
    """Returns the mean offsets by keypoint."""
    if not found:
        return section('Bias', note('There are no keypoints to measure it on.'))
    units = ('dx, %', 'dy, %', 'dx, pixels', 'dy, pixels', 'close: dx, pixels', 'close: dy, pixels')
    rows = [[one.name, str(one.points), *(_offset_cell(offset) for part in (one.percent, one.pixels, one.close)
                                          for offset in part)] for one in found]
    unit, near = '% of the normaliser', f'within {100 * CLOSE_BOUND:.0f} % of the normaliser'
    return section(
        'Bias', note('The mean of predicted less labelled position, over visible keypoints; right and down are '
                     f'positive. "close" means only predictions {near}: they show small shifts, such as one pixel, '
                     'that gross errors hide. Swapped sides move left keypoints to the right and right keypoints to '
                     'the left. Significant values are bold. Bars are 95 % intervals.'),
        element('div', element('figure', element('figcaption', 'All predictions'),
                               mean_offsets({one.name: one.percent for one in found}, 'every', unit)),
                element('figure', element('figcaption', f'Predictions {near}'),
                        mean_offsets({one.name: one.close for one in found}, 'close', 'pixels')), class_='plots'),
        table('Mean offset by keypoint', ['', 'keypoints', *units], rows))


def swaps(scored: ScoredSubmission, complete: np.ndarray, swapped: np.ndarray) -> Html:
    """Returns the swapped pairs of left and right keypoints; complete, swapped: (N, P) bool as in `swapped_pairs`."""
    truth, pairs = scored.truth, mirror_pairs(scored.truth.garments)
    better = score_points(truth.categories, truth.keypoints, unswapped(scored.points, swapped, pairs), truth.garments)
    rows = [[name, complete[scored.of_type(name)], swapped[scored.of_type(name)]] for name in (ALL, *scored.types)]
    names = truth.garments.csv_keypoints
    rows += [[_pair_name(names[left], names[right]), complete[:, pair], swapped[:, pair]]
             for pair, (left, right) in enumerate(pairs)]
    lines = [[name, str(there.sum()), str(wrong.sum()), number(100 * wrong.sum() / there.sum(), 1)]
             for name, there, wrong in rows if there.any()]
    return section('Left and right swapped',
                   note('A pair is swapped if each of its two predictions is nearer to the label of the other keypoint.'
                        f' With these pairs corrected, NE would be {number(better.visible.pooled.percent)} % visible '
                        f'and {number(better.leaderboard.pooled.percent)} % leaderboard.'),
                   table('Swapped pairs', ['', 'pairs', 'swapped', '%'], lines))


def _pair_name(left: str, right: str) -> str:
    both = left.replace('left', 'left/right')
    return both if right == left.replace('left', 'right') else f'{left}, {right}'


def worst(scored: ScoredSubmission, folder: Optional[Path]) -> Html:
    """Returns the worst images with labels and predictions side by side, or without a folder of images, their list."""
    found = worst_images(scored, _WORST)
    names = [(scored.truth.image_ids[one.row], scored.truth.categories[one.row]) for one in found]
    if folder is None:
        rows = [[image_id, category, number(one.error), one.keypoint, number(one.keypoint_error)]
                for (image_id, category), one in zip(names, found)]
        return section('Worst images', note('To see the pictures here, give --imagepath, the folder that image ids '
                                            'start from.'),
                       table('Worst images', ['image', 'type', 'NE visible', 'worst keypoint', 'its error, %'], rows))
    figures = []
    for (image_id, category), one in zip(names, found):
        source, alt = side_by_side(scored, one.row, folder), f'labels and predictions of {image_id}'
        caption = f'{category}, NE {one.error:.1f} %; {one.keypoint} {one.keypoint_error:.0f} %'
        figures.append(element('figure', element('img', src=source, alt=alt),
                               element('figcaption', caption, element('span', image_id, class_='id'))))
    return section('Worst images', note('Labels are on the left, predictions on the right. Left keypoints are orange, '
                                        'right keypoints blue, and occluded keypoints are rings. The caption has the '
                                        'NE visible of the image and the error of its worst keypoint.'),
                   element('div', *figures, class_='grid'))


def comparison(found: Sequence[Difference], second: ScoredSubmission) -> Html:
    """Returns the comparison with another submission."""
    rows = [[one.name, one.convention, number(one.first), number(one.second),
             _marked(number(one.estimate.value, sign=True), bool(one.estimate.sign)), interval(one.estimate)]
            for one in found]
    head = ['', 'convention', 'first', 'second', 'difference', f'{LEVEL} %']
    return section('Comparison with another submission',
                   note(f'The second submission is {short(second.source)}. A difference is NE of the first less NE of '
                        f'the second, in percentage points. Its interval holds {LEVEL} % of the bootstrap samples of '
                        'the images, which are the same for both.'),
                   element('ul', *(element('li', unbroken(verdict(one))) for one in found if one.name == ALL)),
                   element('div', changes(found), table('Differences', head, rows), class_='plots'))


def note(text: str) -> Html:
    """Returns a paragraph of explanation."""
    return element('p', unbroken(text), class_='note')


def unbroken(text: str) -> str:
    """Returns the text without a line break between a number and its unit."""
    return text.replace(' %', '\u00a0%')


def short(source: str) -> str:
    """Returns the name of a file and of its folder only: a report may be passed on, and need not show the whole path.
    """
    return '/'.join(Path(source).parts[-2:])


def number(value: Optional[float], digits: int = 2, sign: bool = False) -> str:
    """Returns a number as text, '-' for None and NaN."""
    if value is None or math.isnan(value):
        return '-'
    return f'{value:{"+" if sign else ""}.{digits}f}'


def texts(rows: Sequence[Sequence[object]]) -> List[List[str]]:
    """Returns cells as text."""
    return [[str(cell) for cell in row] for row in rows]


def _offset_cell(offset: MeanOffset) -> Content:
    return _marked(number(offset.mean, sign=True), bool(offset.sign))


def _marked(text: str, bold: bool) -> Content:
    return element('strong', text) if bold else text
