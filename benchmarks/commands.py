"""Measures whole commands from their start: run.py until its first row, evaluate.py and merge.py on many rows.

Each is a process of its own, as a user starts it; the memory is the maximum that the process held.
"""
import argparse
import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Mapping, Optional, Sequence

import cv2
import numpy as np
from timing import ROOT, Line, circumstances, format_table, interleaved, peak_memory_mb, picture

from fashionai.annotations import Annotations, write_annotations
from fashionai.cli.entry_point import guarded, resolve
from fashionai.garments.table import GARMENTS
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode

_GRAPH = 'graph.pb'

_IMAGES = 4
"""The number of images for run.py. The benchmark waits only for the first row."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--modelpath', help='frozen graph for skirts; without it, --model is used')
    add('--model', default='mobilenet_small', help='name of a network, which gets random weights')
    add('--rows', type=at_least(10), default=64000, help='rows of the files that are evaluated and merged')
    add('--repetitions', type=at_least(1), default=3, help='timed rounds')
    return parser.parse_args(argv)


def labels(rows: int) -> Annotations:
    """Returns random points in pictures of 512 x 512, for rows of all types in turn."""
    random = np.random.RandomState(0)
    names = sorted(GARMENTS)
    keypoints = np.full((rows, 24, 3), -1, np.int32)
    for number, name in enumerate(names):
        indices = GARMENTS[name].csv_indices
        count = len(range(number, rows, len(names)))
        keypoints[number::len(names), indices] = np.concatenate(
            [random.randint(0, 512, (count, len(indices), 2)), np.ones((count, len(indices), 1), int)], axis=2)
    return Annotations(tuple(f'Images/{row:06d}.jpg' for row in range(rows)),
                       tuple(names[row % len(names)] for row in range(rows)), keypoints, '')


def write_files(folder: Path, rows: int) -> None:
    """Writes truth.csv, guess.csv and submit_<type>.csv into a folder."""
    truth = labels(rows)
    seen = truth.keypoints[..., 2:] >= 0
    guess = replace(truth, keypoints=(truth.keypoints + seen * np.array([3, -2, 0])).astype(np.int32))
    write_annotations(folder / 'truth.csv', truth)
    write_annotations(folder / 'guess.csv', guess)
    for name in GARMENTS:
        write_annotations(folder / f'submit_{name}.csv', guess.of_type(name))


def pictures(folder: Path) -> None:
    """Writes a few pictures of skirts, and their list, test.csv."""
    ids = [f'{number}.jpg' for number in range(_IMAGES)]
    for number, image_id in enumerate(ids):
        cv2.imwrite(str(folder / image_id), picture(512, 512, number))
    rows = ''.join(f'{image_id},skirt\n' for image_id in ids)
    (folder / 'test.csv').write_text(f'image_id,image_category\n{rows}')


class Process:
    """A command that runs to its end; with `first_row_of`, until that file, which is deleted before, has a row.

    `memory_mb` is the maximum memory of its runs in MB of 10^6 bytes.

    Raises ValueError with the output of a command that fails.
    """

    def __init__(self, arguments: Sequence[str], first_row_of: Optional[Path] = None) -> None:
        self._command, self._file, self.memory_mb = [sys.executable, *arguments], first_row_of, 0.

    def __call__(self) -> None:
        if self._file and self._file.exists():
            self._file.unlink()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG if self._file else 0)
            while not ended:
                if _rows(self._file):
                    process.kill()
                time.sleep(0.005)
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            process.returncode = status  # os.wait4 has waited for it
            if status and not _rows(self._file):
                output.seek(0)
                raise ValueError(f'{" ".join(self._command)} failed: {output.read().decode()}')
        self.memory_mb = max(self.memory_mb, usage.ru_maxrss * 1024 / 1e6)


def _rows(file: Optional[Path]) -> int:
    """Returns the number of complete rows of a CSV file that a command may be writing."""
    return max(0, file.read_bytes().count(b'\n') - 1) if file and file.exists() else 0


def prepare(folder: Path, model: str, rows: int) -> None:
    """Writes everything that the commands read into a folder; no network if `model` is ''."""
    logging.disable(logging.WARNING)  # of TensorFlow, about itself
    pictures(folder)
    write_files(folder, rows)
    if model:
        graph_mode()
        from graphs import random_graph
        random_graph(model, 'skirt', folder).rename(folder / _GRAPH)


def commands(folder: Path, graph: Path) -> Mapping[str, Process]:
    """Returns the measured commands by name."""
    output, files = folder / 'rows.csv', [str(folder / f'submit_{name}.csv') for name in GARMENTS]
    return MappingProxyType({
        'run.py, first row': Process(
            [str(ROOT / 'code/run.py'), '--tag', 'skirt', '--modelpath', str(graph), '--imagepath', str(folder),
             '--output', str(output), '--overwrite'], first_row_of=output),
        'evaluate.py': Process([str(ROOT / 'code/evaluate.py'), '--truth', str(folder / 'truth.csv'), '--submission',
                                str(folder / 'guess.csv')]),
        'merge.py': Process([str(ROOT / 'submit/merge.py'), *files, '--output', str(folder / 'merged.csv')])})


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph = resolve(args.modelpath) if args.modelpath else folder / _GRAPH
        # in a process of its own: the memory of a process when it starts another counts as the memory of the other
        maker = multiprocessing.get_context('spawn').Process(
            target=prepare, args=(folder, '' if args.modelpath else args.model, args.rows))
        maker.start()
        maker.join()
        if maker.exitcode:
            raise ValueError(f'the files to measure on could not be made (--model {args.model}): see above')
        processes = commands(folder, graph)
        timings = interleaved(processes, args.repetitions)
    print(circumstances())
    print(format_table([Line(name, timing, 1, 'command') for name, timing in timings.items()]))
    for name, process in processes.items():
        print(f'{name}: at most {process.memory_mb:.0f} MB')
    print(f'evaluate.py and merge.py: {args.rows} rows; memory below {peak_memory_mb():.0f} MB, which this process '
          'has itself, does not show')
    return 0


if __name__ == '__main__':
    sys.exit(main())
