"""The garment table has the values that are written here by hand."""
import numpy as np
import pytest

from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS, mirror_name

CHANNELS = {'blouse': (14, 28), 'dress': (16, 32), 'outwear': (15, 30), 'skirt': (5, 10), 'trousers': (8, 16)}
CSV_COLUMNS = {
    'blouse': [0, 1, 3, 4, 2, 5, 6, 13, 14, 9, 10, 11, 12],
    'dress': [0, 1, 3, 4, 2, 5, 6, 7, 8, 9, 10, 11, 12, 17, 18],
    'outwear': [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
    'skirt': [15, 16, 17, 18],
    'trousers': [15, 16, 19, 20, 21, 22, 23]}
MIRRORED = {
    'blouse': [1, 0, 3, 2, 4, 6, 5, 8, 7, 11, 12, 9, 10],
    'dress': [1, 0, 3, 2, 4, 6, 5, 8, 7, 11, 12, 9, 10, 14, 13],
    'outwear': [1, 0, 3, 2, 5, 4, 7, 6, 10, 11, 8, 9, 13, 12],
    'skirt': [1, 0, 3, 2],
    'trousers': [1, 0, 2, 5, 6, 3, 4]}
LIMBS = {
    'blouse': [(0, 1), (0, 2), (1, 3), (4, 0), (4, 1), (2, 10), (3, 12), (10, 9), (12, 11), (9, 5), (11, 6), (5, 7),
               (6, 8), (7, 8)],
    'dress': [(0, 1), (0, 2), (1, 3), (2, 10), (3, 12), (10, 9), (12, 11), (9, 5), (11, 6), (5, 7), (6, 8), (7, 13),
              (8, 14), (13, 14), (4, 0), (4, 1)],
    'outwear': [(0, 1), (0, 2), (1, 3), (2, 9), (3, 11), (9, 8), (11, 10), (8, 4), (10, 5), (4, 6), (5, 7), (6, 12),
                (7, 13), (12, 13), (6, 7)],
    'skirt': [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)],
    'trousers': [(0, 1), (0, 4), (1, 6), (4, 3), (6, 5), (3, 2), (5, 2), (0, 2)]}
NORMALISERS = {
    'blouse': ('armpit_left', 'armpit_right'), 'dress': ('armpit_left', 'armpit_right'),
    'outwear': ('armpit_left', 'armpit_right'), 'skirt': ('waistband_left', 'waistband_right'),
    'trousers': ('waistband_left', 'waistband_right')}


def test_there_are_the_five_types() -> None:
    assert set(GARMENTS) == set(CHANNELS)
    assert len(CSV_KEYPOINTS) == len(set(CSV_KEYPOINTS)) == 24


@pytest.mark.parametrize('name', sorted(CHANNELS))
def test_table_of_a_type(name: str) -> None:
    garment = GARMENTS[name]
    assert (garment.num_heatmaps, garment.num_fields) == CHANNELS[name]
    assert garment.csv_indices.tolist() == CSV_COLUMNS[name]
    assert [tuple(limb) for limb in garment.limb_indices.tolist()] == LIMBS[name]
    assert garment.normaliser == NORMALISERS[name]
    assert garment.normaliser == tuple(NORMALISERS[name])


@pytest.mark.parametrize('name', sorted(MIRRORED))
def test_mirror_swaps_the_sides_and_undoes_itself(name: str) -> None:
    mirror = GARMENTS[name].mirror_indices
    assert mirror.tolist() == MIRRORED[name]
    np.testing.assert_array_equal(mirror[mirror], np.arange(len(mirror)))


def test_mirror_of_a_name() -> None:
    assert mirror_name('cuff_left_in') == 'cuff_right_in'
    assert mirror_name('crotch') == 'crotch'
    assert all(mirror_name(mirror_name(name)) == name for name in CSV_KEYPOINTS)


def test_joint_type_has_every_keypoint_and_every_limb_once() -> None:
    joint = GARMENTS.joint
    assert joint.csv_indices.tolist() == list(range(24))
    assert joint.num_heatmaps == 25
    assert len(set(joint.limbs)) == len(joint.limbs)
    assert set(joint.limbs) == {limb for garment in GARMENTS.values() for limb in garment.limbs}
    np.testing.assert_array_equal(joint.mirror_indices[joint.mirror_indices], np.arange(24))


def test_tags() -> None:
    assert GARMENTS.of('skirt') is GARMENTS['skirt']
    assert GARMENTS.of('all') == GARMENTS.joint
    with pytest.raises(ValueError, match="'hat'.*blouse.*all"):
        GARMENTS.of('hat')
