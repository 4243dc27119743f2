"""A list of images becomes rows; cut off anywhere and begun again, the file is the same to the byte."""
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, ContextManager, Dict, Iterator, List, Sequence

import cv2
import numpy as np
import pytest

from fashionai.annotations import TestList, read_annotations
from fashionai.garments.table import GARMENTS
from fashionai.inference.predictor import KeypointPrediction
from fashionai.model_files.contract import file_sum
from fashionai.results.run_manifest import RunManifest, list_sum
from fashionai.results.submission import write_submission

JOB = {'graph': 'abc', 'list': 'def'}


class BrightnessPredictor:
    """A point's place is a function of the picture; it is interrupted by the picture after `patience` of its type."""

    def __init__(self, tag: str, patience: int = 1000) -> None:
        self.points, self.patience, self.pictures = len(GARMENTS[tag].keypoints), patience, []

    @property
    def seen(self) -> int:
        return len(self.pictures)

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        numbers = [(image.mean() - 20) / 10 for image in images]
        self.pictures.extend(numbers)
        if max(numbers) // 2 >= self.patience:
            raise KeyboardInterrupt
        return [KeypointPrediction(np.arange(self.points)[:, None] * 2. + [image.mean(), image.shape[1]],
                           np.ones(self.points), np.ones(self.points, bool)) for image in images]


def loader(*predictors: BrightnessPredictor,
           tags: Sequence[str] = ('skirt', 'dress')) -> Callable[[], ContextManager[Dict[str, BrightnessPredictor]]]:
    @contextmanager
    def load() -> Iterator[Dict[str, BrightnessPredictor]]:
        yield dict(zip(tags, predictors or [BrightnessPredictor(tag) for tag in tags]))
    return load


def never() -> ContextManager[Dict[str, BrightnessPredictor]]:
    raise AssertionError('the graph was loaded')


@pytest.fixture()
def images(tmp_path: Path) -> TestList:
    """Seven pictures, skirts and dresses in turn."""
    ids = tuple(f'Images/{number}.png' for number in range(7))
    (tmp_path / 'Images').mkdir()
    for number, image_id in enumerate(ids):
        cv2.imwrite(str(tmp_path / image_id), np.full((20, 30 + number, 3), 20 + 10 * number, np.uint8))
    return TestList(ids, tuple(['skirt', 'dress'][number % 2] for number in range(7)), 'list.csv')


def write(images: TestList, output: Path, load: Callable = None, overwrite: bool = False, batch_size: int = 2,
          job: Dict[str, str] = JOB) -> Dict[str, str]:
    folder = output.parent
    return write_submission(RunManifest(output, job), overwrite, images, folder, batch_size, load or loader())


def test_every_image_gets_a_row_of_its_type(images: TestList, tmp_path: Path) -> None:
    assert write(images, tmp_path / 'out.csv') == {}
    rows = read_annotations(tmp_path / 'out.csv')
    assert dict(zip(rows.image_ids, rows.categories)) == dict(zip(images.image_ids, images.categories))
    row = rows.keypoints[rows.image_ids.index('Images/2.png')]
    assert row[GARMENTS['skirt'].csv_indices].tolist() == [[40 + 2 * k, 32 + 2 * k, 1] for k in range(4)]
    assert (np.delete(row, GARMENTS['skirt'].csv_indices, axis=0) == -1).all()


@pytest.mark.parametrize('batch_size', [1, 2])
@pytest.mark.parametrize('patience', [0, 1, 3])
@pytest.mark.parametrize('torn', [0, 25])
def test_resuming_gives_the_same_file(images: TestList, tmp_path: Path, batch_size: int, patience: int,
                                      torn: int) -> None:
    whole, halved = tmp_path / 'whole.csv', tmp_path / 'halved.csv'
    write(images, whole, batch_size=batch_size)
    with pytest.raises(KeyboardInterrupt):
        write(images, halved, loader(BrightnessPredictor('skirt', patience), BrightnessPredictor('dress')),
              batch_size=batch_size)
    if torn and patience > 1:
        halved.write_bytes(halved.read_bytes()[:-torn])
    skirts = BrightnessPredictor('skirt')
    write(images, halved, loader(skirts, BrightnessPredictor('dress')), batch_size=batch_size)
    assert halved.read_bytes() == whole.read_bytes()
    assert skirts.seen < 4 or patience < batch_size


def test_a_complete_run_costs_nothing(images: TestList, tmp_path: Path) -> None:
    output = tmp_path / 'out.csv'
    write(images, output)
    before = output.read_bytes()
    assert write(images, output, never) == {} and output.read_bytes() == before


def test_another_job_is_refused_and_changes_nothing(images: TestList, tmp_path: Path) -> None:
    output = tmp_path / 'out.csv'
    write(images, output)
    before = output.read_bytes()
    with pytest.raises(ValueError, match='another graph.*--overwrite'):
        write(images, output, never, job={**JOB, 'graph': 'retrained'})
    assert output.read_bytes() == before
    skirts = BrightnessPredictor('skirt')
    write(images, output, loader(skirts, BrightnessPredictor('dress')), overwrite=True, job={**JOB, 'graph': 'new'})
    assert skirts.seen == 4 and output.read_bytes() == before
    assert write(images, output, never, job={**JOB, 'graph': 'new'}) == {}


def test_a_graph_that_is_refused_leaves_what_is_there(images: TestList, tmp_path: Path) -> None:
    def refuse() -> ContextManager[Dict[str, BrightnessPredictor]]:
        raise ValueError('a graph for other garments')
    output = tmp_path / 'out.csv'
    with pytest.raises(ValueError, match='other garments'):
        write(images, output, refuse)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['Images']
    write(images, output)
    before = output.read_bytes()
    with pytest.raises(ValueError, match='other garments'):
        write(images, output, refuse, overwrite=True)
    assert output.read_bytes() == before


def test_a_file_of_unknown_origin_is_not_gone_on_with(images: TestList, tmp_path: Path) -> None:
    output = tmp_path / 'out.csv'
    write(images, output)
    RunManifest(output, JOB).path.write_text('{"job": ')
    with pytest.raises(ValueError, match='damaged'):
        write(images, output)
    RunManifest(output, JOB).path.unlink()
    with pytest.raises(ValueError, match='--overwrite'):
        write(images, output)
    output.unlink()
    assert write(images, output) == {}


def test_bad_images_get_a_row_and_are_named(images: TestList, tmp_path: Path) -> None:
    (tmp_path / 'Images/2.png').write_text('no picture')
    (tmp_path / 'Images/3.png').unlink()
    (tmp_path / 'Images/4.png').write_bytes(b'')
    (tmp_path / 'Images/6.png').unlink()
    (tmp_path / 'Images/6.png').mkdir()
    output = tmp_path / 'out.csv'
    failures = write(images, output)
    assert list(failures) == ['Images/2.png', 'Images/4.png', 'Images/6.png', 'Images/3.png']
    assert all(str(tmp_path) in error and '\n' not in error for error in failures.values())
    rows = read_annotations(output)
    assert len(rows) == 7
    for image_id in failures:
        row = rows.image_ids.index(image_id)
        points = rows.keypoints[row][GARMENTS[rows.categories[row]].csv_indices]
        assert (points[:, 2] == 1).all() and (points >= 0).all() and np.ptp(points[:, 1]) > 100
    assert write(images, output, never) == failures  # said again, since the rows are still those


def test_failures_survive_an_interruption(images: TestList, tmp_path: Path) -> None:
    (tmp_path / 'Images/0.png').write_text('no picture')
    output = tmp_path / 'out.csv'
    with pytest.raises(KeyboardInterrupt):
        write(images, output, loader(BrightnessPredictor('skirt', 2), BrightnessPredictor('dress')), batch_size=1)
    assert list(write(images, output)) == ['Images/0.png']


def test_sums_tell_contents_apart(tmp_path: Path) -> None:
    (tmp_path / 'file').write_bytes(b'abc')
    assert file_sum(tmp_path / 'file') == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert list_sum(['a', 'b']) != list_sum(['b', 'a']) != list_sum(['ab'])
