"""What a point's score is made of."""
import numpy as np

from fashionai.inference.scoring import Scoring, rivals_of


def test_a_rival_is_the_highest_response_away_from_the_point() -> None:
    heatmaps = np.full((2, 50, 50), 0.5, np.float32)
    heatmaps[0, 10, 20] = 1 / (1 + np.exp(-0.9))  # the point itself, and beside it
    heatmaps[0, 12, 20] = 1 / (1 + np.exp(-0.8))
    heatmaps[0, 40, 30] = 1 / (1 + np.exp(-0.3))
    points = np.array([[40.5, 20.5], [0., 0]])  # in a picture of 100 x 100 pixels: cells of two
    np.testing.assert_allclose(rivals_of(heatmaps, points, (100, 100)), [0.3, 0], atol=1e-6)


def test_without_a_curve_a_score_is_the_height() -> None:
    heights = np.array([0.1, 0.7])
    assert Scoring().scores(heights, np.zeros((2, 4, 4)), np.zeros((2, 2)), (4, 4)) is heights
