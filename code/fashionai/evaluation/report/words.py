"""The findings of the report as sentences."""
from types import MappingProxyType
from typing import Dict, List, Sequence

import numpy as np

from fashionai.evaluation.report.resampling import LEVEL, Difference, Estimate
from fashionai.evaluation.report.scored_submission import ALL, ScoredSubmission, errors_by_type
from fashionai.evaluation.report.systematic_errors import CLOSE_BOUND, EVERY, LEFT, RIGHT, Bias, MeanOffsets

_ALIKE = 0.75
"""Smallest share of keypoints that are shifted in one direction for a hint at a shift of all keypoints."""

_DIRECTIONS = MappingProxyType({(0, 1): 'to the right', (0, -1): 'to the left', (1, 1): 'down', (1, -1): 'up'})
"""By axis and sign."""

_MANY_SWAPS, _MOST_SWAPPED = 0.05, 0.5
"""Shares of swapped pairs from which the report comments on them."""

_NAMED = 5
"""Largest number of keypoints that a sentence names."""


def findings(scored: ScoredSubmission, errors: Dict[str, List[Estimate]], found: Sequence[Bias], pairs: int,
             swapped: int) -> List[str]:
    """Returns the summary of the report.

    errors: from `ne_estimates`. found: from `biases`. pairs, swapped: the numbers of complete and of swapped pairs.
    """
    return [*_overall(scored, errors), shift(found), *_sides(found), _keypoints(found), _swaps(pairs, swapped),
            *_gaps(scored)]


def interval(estimate: Estimate) -> str:
    """Returns `4.93 to 5.61`, or '-' if there is no interval."""
    return '-' if estimate.value is None else f'{estimate.low:.2f} to {estimate.high:.2f}'


def towards(mean_offsets: MeanOffsets, unit: str) -> str:
    """Returns the significant parts of an offset, such as `1.20 pixels to the right and 0.40 pixels up`."""
    return ' and '.join(f'{abs(offset.mean):.2f}{unit} {_DIRECTIONS[axis, offset.sign]}'
                        for axis, offset in enumerate(mean_offsets) if offset.sign)


def shift(found: Sequence[Bias]) -> str:
    """Returns whether close predictions have a common shift."""
    every = [bias.close for bias in found if bias.name == EVERY]
    near = f'The predictions within {100 * CLOSE_BOUND:.0f} % of the normaliser'
    if not every or not _significant(every[0]):
        return f'{near} have no significant common shift.'
    keypoints = [bias.close for bias in found if bias.name not in (EVERY, LEFT, RIGHT)]
    alike = []
    for axis, offset in enumerate(every[0]):
        same = [one[axis].mean * offset.sign > 0 for one in keypoints if one[axis].points]
        if offset.sign and np.mean(same) >= _ALIKE:
            alike.append(f'{sum(same)} of {len(same)} keypoints are shifted {_DIRECTIONS[axis, offset.sign]}')
    hint = f' {" and ".join(alike)}: check the conventions for pixel and cell coordinates.' if alike else ''
    shifted = towards(every[0], ' pixels')
    return f'{near} are shifted from their labels by {shifted} on average.{hint}'


def verdict(change: Difference) -> str:
    """Returns which of two submissions is better, and whether that may be chance."""
    estimate = change.estimate
    if estimate.value is None:
        return f'{change.convention}: nothing to compare.'
    size = (f'{abs(estimate.value):.2f} percentage points of NE ({change.first:.2f} and {change.second:.2f} %; the '
            f'difference is {interval(estimate)} in {LEVEL} % of the bootstrap samples)')
    if not estimate.sign:
        return f'{change.convention}: they differ by {size}, which may be chance.'
    return f'{change.convention}: the {"second" if estimate.sign > 0 else "first"} is better by {size}.'


def _overall(scored: ScoredSubmission, errors: Dict[str, List[Estimate]]) -> List[str]:
    all_visible, all_board = errors['visible'][0], errors['leaderboard'][0]
    if all_visible.value is None:
        return ['No keypoint counts in the convention visible.']
    lines = [f'NE is {all_visible.value:.2f} % visible ({interval(all_visible)} in {LEVEL} % of the bootstrap samples) '
             f'and {all_board.value:.2f} % leaderboard ({interval(all_board)}).']
    ranked = sorted((one.value, name) for name, one in zip(scored.types, errors['visible'][1:])
                    if one.value is not None)
    if len(ranked) > 1:
        lines.append(f'The type with the smallest error is {ranked[0][1]} ({ranked[0][0]:.2f} % visible); the type '
                     f'with the largest error is {ranked[-1][1]} ({ranked[-1][0]:.2f} %).')
    values = np.sort(errors_by_type(scored)[ALL])
    worst = values[len(values) - max(1, len(values) // 10):]
    if values.sum() > 0:
        lines.append(f'The median error of visible keypoints is {np.median(values):.2f} % of the normaliser; the worst '
                     f'tenth of the keypoints makes up {100 * worst.sum() / values.sum():.0f} % of the total error.')
    return lines


def _sides(found: Sequence[Bias]) -> List[str]:
    """Returns a sentence if left and right keypoints are shifted in opposite directions."""
    left, right = ([bias.percent[0] for bias in found if bias.name == name] for name in (LEFT, RIGHT))
    if not left or not right or left[0].sign * right[0].sign >= 0:
        return []
    way = 'towards each other' if left[0].sign > 0 else 'away from each other'
    return [f'Left and right keypoints are shifted {way}: by {left[0].mean:+.2f} and {right[0].mean:+.2f} % of the '
            'normaliser on average.' + (' Swapped pairs cause this.' if left[0].sign > 0 else '')]


def _keypoints(found: Sequence[Bias]) -> str:
    """Returns the keypoints that have a significant bias."""
    biased = [bias for bias in found if bias.name not in (EVERY, LEFT, RIGHT) and _significant(bias.percent)]
    if not biased:
        return 'Over all predictions, no single keypoint has a significant bias.'
    biased.sort(key=lambda bias: -max(abs(offset.mean) for offset in bias.percent if offset.sign))
    named = [f'{bias.name} {towards(bias.percent, " %")}' for bias in biased[:_NAMED]]
    more = f'; and {len(biased) - _NAMED} more, which are bold below' if len(biased) > _NAMED else ''
    return ('Over all predictions, keypoints with a significant bias, in percent of the normaliser: '
            f'{"; ".join(named)}{more}.')


def _swaps(pairs: int, swapped: int) -> str:
    if not swapped:
        return f'None of {pairs} pairs of left and right keypoints is swapped.'
    text = f'{swapped} of {pairs} pairs of left and right keypoints ({100 * swapped / pairs:.1f} %) are swapped.'
    if swapped > _MOST_SWAPPED * pairs:
        return f"{text} This is most of them: check that left and right are the image's sides, not the wearer's."
    return text + (' This is many.' if swapped > _MANY_SWAPS * pairs else '')


def _gaps(scored: ScoredSubmission) -> List[str]:
    """Returns sentences about missing predictions and about images that cannot be measured."""
    labelled = scored.counted('leaderboard')
    missing = int((labelled & ~scored.found).sum())
    idle = int((~labelled.any(axis=1)).sum())
    lines = []
    if missing:
        lines.append(f'{missing} of {int(labelled.sum())} labelled keypoints have no prediction: their error is '
                     'measured from (-1, -1), and they do not count for bias and swapped pairs.')
    if idle:
        lines.append(f'{idle} of {len(labelled)} images cannot be measured: they have no labelled keypoint or no '
                     'normaliser.')
    return lines


def _significant(mean_offsets: MeanOffsets) -> bool:
    return any(offset.sign for offset in mean_offsets)
