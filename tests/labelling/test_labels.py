"""Labels: which ones fit a picture and a table."""
from typing import Any, Callable

import pytest

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.labelling.labels import REVIEWED, Label


def test_json_gives_the_same_label_again(skirt: Callable[..., Any]) -> None:
    label = Label(REVIEWED, 'skirt', skirt(), (1, 2, 30, 40))
    assert Label.from_json(label.to_json()) == label
    label.check(GARMENTS, (400, 300))


@pytest.mark.parametrize('change, named', [
    ({'type': 'sock'}, 'sock'), ({'type': None}, 'skirt'), ({'state': 'done'}, 'done'),
    ({'points': {'armpit_left': [1, 2, 1]}}, 'armpit_left'), ({'points': {'hemline_left': [1, 2]}}, 'hemline_left'),
    ({'points': {'hemline_left': [1, 2, 3]}}, 'hemline_left'), ({'points': {'hemline_left': [1, 4000, 1]}}, '4000'),
    ({'points': {'hemline_left': [1, float('nan'), 1]}}, 'hemline_left'), ({'points': {}}, 'waistband_left'),
    ({'box': [1, 2, 3]}, 'box'), ({'box': [1, 2, 0, 5]}, 'box'), ({'box': [900, 2, 10, 10]}, '900'),
    ({'colour': 'red'}, 'colour')])
def test_what_does_not_fit_is_named(skirt: Callable[..., Any], change: Any, named: str) -> None:
    values = {**Label(REVIEWED, 'skirt', skirt()).to_json(), **change}
    with pytest.raises(InputError, match=named):
        Label.from_json(values).check(GARMENTS, (400, 300))
