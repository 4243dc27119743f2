"""Lengths along paths over keypoints, compared with values computed by hand."""
from dataclasses import replace
from typing import Dict, Tuple

import numpy as np
import pytest

from fashionai.errors import InputError
from fashionai.garments.measurements import (
    LENGTHS,
    Measurement,
    Points,
    Reference,
    fixed_scale,
    lengths_of,
    measure,
    no_scale,
    parse_reference,
    plane_scale,
    reference_scale,
    scale_of,
)
from fashionai.garments.planes import Plane
from fashionai.garments.table import GARMENTS

TROUSERS = {'waistband_left': (0, 0), 'waistband_right': (30, 40), 'crotch': (15, 50), 'bottom_left_in': (15, 80),
            'bottom_left_out': (0, 80), 'bottom_right_in': (27, 66), 'bottom_right_out': (90, 40)}


def points(places: Dict[str, Tuple[float, float]], tag: str, *missing: str) -> Points:
    """The first point has the score 0.5, and each one after it 0.05 more."""
    garment = GARMENTS[tag]
    scores = 0.5 + 0.05 * np.arange(len(garment.keypoints))
    return Points(garment, np.array([places[name] for name in garment.keypoints], float), scores,
                  np.array([name not in missing for name in garment.keypoints]))


def test_lengths_are_those_of_paths_and_sides_are_averaged() -> None:
    lengths = measure(points(TROUSERS, 'trousers'))
    assert list(lengths) == ['waist', 'rise', 'inseam', 'outseam', 'leg_opening']
    assert lengths['waist'].pixels == pytest.approx(50), '3-4-5'
    assert lengths['rise'].pixels == pytest.approx(30), 'from (15, 20), the middle of the waistband'
    assert lengths['inseam'].pixels == pytest.approx((30 + 20) / 2)
    assert lengths['outseam'].pixels == pytest.approx((80 + 60) / 2)
    assert lengths['waist'].score == 0.5 and lengths['inseam'].score == pytest.approx(0.6)
    assert all(length.cm is None for length in lengths.values())


def test_a_side_that_was_not_found_is_left_out_and_a_length_without_points_is_none() -> None:
    lengths = measure(points(TROUSERS, 'trousers', 'bottom_left_in', 'waistband_left'))
    assert lengths['inseam'].pixels == pytest.approx(20) and lengths['outseam'].pixels == pytest.approx(60)
    assert lengths['waist'] == lengths['rise'] == Measurement(None, None, None)


def test_a_path_bends_at_its_points() -> None:
    places = {name: (100. if 'right' in name else 0., 0.) for name in GARMENTS['dress'].keypoints}
    places.update(armpit_left=(0, 0), waistline_left=(3, 4), hemline_left=(3, 104))
    lengths = measure(points(places, 'dress', 'armpit_right'))
    assert lengths['side'].pixels == pytest.approx(105)


def test_centimetres_come_from_a_scale() -> None:
    found = points(TROUSERS, 'trousers')
    assert fixed_scale(0.1)(found) == 0.1 and no_scale(found) is None
    scale = reference_scale(parse_reference('waistband_left, waistband_right=38', GARMENTS.values()))(found)
    lengths = measure(found, scale)
    assert lengths['waist'].cm == pytest.approx(38) and lengths['rise'].cm == pytest.approx(30 * 38 / 50)


def test_lengths_in_a_plane_are_those_of_the_plane_and_pixels_those_of_the_picture() -> None:
    """A camera makes of a point (x, y) cm the pixel (x, y) / (0.05 + 0.001 y): a pixel at 0, 0 has 0.05 cm."""
    flat = {name: (x / 2, y / 2) for name, (x, y) in TROUSERS.items()}
    seen = {name: (x / (0.05 + 0.001 * y), y / (0.05 + 0.001 * y)) for name, (x, y) in flat.items()}
    to_cm = np.linalg.inv(np.array([[1, 0, 0], [0, 1, 0], [0, 0.001, 0.05]]))
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    plane = Plane(to_cm, 0.05, corners)
    found = points(seen, 'trousers')
    lengths = measure(replace(found, plane=plane), plane_scale(replace(found, plane=plane)))
    for name, length in measure(points(flat, 'trousers')).items():
        assert lengths[name].cm == pytest.approx(length.pixels)
        assert lengths[name].pixels == pytest.approx(measure(found)[name].pixels)
        assert lengths[name].doubtful == measure(points({key: (20 * x, 20 * y) for key, (x, y) in flat.items()},
                                                        'trousers'))[name].doubtful
    unknown = replace(found, plane=Plane(fault='no sheet'))
    assert plane_scale(unknown) is None and plane_scale(found) is None
    assert measure(unknown, None) == measure(found, None)


def test_a_point_beyond_the_horizon_has_no_length() -> None:
    plane = Plane(np.array([[0.1, 0, 0], [0, 0.1, 0], [0, -0.015, 1]]), 0.1, np.array([[-1., -1], [1, -1], [1, 1],
                                                                                       [-1, 1]]))
    lengths = measure(replace(points(TROUSERS, 'trousers'), plane=plane), 0.1)
    assert lengths['inseam'].cm is None and lengths['inseam'].pixels is None, 'legs end at y = 80 and 66'
    assert lengths['waist'].cm is not None


def test_a_reference_that_is_not_there_gives_no_scale() -> None:
    scale = reference_scale(Reference('waistband_left', 'waistband_right', 38))
    assert scale(points(TROUSERS, 'trousers', 'waistband_left')) is None
    assert scale(points(dict.fromkeys(GARMENTS['dress'].keypoints, (0, 0)), 'dress')) is None
    assert scale(points(dict(TROUSERS, waistband_right=(0, 0)), 'trousers')) is None


def test_a_length_by_its_name_gives_the_scale() -> None:
    """The waist is 50 pixels long; the inseam is the mean of 30 and of the hypotenuse of 12 and 16, 25 in all."""
    found = points(TROUSERS, 'trousers')
    assert scale_of('waist=38', GARMENTS.values())(found) == pytest.approx(38 / 50)
    assert scale_of(' inseam = 50 ', GARMENTS.values())(found) == pytest.approx(50 / 25)
    assert scale_of('waistband_left,waistband_right=38', GARMENTS.values())(found) == pytest.approx(38 / 50)
    assert scale_of('waist=38', GARMENTS.values())(points(TROUSERS, 'trousers', 'waistband_left')) is None
    assert scale_of('chest=50', GARMENTS.values())(found) is None, 'trousers have none'


@pytest.mark.parametrize('text, fault', [
    ('bust=50', "'bust'.*chest"), ('chest=wide', 'chest=wide'), ('chest=0', 'chest=0'), ('chest=nan', 'chest=nan'),
    ('chest', "'chest'"), ('=50', "''"), ('', "''"), ('pocket,crotch=5', "'pocket'")])
def test_other_lengths_are_refused(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        scale_of(text, GARMENTS.values())


def test_every_type_has_lengths_over_its_own_keypoints_that_look_alike_in_a_mirror() -> None:
    assert set(LENGTHS) == set(GARMENTS)
    for tag, garment in GARMENTS.items():
        random = np.random.RandomState(0)
        places = random.uniform(0, 100, (len(garment.keypoints), 2))
        everything = np.ones(len(places), bool)
        lengths = measure(Points(garment, places, np.ones(len(places)), everything))
        mirrored = measure(Points(garment, places[garment.mirror_indices] * [-1, 1], np.ones(len(places)), everything))
        for name in LENGTHS[tag]:
            assert lengths[name].pixels is not None, f'{tag}: {name} has an unknown keypoint'
            assert lengths[name].pixels == pytest.approx(mirrored[name].pixels), f'{tag}: {name}'


@pytest.mark.parametrize('text, fault', [
    ('waistband_left=38', 'waistband_left=38'), ('waistband_left,waistband_right', 'waistband_left,waistband_right'),
    ('waistband_left,waistband_right=wide', '=wide'), ('waistband_left,waistband_left=38', 'waistband_left'),
    ('waistband_left,pocket=38', "'pocket'.*neckline_left, "), ('waistband_left,armpit_left=38', 'type'),
    ('waistband_left,waistband_right=0', '0 cm'), ('waistband_left,waistband_right=nan', 'nan')])
def test_other_references_are_refused(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        parse_reference(text, GARMENTS.values())


def test_a_reference_is_of_a_type_that_is_looked_for() -> None:
    with pytest.raises(InputError, match="'waistband_left'.*neckline_left, .*hemline_right$"):
        parse_reference('waistband_left,waistband_right=38', [GARMENTS['dress']])


def test_other_scales_are_refused() -> None:
    with pytest.raises(InputError, match='-1'):
        fixed_scale(-1)


def test_a_type_has_lengths_of_its_own() -> None:
    """The left leg is 30 + 15 long, the right one 20 + hypotenuse of 63 and 26."""
    own = replace(GARMENTS['trousers'], lengths=(
        ('leg', ('crotch > bottom_left_in > bottom_left_out', 'crotch > bottom_right_in > bottom_right_out')),
        ('drop', ('waistband_left + waistband_right > bottom_left_in',))))
    found = replace(points(TROUSERS, 'trousers'), garment=own)
    lengths = measure(found, 0.5)
    assert list(lengths) == [*LENGTHS['trousers'], 'leg', 'drop']
    assert lengths['leg'].pixels == pytest.approx((45 + 20 + np.hypot(63, 26)) / 2)
    assert lengths['drop'].pixels == pytest.approx(60) and lengths['drop'].cm == pytest.approx(30)
    assert scale_of('drop=6', [own])(found) == pytest.approx(0.1)
    with pytest.raises(InputError, match="'drop'.*waist"):
        scale_of('drop=6', [GARMENTS['trousers']])


def test_a_type_with_other_keypoints_has_the_lengths_that_they_allow() -> None:
    apron = replace(GARMENTS['skirt'], keypoints=('waistband_left', 'waistband_right', 'pocket'),
                    limbs=(('waistband_left', 'pocket'),))
    assert list(lengths_of(apron)) == ['waist'] and lengths_of(replace(apron, name='apron')) == {}
