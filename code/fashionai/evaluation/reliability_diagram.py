"""Draws the reliability diagram: the share of points that are near, by what was said of them. Needs matplotlib."""
from pathlib import Path
from typing import Mapping, Sequence

from fashionai.calibration.statistics import Bin
from fashionai.errors import InputError
from fashionai.evaluation.plotting import BLUE, GREY, ORANGE, new_figure
from fashionai.files import replacing

_LARGEST = 160.
"""Area of the mark of a class that has all points, in square points."""


def draw_reliability(path: Path, panels: Mapping[str, Mapping[str, Sequence[Bin]]]) -> None:
    """Writes the diagram as an image; the ending of the path chooses the format.

    Args:
        path: the file to write.
        panels: by title, up to two curves by name. A mark is a class of probabilities; its area is the share of the
            points that it has.

    Raises InputError if matplotlib is not installed, or does not know the format.
    """
    figure = new_figure(3.4 * len(panels), 3.6)
    for axes, (title, curves) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items()):
        axes.plot((0, 1), (0, 1), color=GREY, lw=0.8)
        for (name, bins), colour in zip(curves.items(), (ORANGE, BLUE)):
            count = sum(one.count for one in bins)
            across, up = [one.probability for one in bins], [one.share for one in bins]
            axes.plot(across, up, color=colour, lw=1.2, label=name)
            axes.scatter(across, up, [_LARGEST * one.count / count + 4 for one in bins], color=colour)
        axes.set(xlim=(0, 1), ylim=(0, 1), title=title, xlabel='said', ylabel='share of points within 10 %',
                 aspect='equal')
        axes.legend(loc='upper left', frameon=False)
    with replacing(path) as draft:
        try:
            figure.savefig(str(draft), format=path.suffix[1:] or 'png', dpi=110)
        except ValueError as error:
            raise InputError(f'{path}: {str(error).splitlines()[0]}') from None
