"""Weights of keypoints from labels and from errors, compared with values computed by hand."""
import json
from pathlib import Path

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.garments.table import GARMENTS
from fashionai.training.weighting import keypoint_weights

SKIRT = GARMENTS['skirt']


def rows() -> Annotations:
    """The skirt's four points are visible in 4, 2, 1 and 0 of four rows."""
    keypoints = np.full((4, 24, 3), -1, np.int32)
    for column, visible in zip(SKIRT.csv_indices, (4, 2, 1, 0)):
        keypoints[:, column, 2] = [1] * visible + [0] * (4 - visible)
    return Annotations(tuple('abcd'), ('skirt',) * 4, keypoints, 'train.csv')


def test_rare_keypoints_count_more() -> None:
    mean = (1 / 4 + 1 / 2 + 1) / 3
    np.testing.assert_allclose(keypoint_weights('frequency', rows(), SKIRT), [.25 / mean, .5 / mean, 1 / mean, 1])
    joint = GARMENTS.of('all')
    of_all = dict(zip(joint.keypoints, keypoint_weights('frequency', rows(), joint)))
    assert of_all['crotch'] == 1 and of_all['hemline_left'] == pytest.approx(1 / mean)


def test_bad_keypoints_count_more(tmp_path: Path) -> None:
    path = tmp_path / 'ne.json'
    figures = {name: {'ne': ne} for name, ne in zip(SKIRT.keypoints, (1, 2, None, 30))}
    path.write_text(json.dumps({'visible': {'keypoints': figures}}))
    np.testing.assert_allclose(keypoint_weights(str(path), rows(), SKIRT), [.25, .25, 1, 30 / 11])
    with pytest.raises(ValueError, match='ne.json.*20.*neckline_left'):
        keypoint_weights(str(path), rows(), GARMENTS.of('all'))
    path.write_text(json.dumps({'visible': {'keypoints': {name: {'ne': None} for name in SKIRT.keypoints}}}))
    with pytest.raises(ValueError, match='ne.json.*skirt'):
        keypoint_weights(str(path), rows(), SKIRT)


def test_no_choice_is_no_weights() -> None:
    assert keypoint_weights(None, rows(), SKIRT) == ()
