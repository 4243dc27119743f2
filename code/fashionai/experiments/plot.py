"""Draws the results: the cost and the error of the networks, and the change of the error by each idea."""
import math
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence

from fashionai.evaluation.plotting import BLUE, GREY, ORANGE, new_figure
from fashionai.experiments.report import Result
from fashionai.files import replacing

_INCHES_A_BAR = 0.24

_LINEAR = 5.
"""The axis of differences is linear up to this number of points, and logarithmic beyond."""


def draw(found: Mapping[str, Result], path: Path) -> None:
    """Writes the plot. Raises InputError if matplotlib is not installed."""
    networks = [result for result in found.values() if result.setting.group == 'networks']
    ideas = [result for result in found.values()
             if result.setting.group != 'networks' and result.difference is not None]
    height = max(4.5, 1.5 + _INCHES_A_BAR * (len(ideas) + len({idea.setting.group for idea in ideas})))
    figure = new_figure(13, height)
    left, right = figure.subplots(1, 2)
    _networks(left, networks)
    _ideas(right, ideas, found.get('baseline'))
    with replacing(path) as draft:
        figure.savefig(str(draft), format=path.suffix[1:], dpi=110, metadata={'Software': None})


def _networks(axes: Any, networks: Sequence[Result]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
    axes.set(xscale='log', xlabel="GFLOPs per image at the budget's size", ylabel='NE visible, %', title='Networks')
    axes.grid(color='#e5e5e5')
    axes.margins(y=0.08)
    axes.set_axisbelow(True)
    points = sorted((result.visible[0], result.rows[0].gflops, result.setting.name) for result in networks)
    if not points:
        return
    errors, costs = [error for error, _, _ in points], [cost for _, cost, _ in points]
    axes.scatter(costs, errors, color=BLUE, zorder=3)
    axes.set_xlim(min(costs) / 1.5, max(costs) * 6)  # leaves space for names to the right of points
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f'{cost:g}'))
    axes.xaxis.set_minor_formatter(NullFormatter())
    places = apart([math.log10(cost) for cost in costs], errors, 1, 0.03 * (errors[-1] - errors[0]))
    for (error, cost, name), place in zip(points, places):
        axes.annotate(name, (cost, error), xytext=(1.12 * cost, place), textcoords='data', va='center', fontsize=9,
                      arrowprops={'arrowstyle': '-', 'color': GREY, 'lw': 0.6})


def apart(across: Sequence[float], up: Sequence[float], width: float, height: float) -> List[float]:
    """Returns the heights of labels for points in ascending order. Labels that would overlap are moved up."""
    places: List[float] = []
    for x, y in zip(across, up):
        below = [place for other, place in zip(across, places) if abs(other - x) < width]
        places.append(max([y] + [place + height for place in below]))
    return places


def _ideas(axes: Any, ideas: Sequence[Result], baseline: Optional[Result]) -> None:
    from matplotlib.ticker import FuncFormatter
    axes.set(xlabel='difference of NE visible from the compared setting, points (left: better)', title='Ideas')
    labels, place = [], 0
    for group in dict.fromkeys(idea.setting.group for idea in ideas):
        labels.append((place, group.upper()))
        for idea in [idea for idea in ideas if idea.setting.group == group]:
            place += 1
            other = '' if idea.setting.against == 'baseline' else f' (from {idea.setting.against})'
            labels.append((place, idea.setting.name + other))
            change = idea.difference or 0.
            axes.barh(place, change, color=BLUE if change < 0 else ORANGE, height=0.7, zorder=3)
            axes.annotate(f'{change:+.2f}', (change, place), xytext=(4 if change >= 0 else -4, 0), va='center',
                          textcoords='offset points', ha='left' if change >= 0 else 'right', fontsize=8)
        place += 1
    if baseline is not None:
        mean, low, high = baseline.visible
        axes.axvspan(low - mean, high - mean, color='#d9d9d9', zorder=1, label="baseline's seeds, lowest to highest")
        axes.legend(loc='upper center', bbox_to_anchor=(0.5, -0.07), frameon=False, fontsize=9)
    axes.axvline(0, color='black', lw=0.8, zorder=4)
    axes.set_yticks([place for place, _ in labels])
    for tick, (_, label) in zip(axes.set_yticklabels([label for _, label in labels], fontsize=9), labels):
        tick.set_fontweight('bold' if label.isupper() else 'normal')
    axes.tick_params(axis='y', length=0)
    axes.set_xscale('symlog', linthresh=_LINEAR, linscale=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda change, _: f'{change:g}'))
    axes.margins(x=0.15)
    axes.set_ylim(place, -1)
