"""The lines that people see go once around a garment."""
from collections import Counter

import pytest

from fashionai.garments.outlines import outline
from fashionai.garments.table import GARMENTS, Garment, Garments


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_an_outline_passes_every_keypoint_once_and_closes(tag: str) -> None:
    garment, lines = GARMENTS[tag], outline(GARMENTS[tag])
    assert Counter(end for line in lines for end in line) == dict.fromkeys(garment.keypoints, 2)
    assert all(line[1] == following[0] for line, following in zip(lines, lines[1:] + lines[:1]))


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_an_outline_is_its_own_mirror_image(tag: str) -> None:
    garment = GARMENTS[tag]
    flipped = dict(zip(garment.keypoints, garment.flipped_keypoints))
    lines = {frozenset(line) for line in outline(garment)}
    assert {frozenset(flipped[end] for end in line) for line in lines} == lines


def test_no_line_crosses_a_skirt_or_belongs_to_one_side_of_trousers() -> None:
    assert {frozenset(line) for line in outline(GARMENTS['skirt'])} == {
        frozenset(line) for line in (('waistband_left', 'waistband_right'), ('waistband_left', 'hemline_left'),
                                     ('hemline_left', 'hemline_right'), ('waistband_right', 'hemline_right'))}
    assert ('waistband_left', 'crotch') in GARMENTS['trousers'].limbs
    assert not {('waistband_left', 'crotch'), ('crotch', 'waistband_left')} & set(outline(GARMENTS['trousers']))


def test_a_type_with_other_keypoints_and_the_joint_type_have_their_limbs() -> None:
    sock = Garment('sock', ('hemline_left', 'hemline_right', 'waistband_left', 'heel'),
                   (('hemline_left', 'hemline_right'), ('hemline_right', 'heel')), ('hemline_left', 'hemline_right'))
    assert outline(sock) == sock.limbs
    joint = Garments((GARMENTS['skirt'], sock)).joint
    assert outline(joint) == joint.limbs
