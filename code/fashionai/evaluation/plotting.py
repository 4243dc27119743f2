"""matplotlib, which only plots need and not everyone has."""
from typing import Any

from fashionai.errors import InputError

BLUE, ORANGE, GREY = '#0072B2', '#D55E00', '#888888'
"""Blue and vermilion of Okabe and Ito's palette, which colour-blind people can tell apart."""


def load_matplotlib() -> Any:
    """The package. Raises InputError, with the command that mends it, where it is not installed."""
    try:
        import matplotlib
    except ImportError:
        raise InputError('plots need matplotlib, which is not installed: python -m pip install matplotlib') from None
    return matplotlib


def new_figure(width: float, height: float) -> Any:
    """An empty figure of that many inches, which arranges its axes by itself; errors as above."""
    load_matplotlib()
    from matplotlib.figure import Figure
    return Figure(figsize=(width, height), constrained_layout=True)
