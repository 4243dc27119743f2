"""Write whole sets of generated garments in the layout of the FashionAI data.

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
"""Name of each split, the folder it goes to, and the file its labels go to."""
TEST_LIST = 'test.csv'


@dataclass(frozen=True)
class Order:
    """One picture to draw: everything about it follows from these values."""

    folder: Path
    seed: int
    split: int
    number: int
    size: int

    @property
    def tag(self) -> str:
        """The garment type; the types take turns."""
        tags = tuple(GARMENTS)
        return tags[self.number % len(tags)]


def write_dataset(output: Path, counts: Tuple[int, int, int], seed: int, size: int, workers: int) -> None:
    """Draw and write train, validation and test pictures, so many of each split over all five types.

    Every picture has its own random generator, so the same seed gives the same bytes however many processes draw.
    Raises InputError where the output folder holds something already.
    """
    if output.exists() and any(output.iterdir()):
        raise InputError(f'{output} is not empty: wanted a new folder, so that no old picture stays among the new ones')
    orders = [Order(output / folder, seed, split, number, size)
              for split, (_, folder, _) in enumerate(SPLITS) for number in range(counts[split])]
    for images in {order.folder / 'Images' / order.tag for order in orders}:
        images.mkdir(parents=True, exist_ok=True)
    labelled = _draw_all(orders, workers)
    for split, (_, folder, table) in enumerate(SPLITS):
        rows = [(row, order) for row, order in zip(labelled, orders) if order.split == split]
        if rows:
            _write_tables(output / folder, table, rows)


def _draw_all(orders: List[Order], workers: int) -> List[Tuple[str, np.ndarray]]:
    """Image id and keypoints of every order, in order."""
    bar = {'total': len(orders), 'desc': 'drawing', 'unit': 'image'}
    if workers <= 1:
        return list(tqdm(map(draw_order, orders), **bar))
    with multiprocessing.get_context('spawn').Pool(workers, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        return list(tqdm(pool.imap(draw_order, orders, chunksize=8), **bar))


def draw_order(order: Order) -> Tuple[str, np.ndarray]:
    """Draw one picture into its file; its image id and (24, 3) int32 keypoints."""
    rng = np.random.default_rng([order.seed, order.split, order.number])
    image_id = f'Images/{order.tag}/{rng.bytes(16).hex()}.jpg'
    image, keypoints = draw_garment(rng, order.tag, order.size)
    write_bytes(order.folder / image_id, encode_jpeg(rng, image))
    return image_id, keypoints


def _write_tables(folder: Path, table: str, rows: List[Tuple[Tuple[str, np.ndarray], Order]]) -> None:
    image_ids = tuple(image_id for (image_id, _), _ in rows)
    tags = tuple(order.tag for _, order in rows)
    keypoints = np.stack([points for (_, points), _ in rows])
    write_annotations(folder / table, Annotations(image_ids, tags, keypoints, str(folder / table)))
    if table == 'answer.csv':
        with replacing(folder / TEST_LIST) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(START)
            writer.writerows(zip(image_ids, tags))
