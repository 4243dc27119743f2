"""Loads matplotlib, which only plots need and which may not be installed."""
from typing import Any

from fashionai.errors import InputError
from fashionai.extras import missing_package

BLUE, ORANGE, GREY = '#0072B2', '#D55E00', '#888888'
"""Blue and vermilion of Okabe and Ito's palette, which colour-blind people can tell apart, and a grey."""


def load_matplotlib() -> Any:
    """Returns the package. Raises InputError with the command that installs it if it is not installed."""
    try:
        import matplotlib
    except ImportError:
        raise InputError(missing_package('matplotlib')) from None
    return matplotlib


def new_figure(width: float, height: float) -> Any:
    """Returns an empty figure, sizes in inches, that arranges its axes by itself. Errors as in `load_matplotlib`."""
    load_matplotlib()
    from matplotlib.figure import Figure
    return Figure(figsize=(width, height), constrained_layout=True)
