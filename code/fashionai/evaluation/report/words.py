"""What the figures say, in sentences."""
from types import MappingProxyType
from typing import Dict, List, Sequence

import numpy as np

from fashionai.evaluation.report.bias import CLOSE_BOUND, EVERY, LEFT, RIGHT, Bias, Drifts
from fashionai.evaluation.report.comparison import Difference
from fashionai.evaluation.report.measurement import ALL, Measurement, errors_by_type
from fashionai.evaluation.report.resampling import LEVEL, Estimate

_ALIKE = 0.75
"""Share of keypoints that must lean one way for a shift to be called one of all."""

_DIRECTIONS = MappingProxyType({(0, 1): 'to the right', (0, -1): 'to the left', (1, 1): 'down', (1, -1): 'up'})
"""By axis and sign."""

_MANY_SWAPS, _MOST_SWAPPED = 0.05, 0.5
_NAMED = 5


def findings(subject: Measurement, errors: Dict[str, List[Estimate]], found: Sequence[Bias], pairs: int,
             swapped: int) -> List[str]:
    """The report in short: `errors` as from ne_estimates, `found` as from biases."""
    return [*_overall(subject, errors), shift(found), *_sides(found), _keypoints(found), _swaps(pairs, swapped),
            *_gaps(subject)]


def interval(estimate: Estimate) -> str:
    """`4.93 to 5.61`, or '-' where there is none."""
    return '-' if estimate.value is None else f'{estimate.low:.2f} to {estimate.high:.2f}'


def towards(drifts: Drifts, unit: str) -> str:
    """`1.20 pixels to the right and 0.40 pixels up`: what is significant of an offset."""
    return ' and '.join(f'{abs(drift.mean):.2f}{unit} {_DIRECTIONS[axis, drift.sign]}'
                        for axis, drift in enumerate(drifts) if drift.sign)


def shift(found: Sequence[Bias]) -> str:
    """Whether predictions as a whole lie to one side, seen from those close to their labels."""
    every = [bias.close for bias in found if bias.name == EVERY]
    near = f'The predictions within {100 * CLOSE_BOUND:.0f} % of the normaliser'
    if not every or not _significant(every[0]):
        return f'{near} show no shift as a whole.'
    keypoints = [bias.close for bias in found if bias.name not in (EVERY, LEFT, RIGHT)]
    alike = []
    for axis, drift in enumerate(every[0]):
        leaning = [one[axis].mean * drift.sign > 0 for one in keypoints if one[axis].points]
        if drift.sign and np.mean(leaning) >= _ALIKE:
            alike.append(f'{sum(leaning)} of {len(leaning)} keypoints lean {_DIRECTIONS[axis, drift.sign]}')
    hint = f' {" and ".join(alike)}: a convention of pixels, or of cells, may be shifted.' if alike else ''
    return f'{near} lie off their labels by {towards(every[0], " pixels")}, on the average.{hint}'


def verdict(change: Difference) -> str:
    """Which of two submissions is better, and whether that may be chance."""
    estimate = change.estimate
    if estimate.value is None:
        return f'{change.convention}: nothing to compare.'
    size = (f'{abs(estimate.value):.2f} points of NE ({change.first:.2f} and {change.second:.2f} %; the difference '
            f'is {interval(estimate)} in {LEVEL} % of the resamplings)')
    if not estimate.sign:
        return f'{change.convention}: they differ by {size}, which may be chance.'
    return f'{change.convention}: the {"second" if estimate.sign > 0 else "first"} is better by {size}.'


def _overall(subject: Measurement, errors: Dict[str, List[Estimate]]) -> List[str]:
    all_visible, all_board = errors['visible'][0], errors['leaderboard'][0]
    if all_visible.value is None:
        return ['No keypoint counts in the convention visible.']
    lines = [f'NE is {all_visible.value:.2f} % visible ({interval(all_visible)} in {LEVEL} % of resamplings of the '
             f'images) and {all_board.value:.2f} % leaderboard ({interval(all_board)}).']
    ranked = sorted((one.value, name) for name, one in zip(subject.types, errors['visible'][1:])
                    if one.value is not None)
    if len(ranked) > 1:
        lines.append(f'The type found best is {ranked[0][1]} ({ranked[0][0]:.2f} % visible), the one found worst '
                     f'{ranked[-1][1]} ({ranked[-1][0]:.2f} %).')
    values = np.sort(errors_by_type(subject)[ALL])
    worst = values[len(values) - max(1, len(values) // 10):]
    if values.sum() > 0:
        lines.append(f'Half of the visible keypoints are within {np.median(values):.2f} % of the normaliser; the worst '
                     f'tenth makes up {100 * worst.sum() / values.sum():.0f} % of the error.')
    return lines


def _sides(found: Sequence[Bias]) -> List[str]:
    """Whether left and right keypoints lean against each other."""
    left, right = ([bias.spans[0] for bias in found if bias.name == name] for name in (LEFT, RIGHT))
    if not left or not right or left[0].sign * right[0].sign >= 0:
        return []
    way = 'towards each other' if left[0].sign > 0 else 'away from each other'
    return [f'Left and right keypoints lie {way}: by {left[0].mean:+.2f} and {right[0].mean:+.2f} % of the normaliser, '
            'on the average.' + (' Exchanged pairs do that.' if left[0].sign > 0 else '')]


def _keypoints(found: Sequence[Bias]) -> str:
    """The keypoints that lie to one side."""
    biased = [bias for bias in found if bias.name not in (EVERY, LEFT, RIGHT) and _significant(bias.spans)]
    if not biased:
        return 'Over every prediction, no keypoint by itself has a significant bias.'
    biased.sort(key=lambda bias: -max(abs(drift.mean) for drift in bias.spans if drift.sign))
    named = [f'{bias.name} {towards(bias.spans, " %")}' for bias in biased[:_NAMED]]
    more = f'; and {len(biased) - _NAMED} more, bold below' if len(biased) > _NAMED else ''
    return f'Over every prediction, keypoints with a significant bias, of the normaliser: {"; ".join(named)}{more}.'


def _swaps(pairs: int, swapped: int) -> str:
    if not swapped:
        return f'None of {pairs} pairs of left and right keypoints is exchanged.'
    text = f'{swapped} of {pairs} pairs of left and right keypoints ({100 * swapped / pairs:.1f} %) are exchanged.'
    if swapped > _MOST_SWAPPED * pairs:
        return f"{text} That is most of them: left and right are the image's, not the wearer's."
    return text + (' That is a lot.' if swapped > _MANY_SWAPS * pairs else '')


def _gaps(subject: Measurement) -> List[str]:
    """Predictions that are missing, and images that count nowhere."""
    labelled = subject.counted('leaderboard')
    missing = int((labelled & ~subject.found).sum())
    idle = int((~labelled.any(axis=1)).sum())
    lines = []
    if missing:
        lines.append(f'{missing} of {int(labelled.sum())} labelled keypoints have no prediction: they are measured '
                     'from (-1, -1), and are left out where bias and exchanged pairs are looked for.')
    if idle:
        lines.append(f'{idle} of {len(labelled)} images cannot be measured, for want of a normaliser.')
    return lines


def _significant(drifts: Drifts) -> bool:
    return any(drift.sign for drift in drifts)
