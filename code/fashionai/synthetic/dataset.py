"""Writes data sets of generated garments in the layout of the FashionAI data.

    <output>/train/train.csv, val.csv, Images/<type>/<32 hex>.jpg      labelled
    <output>/test/test.csv, Images/<type>/<32 hex>.jpg                 a test list: no labels
    <output>/test/answer.csv                                           the labels of the test list
"""
import csv
import multiprocessing
from dataclasses import dataclass
from pathlib import Path
from typing import List, Tuple

import cv2
import numpy as np
from tqdm import tqdm

from fashionai.annotations import START, Annotations, write_annotations
from fashionai.errors import InputError
from fashionai.files import replacing, write_bytes
from fashionai.garments.table import GARMENTS
from fashionai.synthetic.camera import encode_jpeg
from fashionai.synthetic.render import draw_garment

SPLITS = (('train', 'train', 'train.csv'), ('val', 'train', 'val.csv'), ('test', 'test', 'answer.csv'))
"""The name of each split, its folder, and the file of its labels."""
TEST_LIST = 'test.csv'


@dataclass(frozen=True)
class PictureTask:
    """One picture that is to be drawn. These values determine everything in it.

    Attributes:
        folder: of the split.
        seed: of the data set.
        split: the number of the split in SPLITS.
        number: of the picture in its split.
        size: the longer side in pixels.
    """

    folder: Path
    seed: int
    split: int
    number: int
    size: int

    @property
    def tag(self) -> str:
        """The garment type; the types alternate."""
        tags = tuple(GARMENTS)
        return tags[self.number % len(tags)]


def write_dataset(output: Path, counts: Tuple[int, int, int], seed: int, size: int, workers: int) -> None:
    """Draws and writes training, validation and test pictures; `counts` has the number of pictures of each split.

    Every picture has its own random generator, so the same seed gives the same bytes for any number of processes.

    Raises InputError if the output folder is not empty.
    """
    if output.exists() and any(output.iterdir()):
        raise InputError(f'{output} is not empty: wanted a new or empty folder')
    tasks = [PictureTask(output / folder, seed, split, number, size)
              for split, (_, folder, _) in enumerate(SPLITS) for number in range(counts[split])]
    for images in {task.folder / 'Images' / task.tag for task in tasks}:
        images.mkdir(parents=True, exist_ok=True)
    labelled = _draw_all(tasks, workers)
    for split, (_, folder, table) in enumerate(SPLITS):
        rows = [(row, task) for row, task in zip(labelled, tasks) if task.split == split]
        if rows:
            _write_tables(output / folder, table, rows)


def _draw_all(tasks: List[PictureTask], workers: int) -> List[Tuple[str, np.ndarray]]:
    """Returns image id and keypoints of every task, in order."""
    bar = {'total': len(tasks), 'desc': 'drawing', 'unit': 'image'}
    if workers <= 1:
        return list(tqdm(map(draw_task, tasks), **bar))
    with multiprocessing.get_context('spawn').Pool(workers, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        return list(tqdm(pool.imap(draw_task, tasks, chunksize=8), **bar))


def draw_task(task: PictureTask) -> Tuple[str, np.ndarray]:
    """Draws one picture and writes its file; returns its image id and (24, 3) int32 keypoints."""
    rng = np.random.default_rng([task.seed, task.split, task.number])
    image_id = f'Images/{task.tag}/{rng.bytes(16).hex()}.jpg'
    image, keypoints = draw_garment(rng, task.tag, task.size)
    write_bytes(task.folder / image_id, encode_jpeg(rng, image))
    return image_id, keypoints


def _write_tables(folder: Path, table: str, rows: List[Tuple[Tuple[str, np.ndarray], PictureTask]]) -> None:
    image_ids = tuple(image_id for (image_id, _), _ in rows)
    tags = tuple(task.tag for _, task in rows)
    keypoints = np.stack([points for (_, points), _ in rows])
    write_annotations(folder / table, Annotations(image_ids, tags, keypoints, str(folder / table)))
    if table == 'answer.csv':
        with replacing(folder / TEST_LIST) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(START)
            writer.writerows(zip(image_ids, tags))
