"""Measures how fast training samples are made, from JPEG files to inputs and maps, on one core and by workers.

The limit is the time to read the same files and warp each once; the original's way is in original_samples.py. Without
--datapath, generated pictures of 512 x 512 are used. With --rows, a second table gives the memory of streams over so
many rows.
"""
import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

import cv2
import numpy as np
from memory import memory_growth
from original_samples import original_sample
from timing import Line, Timing, circumstances, format_table, interleaved, picture

from fashionai.annotations import Annotations
from fashionai.cli.entry_point import guarded
from fashionai.cli.training_flags import labelled_rows
from fashionai.dataflow.augment import apply_to_image, draw_augmentation
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.garments.table import GARMENTS
from fashionai.images.decoder import read_image
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--datapath', help='folder with train/train.csv and its images (default: generated pictures)')
    add('--tag', default='all', help='garment type, or all for the joint network')
    add('--size', type=at_least(8), default=368, help='side of the network input in pixels')
    add('--stride', type=at_least(1), default=8, help='side of a cell of the maps in input pixels')
    add('--images', type=at_least(1), default=16, help='images of a repetition')
    add('--workers', type=at_least(1), nargs='*', default=[1, 2], help='numbers of worker processes to measure')
    add('--batches', type=at_least(2), default=10, help='batches that are taken from the workers')
    add('--repetitions', type=at_least(1), default=7, help='timed rounds')
    add('--rows', type=at_least(1), nargs='*', default=[], help='sizes of data sets whose memory is measured')
    add('--samples', type=at_least(1), default=64000, help='samples that are taken from each of these data sets')
    return parser.parse_args(argv)


def generated_rows(folder: Path, images: int) -> Annotations:
    """Writes pictures into a folder, and returns labels with random points in them."""
    random = np.random.RandomState(0)
    categories = tuple(sorted(GARMENTS)[number % len(GARMENTS)] for number in range(images))
    keypoints = np.full((images, 24, 3), -1, np.int32)
    for number, category in enumerate(categories):
        cv2.imwrite(str(folder / f'{number}.jpg'), picture(512, 512, number))
        indices = GARMENTS[category].csv_indices
        keypoints[number, indices] = np.column_stack([random.randint(0, 512, (len(indices), 2)), np.ones(len(indices))])
    return Annotations(tuple(f'{number}.jpg' for number in range(images)), categories, keypoints, str(folder))


def alone(encoder: SampleEncoder, images: int, repetitions: int) -> List[Line]:
    """Times one core on images of all rows: reading with one warp, reading, whole samples, the original's samples."""
    keys = [(0, number * len(encoder.annotations) // images) for number in range(images)]
    files = [encoder.image_root / encoder.annotations.image_ids[row] for _, row in keys]
    input_hw, few, turns = encoder.shape.input_hw, -(-images // 8), itertools.cycle(keys)

    def warped(number: int) -> np.ndarray:
        image = read_image(files[number])
        augmentation = draw_augmentation(np.random.RandomState(number), image.shape[:2], input_hw)
        return apply_to_image(augmentation, image, input_hw)

    timings = interleaved({
        'read and one warp': lambda: [warped(number) for number in range(images)],
        'read': lambda: [read_image(file) for file in files],
        'samples, one core': lambda: [encoder(key) for key in keys],
        'the original way': lambda: [original_sample(encoder, key) for key in itertools.islice(turns, few)]},
        repetitions)
    return [Line(name, timing, few if name == 'the original way' else images, 'image')
            for name, timing in timings.items()]


def by_workers(encoder: SampleEncoder, batch_size: int, workers: int, batches: int) -> Line:
    """Times batches as the trainer takes them, each alone, after the buffers were emptied once."""
    from fashionai.dataflow.flow import TrainingFlow  # only here: tensorpack loads TensorFlow
    flow = TrainingFlow(encoder, batch_size, workers)
    flow.reset_state()
    stream: Iterator[List[np.ndarray]] = iter(flow)
    for _ in range(2 + 4 * workers // batch_size):
        next(stream)
    seconds = []
    for _ in range(batches):
        start = time.perf_counter()
        next(stream)
        seconds.append(time.perf_counter() - start)
    flow.close()
    mean = (sum(seconds) / batches,) * batches  # batches come in bursts, so their median has no meaning
    return Line(f'samples, {workers} worker{"s" * (workers > 1)}', Timing(mean), batch_size, 'image')


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    graph_mode()
    from fashionai.dataflow.workers import prepare_worker  # only here: tensorpack loads TensorFlow
    with tempfile.TemporaryDirectory() as folder:
        if args.datapath:
            args.imgpath, args.allow_outside = args.datapath, False
            rows, root = labelled_rows(args, 'train', GARMENTS)
        else:
            rows, root = generated_rows(Path(folder), args.images).of_type(args.tag), Path(folder)
        encoder = SampleEncoder(rows, root, GARMENTS.of(args.tag), InputShape((args.size, args.size), args.stride), 0)
        lines = [by_workers(encoder, args.images, workers, args.batches) for workers in args.workers]
        memory = list(memory_growth(Path(folder), args.rows, args.samples, max(args.workers, default=1)))
        prepare_worker()  # only now: the workers of the processes above prepare themselves
        lines = alone(encoder, args.images, args.repetitions) + lines
    print(circumstances())
    print(format_table(lines))
    limit, _, ours, theirs = lines[:4]
    print(f'{len(rows)} rows of {args.tag}; samples on one core at {ours.speed_beside(limit):.2f} of the limit, '
          f'{ours.speed_beside(theirs):.0f} times as fast as the original way')
    if args.rows:
        print('\n'.join(memory))
    return 0


if __name__ == '__main__':
    sys.exit(main())
