"""Draws the results: the cost and the error of the networks, and the change of the error by each idea."""
import math
from pathlib import Path
from statistics import mean
from typing import Any, Collection, List, Mapping, Sequence

from fashionai.evaluation.plotting import BLUE, GREY, ORANGE, new_figure
from fashionai.evaluation.report.resampling import LEVEL
from fashionai.experiments.report import BETTER, UNDECIDED, WORSE, Result
from fashionai.files import replacing

_INCHES_A_LINE, _INCHES_A_PANEL = 0.24, 6.5
_NETWORKS = 'networks'
_WIDEST = 3.
"""The axis of differences ends at this number of points; larger differences are written at its end."""

_SEEDS = '#d9d9d9'
_COLOURS = {BETTER: BLUE, WORSE: ORANGE, UNDECIDED: GREY}


def draw(found: Mapping[str, Result], path: Path) -> None:
    """Writes the plot. Raises InputError if matplotlib is not installed."""
    networks = [result for result in found.values() if result.setting.group == _NETWORKS]
    ideas = [result for result in found.values()
             if result.setting.group != _NETWORKS and result.difference is not None]
    trained, ways = ([idea for idea in ideas if bool(idea.setting.network) == supplied] for supplied in (False, True))
    usual = {name for name, result in found.items() if result.setting.is_reference}
    panels = [panel for panel in (networks, trained, ways) if panel] or [networks]
    lines = max(len(some) + len({idea.setting.group for idea in some}) for some in (trained, ways))
    figure = new_figure(_INCHES_A_PANEL * len(panels), max(4.5, 2 + _INCHES_A_LINE * lines))
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        if panel is networks:
            _networks(axes, networks)
        elif panel is trained:
            _ideas(axes, trained, 'Trainings', usual)
        else:
            _ideas(axes, ways, 'Ways to use the supplied network', usual)
    with replacing(path) as draft:
        figure.savefig(str(draft), format=path.suffix[1:], dpi=110, metadata={'Software': None})


def _networks(axes: Any, networks: Sequence[Result]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
    axes.set(xscale='log', xlabel='GFLOPs per image at the size of the training', ylabel='capped NE, %',
             title='Networks')
    axes.grid(color='#e5e5e5')
    axes.margins(y=0.08)
    axes.set_axisbelow(True)
    points = sorted((mean(result.capped), result.rows[0].gflops, result.setting.name) for result in networks)
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


def _ideas(axes: Any, ideas: Sequence[Result], title: str, usual: Collection[str]) -> None:
    """Draws the differences with their intervals; `usual` are the settings that labels leave out."""
    axes.set(xlabel=f'difference of the capped NE, and its {LEVEL} % interval (left: better)', title=title)
    labels, place = [], 0
    for group in dict.fromkeys(idea.setting.group for idea in ideas):
        labels.append((place, group.upper()))
        for idea in [idea for idea in ideas if idea.setting.group == group]:
            place += 1
            other = '' if idea.setting.against in usual else f' (from {idea.setting.against})'
            labels.append((place, idea.setting.name + other))
            _difference(axes, place, idea)
        place += 1
    axes.axvline(0, color='black', lw=0.8, zorder=2)
    axes.grid(axis='x', color='#e5e5e5')
    axes.set_axisbelow(True)
    axes.set_yticks([place for place, _ in labels])
    for tick, (_, label) in zip(axes.set_yticklabels([label for _, label in labels], fontsize=9), labels):
        tick.set_fontweight('bold' if label.isupper() else 'normal')
    axes.tick_params(axis='y', length=0)
    axes.margins(x=0.08)
    axes.set_ylim(place, -1)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -1.1 * _WIDEST), min(high, 1.1 * _WIDEST))
    if any(idea.seed_limit for idea in ideas):
        axes.barh([0], [0], color=_SEEDS, label='another seed may cause it')
    for verdict, colour in _COLOURS.items():
        axes.plot([], [], 'o', color=colour, label=verdict)
    axes.legend(loc='upper center', bbox_to_anchor=(0.5, -0.08), frameon=False, fontsize=9, ncol=3)


def _difference(axes: Any, place: int, idea: Result) -> None:
    estimate = idea.capped_difference
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return
    if idea.seed_limit:
        axes.barh(place, 2 * idea.seed_limit, left=-idea.seed_limit, height=0.9, color=_SEEDS, zorder=0)
    colour, side = _COLOURS[idea.verdict], math.copysign(1, estimate.value)
    if abs(estimate.value) > _WIDEST:
        axes.plot(side * _WIDEST, place, '>' if side > 0 else '<', color=colour, zorder=3)
        axes.annotate(f'{estimate.value:+.1f}', (side * _WIDEST, place), xytext=(-7 * side, 0), va='center', fontsize=8,
                      textcoords='offset points', ha='right' if side > 0 else 'left')
        return
    axes.errorbar(estimate.value, place, fmt='o', ms=5, color=colour, capsize=3, zorder=3,
                  xerr=[[estimate.value - estimate.low], [estimate.high - estimate.value]])
