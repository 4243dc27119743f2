"""Measures the memory of a stream of samples while it runs, with few rows and with many."""
import multiprocessing
import os
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Set, Tuple

import cv2
import numpy as np
from timing import picture

from fashionai.annotations import Annotations
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.garments.table import GARMENTS

_BATCH, _SIDE = 16, 32
"""Samples of a batch, and the side of its inputs in pixels. They are small: growing memory depends on their number."""


def started_since(earlier: Set[multiprocessing.process.BaseProcess]) -> List[multiprocessing.process.BaseProcess]:
    """Returns the child processes that did not run earlier, sorted by number."""
    return sorted(set(multiprocessing.active_children()) - earlier, key=lambda process: process.pid or 0)


def many_rows(folder: Path, count: int) -> Annotations:
    """Returns rows that name five small pictures. Their ids are as long as the contest's, each a separate string."""
    names, types = [], tuple(sorted(GARMENTS))
    for number, category in enumerate(types):
        names.append((f'Images/{category}', f'{number:032x}.jpg'))
        (folder / names[-1][0]).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder.joinpath(*names[-1])), picture(_SIDE, _SIDE, number))
    keypoints = np.random.RandomState(0).randint(0, _SIDE, (count, 24, 3)).astype(np.int32)
    keypoints[:, :, 2] = 1
    return Annotations(tuple('/'.join(names[number % len(names)]) for number in range(count)),
                       tuple(types[number % len(types)] for number in range(count)), keypoints, str(folder))


def memory_mb(process: int) -> Tuple[float, float]:
    """Returns the memory of a running process, and the part that no other process shares, in MB of 10^6 bytes."""
    sizes: Dict[str, int] = {}
    for line in Path(f'/proc/{process}/smaps_rollup').read_text().splitlines()[1:]:
        name, size = line.split()[:2]
        sizes[name] = int(size) * 1024
    return sizes['Rss:'] / 1e6, (sizes['Private_Clean:'] + sizes['Private_Dirty:']) / 1e6


def memory_growth(folder: Path, counts: Sequence[int], samples: int, workers: int) -> Iterator[str]:
    """Yields the lines of a table: for each number of rows, the memory of this process and of a worker."""
    from fashionai.dataflow.flow import TrainingFlow  # only here: tensorpack loads TensorFlow
    yield f'{"memory in MB":>12} {"samples":>8} {"epochs":>7} {"here":>7} {"a worker":>9} {"of it unshared":>15}'
    marks = sorted({-(-samples * part // 100 // _BATCH) * _BATCH for part in (1, 10, 50, 100)})
    for count in counts:
        shape = InputShape((_SIDE, _SIDE), 8)
        encoder = SampleEncoder(many_rows(folder, count), folder, GARMENTS.of('all'), shape, 0)
        earlier = set(multiprocessing.active_children())
        flow = TrainingFlow(encoder, _BATCH, workers)
        flow.reset_state()
        started, stream, done = started_since(earlier), iter(flow), 0
        for mark in marks:
            for _ in range((mark - done) // _BATCH):
                next(stream)
            done = mark
            here, worker = memory_mb(os.getpid())[0], np.max([memory_mb(each.pid or 0) for each in started], axis=0)
            yield (f'{count:>7} rows {done:>8} {done / count:>7.2f} {here:>7.1f} {worker[0]:>9.1f} {worker[1]:>15.1f}')
        flow.close()
