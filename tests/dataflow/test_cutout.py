"""Cutout: rectangles that hide parts of pictures."""
import numpy as np
import pytest

from fashionai.dataflow.cutout import cut_out
from fashionai.dataflow.data_options import DataOptions

POINTS = np.array([[20., 30.], [70., 60.], [300., -200.]])


def hidden(seed: int, points: np.ndarray = POINTS) -> np.ndarray:
    """Returns (h, w) bool: the changed pixels. The random colours never equal those of the picture."""
    picture = np.full((120, 90, 3), 0.5, np.float32)
    cut_out(np.random.RandomState(seed), picture, points)
    return (picture != 0.5).any(axis=2)


def test_little_is_hidden_and_keypoints_more_often_than_other_places() -> None:
    masks = [hidden(seed) for seed in range(400)]
    shares = np.array([mask.mean() for mask in masks])
    assert shares.max() < 3 * 0.3 ** 2 and 0.02 < shares.mean() < 0.1
    on_point, elsewhere = (np.mean([mask[row, column] for mask in masks]) for row, column in ((30, 20), (110, 45)))
    assert on_point > 0.2 and elsewhere < 0.1


@pytest.mark.parametrize('points', [np.zeros((0, 2)), POINTS[2:]])
def test_points_may_be_absent_or_out_of_the_picture(points: np.ndarray) -> None:
    assert any(hidden(seed, points).any() for seed in range(20))


@pytest.mark.parametrize('flag', ['cutout', 'garment_crops'])
@pytest.mark.parametrize('share', [-0.1, 1.5, float('nan')])
def test_shares_that_are_none(flag: str, share: float) -> None:
    with pytest.raises(ValueError, match=f'--{flag.replace("_", "-")} {share}'):
        DataOptions(**{flag: share})
