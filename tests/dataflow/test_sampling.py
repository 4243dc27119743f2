"""Rows are drawn exactly in proportion to their weights. With equal weights the order is pinned."""
from collections import Counter
from pathlib import Path
from typing import List, Sequence

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.flow import ShuffledRows
from fashionai.dataflow.sampling import draw_rows, fewer_rows, relative_weights, row_weights


def table(categories: Sequence[str]) -> Annotations:
    ids = tuple(f'{number}.jpg' for number in range(len(categories)))
    return Annotations(ids, tuple(categories), np.zeros((len(ids), 24, 3), np.int32), 'train.csv')


def keys(weights: np.ndarray, count: int, passed: int = 0) -> List[tuple]:
    stream = iter(ShuffledRows(weights, 7, passed, [True], lambda: None))
    return [next(stream) for _ in range(count)]


@pytest.mark.parametrize('weight', [1., 0.1, 1 / 3, 1e-9, 12345.678])
@pytest.mark.parametrize('count', [1, 7, 1000, 40961])
def test_equal_weights_draw_every_row_once_in_the_order_of_the_seed(weight: float, count: int) -> None:
    wanted = [(epoch, row) for epoch in (0, 1) for row in np.random.RandomState([7, epoch]).permutation(count)]
    assert keys(np.full(count, weight), 2 * count) == wanted


def test_a_row_is_drawn_its_share_rounded_up_or_down() -> None:
    weights = np.random.RandomState(0).uniform(0.25, 4, 500)
    shares = 500 * weights / weights.sum()
    total = np.zeros(500)
    for epoch in range(400):
        drawn, earlier = draw_rows(weights, np.random.RandomState([1, epoch]))
        draws = np.bincount(drawn, minlength=500)
        assert draws.sum() == 500
        assert (draws >= np.floor(shares - 1e-2)).all() and (draws <= np.ceil(shares + 1e-2)).all()
        assert sorted(zip(drawn, earlier)) == [(row, i) for row in range(500) for i in range(draws[row])]
        total += draws
    assert np.abs(total / 400 - shares).max() < 0.1, 'four times the deviation of a fair coin, over 400 epochs'


def test_a_row_drawn_again_has_another_key() -> None:
    found = keys(np.array([4., 1., 1.]), 30)
    assert len(set(found)) == 30
    assert [key for key in sorted(found) if key[0] == 0][:2] == [(0, 0), (0, 0, 1)]
    assert found[17:] == keys(np.array([4., 1., 1.]), 13, passed=17), 'a resumed stream goes on'


def test_balanced_types_are_drawn_equally_often_in_every_epoch() -> None:
    categories = ['skirt', 'dress', 'skirt', 'skirt', 'skirt', 'blouse'] * 50
    weights = row_weights('balanced', table(categories))
    for epoch in range(5):
        drawn, _ = draw_rows(weights, np.random.RandomState([1, epoch]))
        draws = Counter(categories[row] for row in drawn)
        assert abs(draws['skirt'] - 100) <= 1
        assert abs(draws['dress'] - draws['blouse']) < 30
    np.testing.assert_array_equal(row_weights('balanced', table(['skirt'] * 5)), np.ones(5))
    np.testing.assert_array_equal(row_weights('uniform', table(categories)), np.ones(300))


def test_errors_are_weights_between_bounds(tmp_path: Path) -> None:
    path = tmp_path / 'errors.csv'
    path.write_text('image_id,image_category,ne,points\n0.jpg,skirt,60,4\n1.jpg,skirt,2,4\n3.jpg,skirt,,0\n'
                    '2.jpg,skirt,10,4\n4.jpg,skirt,4,4\n5.jpg,skirt,4,4\nother.jpg,skirt,90,1\n')
    weights = row_weights(str(path), table(['skirt'] * 7))
    np.testing.assert_allclose(weights, [60 / 16, 1 / 4, 10 / 16, 1, 1 / 4, 1 / 4, 1])  # the mean of five is 16


def test_files_without_an_error_of_a_training_row_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'errors.csv'
    path.write_text('image_id,image_category,ne,points\n0.jpg,skirt,,0\nother.jpg,skirt,90,1\n')
    with pytest.raises(ValueError, match=r'errors\.csv.*\b2\b.*train\.csv'):
        row_weights(str(path), table(['skirt'] * 2))


def test_relative_weights() -> None:
    np.testing.assert_allclose(relative_weights([1, None, 3]), [0.5, 1, 1.5])
    np.testing.assert_allclose(relative_weights([0, 0]), [0.25, 0.25])
    np.testing.assert_allclose(relative_weights([100] + 9 * [1]), [4] + 9 * [0.25])


def test_data_options() -> None:
    assert not DataOptions().count_occluded and DataOptions(occluded='counted').count_occluded
    with pytest.raises(ValueError, match='--occluded hidden.*masked, counted'):
        DataOptions(occluded='hidden')


def test_fewer_rows_are_of_all_types_and_part_of_more() -> None:
    rows = table(['skirt'] * 70 + ['dress'] * 20 + ['blouse'] * 5)
    few, more = fewer_rows(rows, 12), fewer_rows(rows, 40)
    assert Counter(few.categories) == {'skirt': 4, 'dress': 4, 'blouse': 4}
    assert sorted(Counter(more.categories).values()) == [5, 17, 18], 'a type that has no more gives all it has'
    assert set(few.image_ids) < set(more.image_ids)
    assert fewer_rows(rows, None) is rows
    with pytest.raises(ValueError, match=r'--rows 96.*train\.csv.*\b95\b'):
        fewer_rows(rows, 96)
