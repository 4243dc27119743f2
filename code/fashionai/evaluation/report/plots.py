"""Plots as SVG inside the page: they use the colours of the page, light or dark, and the available width."""
import re
from io import StringIO
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from fashionai.evaluation.plotting import BLUE, ORANGE, load_matplotlib, new_figure
from fashionai.evaluation.report.markup import Html, element
from fashionai.evaluation.report.resampling import Difference
from fashionai.evaluation.report.scored_submission import ALL, CONVENTIONS
from fashionai.evaluation.report.systematic_errors import MeanOffsets

_INK, _FAINT = '#010101', '#020202'
"""Placeholders, which are replaced by the page's colours in the finished SVG."""

_PAGE_COLOURS = {_INK: 'currentColor', _FAINT: 'var(--line)'}
_SERIES = (BLUE, ORANGE, '#009E73', '#CC79A7', '#E69F00', '#56B4E9')
"""Okabe and Ito's palette without yellow, which is hard to see on white paper."""

_DASHES = ('-', '--', '-.', ':')
_CONVENTION_COLOURS = dict(zip(CONVENTIONS, (BLUE, ORANGE)))
_LEAST, _MOST = 0.1, 1000.
"""Ends of the histogram's logarithmic axis in percent; larger and smaller errors are counted at the ends."""

_BINS_PER_DECADE = 10
_TAIL = 90
"""The cumulative curve is drawn up to this percentile of errors."""

_INTERVAL_WIDTH = 1.96
"""Half of a 95 % interval, in standard errors."""

_WIDTH = 5.
"""Width in inches; a page shows an inch as about 72 pixels, so the plot has about the width of a phone."""


def cumulative(errors: Mapping[str, np.ndarray]) -> Html:
    """Returns the percentage of correct keypoints by bound: a curve for all and for each type; errors in percent."""
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        top = max(5., float(np.percentile(errors[ALL], _TAIL))) if len(errors[ALL]) else 5.
        for name, values in errors.items():
            share = 100 * np.arange(len(values) + 1) / max(len(values), 1)
            axes.step(np.append(0, np.sort(values)), share, where='post', label=name, **_line(name, errors))
        axes.set(xlim=(0, top), ylim=(0, 100), xlabel='error, % of the normaliser', ylabel='keypoints within, %')
        axes.grid(color=_FAINT, lw=0.6)
        axes.legend(loc='lower right', frameon=False)
    return _svg('cumulative', 'Share of keypoints within an error, by type', (_WIDTH, 3.6), draw)


def histograms(errors: Mapping[str, np.ndarray]) -> Html:
    """Returns the histogram of errors for each type, on a logarithmic axis; errors in percent. A tick is the median."""
    names = [name for name in errors if name != ALL]
    decades = int(round(np.log10(_MOST / _LEAST)))
    edges = np.logspace(np.log10(_LEAST), np.log10(_MOST), decades * _BINS_PER_DECADE + 1)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, name in enumerate(names):
            values = np.clip(errors[name], _LEAST, _MOST)
            counts = np.histogram(values, edges)[0]
            heights = place - 0.85 * np.append(counts, counts[-1]) / max(counts.max(), 1)
            axes.fill_between(edges, place, heights, step='post', color=_line(name, errors)['color'], lw=0)
            axes.axhline(place, color=_FAINT, lw=0.6)
            if len(values):
                axes.plot([np.median(values)] * 2, [place, place - 0.95], color=_INK, lw=1)
        axes.set(xscale='log', xlim=(_LEAST, _MOST), ylim=(len(names) - 1, -1), xlabel='error, % of the normaliser')
        axes.set_xticks([0.1, 1, 10, 100, 1000])
        axes.set_xticklabels(['0.1', '1', '10', '100', '1000'])
        axes.set_yticks(range(len(names)))
        axes.set_yticklabels(names)
        axes.tick_params(axis='y', length=0)
        axes.spines['left'].set_visible(False)
    return _svg('histogram', 'Histogram of errors, by type', (_WIDTH, 0.8 + 0.6 * len(names)), draw)


def mean_offsets(found: Mapping[str, MeanOffsets], name: str, unit: str) -> Html:
    """Returns the mean offsets of keypoints along x and y, with their 95 % intervals."""
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for axis, (label, colour, marker) in enumerate((('to the right', BLUE, 'o'), ('down', ORANGE, 's'))):
            rows = [(place, pair[axis]) for place, pair in enumerate(found.values()) if pair[axis].points]
            axes.errorbar([offset.mean for _, offset in rows], [place + 0.3 * axis - 0.15 for place, _ in rows],
                          xerr=[_INTERVAL_WIDTH * offset.error for _, offset in rows], fmt=marker, ms=3.5, lw=1.2,
                          color=colour, label=label)
        axes.axvline(0, color=_INK, lw=0.8)
        axes.grid(axis='x', color=_FAINT, lw=0.6)
        axes.set(ylim=(len(found) - 0.5, -0.5), xlabel=f'predicted less labelled, {unit}')
        axes.set_yticks(range(len(found)))
        axes.set_yticklabels(list(found))
        _legend_above(axes)
    return _svg(name, f'Mean offset of predictions by keypoint, {unit}', (_WIDTH, 1.2 + 0.26 * len(found)), draw)


def changes(found: Sequence[Difference]) -> Html:
    """Returns the differences between two submissions, with their intervals."""
    names = list(dict.fromkeys(one.name for one in found))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for shift, convention in zip((-0.15, 0.15), CONVENTIONS):
            rows = [one for one in found if one.convention == convention and one.estimate.value is not None]
            ends = [(one.estimate.value, one.estimate.low, one.estimate.high) for one in rows]
            value, low, high = np.array(ends, np.float64).reshape(-1, 3).T
            axes.errorbar(value, [names.index(one.name) + shift for one in rows], xerr=[value - low, high - value],
                          fmt='o', ms=4, lw=1.4, color=_CONVENTION_COLOURS[convention], label=convention)
        axes.axvline(0, color=_INK, lw=0.8)
        axes.grid(axis='x', color=_FAINT, lw=0.6)
        axes.set(ylim=(len(names) - 0.5, -0.5),
                 xlabel='difference, percentage points (below 0: the first is better)')
        axes.set_yticks(range(len(names)))
        axes.set_yticklabels(names)
        _legend_above(axes)
    return _svg('changes', 'Differences between two submissions', (_WIDTH, 1.3 + 0.35 * len(names)), draw)


def _legend_above(axes: Any) -> None:
    """Adds a legend above the plot, which has no labels there: below, a plot of few rows would hide its axis label."""
    axes.legend(loc='lower center', bbox_to_anchor=(0.4, 1), ncol=2, frameon=False)


def _line(name: str, errors: Mapping[str, np.ndarray]) -> Dict[str, Any]:
    """Returns colour, width and dashes of a type's curve."""
    if name == ALL:
        return {'color': _INK, 'lw': 2.2}
    place = [other for other in errors if other != ALL].index(name)
    return {'color': _SERIES[place % len(_SERIES)], 'lw': 1.5, 'ls': _DASHES[place % len(_DASHES)]}


def _svg(name: str, label: str, size: Sequence[float], draw: Callable[[Any], None]) -> Html:
    """Returns a drawing as an element of the page. `name` makes its ids different from those of other drawings."""
    colours = dict.fromkeys(('text.color', 'axes.labelcolor', 'axes.edgecolor', 'xtick.color', 'ytick.color'), _INK)
    style = {**colours, 'svg.fonttype': 'none', 'svg.hashsalt': name, 'font.family': 'sans-serif', 'font.size': 10,
             'axes.spines.top': False, 'axes.spines.right': False}
    with load_matplotlib().rc_context(style):
        figure, file = new_figure(*size), StringIO()
        draw(figure)
        figure.savefig(file, format='svg', transparent=True)
    text = file.getvalue()
    text = text[text.index('<svg'):]
    text = re.sub(r'<metadata>.*?</metadata>|<style.*?</style>', '', text, flags=re.S)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf'\g<1>{name}-', text)
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" role="img" aria-label="{label}">', text,
                  count=1, flags=re.S)
    for placeholder, colour in _PAGE_COLOURS.items():
        text = text.replace(placeholder, colour)
    return element('div', Html(text), class_='plot')
