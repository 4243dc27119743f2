"""Measures the machine: float32 matrix products, copies of memory, JPEG decoding. Other tables compare with these."""
import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, List, Optional, Sequence

import cv2
import numpy as np
from timing import Line, Task, circumstances, format_table, interleaved, picture

from fashionai.cli.entry_point import guarded
from fashionai.dataflow.augment import apply_to_image, draw_augmentation
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode

_INPUT_HW = (368, 368)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--side', type=at_least(1), default=2048, help='side of the matrices')
    parser.add_argument('--megabytes', type=at_least(1), default=256, help='megabytes that are copied')
    parser.add_argument('--repetitions', type=at_least(1), default=20, help='timed rounds')
    return parser.parse_args(argv)


def product_gflop(side: int) -> float:
    """Returns the operations of a product of square matrices in 10^9; a multiplication and an addition are two."""
    return 2 * side ** 3 / 1e9


def numpy_product(side: int) -> Task:
    """Returns a task: a product of float32 matrices by NumPy."""
    one, two = np.random.RandomState(0).rand(2, side, side).astype(np.float32)
    result = np.empty_like(one)
    return lambda: np.matmul(one, two, out=result)


def tensorflow_product(side: int, threads: int = 0) -> Task:
    """Returns a task: the same product by TensorFlow, with the matrices in its memory. Call `graph_mode` before."""
    import tensorflow.compat.v1 as tf
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    config.gpu_options.allow_growth = True
    with tf.Graph().as_default() as graph:
        matrix = tf.get_variable('matrix', (side, side), initializer=tf.random_uniform_initializer())
        product = tf.matmul(matrix, matrix).op  # only the operation: its result is not fetched
        session = tf.Session(graph=graph, config=config)
        session.run(tf.global_variables_initializer())
    return lambda: session.run(product)


def copying(megabytes: int, cores: int = 1) -> Task:
    """Returns a task: a copy of so much memory, by so many cores, each of its part."""
    source = np.ones((cores, megabytes * 10 ** 6 // 8 // cores))
    target = np.empty_like(source)
    if cores == 1:
        return lambda: np.copyto(target, source)
    pool = ThreadPoolExecutor(cores)
    return lambda: list(pool.map(np.copyto, target, source))


def decoding(then: Callable[[np.ndarray], object] = lambda image: None) -> Task:
    """Returns a task: decoding a JPEG of 512 x 512, the size of most photographs of the contest, followed by `then`."""
    data = cv2.imencode('.jpg', picture(512, 512), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return lambda: then(cv2.imdecode(data, cv2.IMREAD_COLOR))


def one_warp(image: np.ndarray) -> np.ndarray:
    """Returns an image turned and scaled to the network's input."""
    return apply_to_image(draw_augmentation(np.random.RandomState(0), image.shape[:2], _INPUT_HW), image, _INPUT_HW)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    graph_mode()
    import tensorflow as tf
    tasks = {'matrix product, NumPy': numpy_product(args.side),
             'matrix product, TensorFlow': tensorflow_product(args.side),
             'copy of memory': copying(args.megabytes), 'JPEG decode': decoding(),
             'JPEG decode and one warp': decoding(one_warp)}
    gflop, gigabytes = (product_gflop(args.side), 'GFLOP'), (2 * args.megabytes / 1e3, 'GB')
    amounts = [gflop, gflop, gigabytes, (1, 'image'), (1, 'image')]
    timings = interleaved(tasks, args.repetitions)
    lines: List[Line] = [Line(name, timings[name], *amount) for name, amount in zip(tasks, amounts)]
    print(circumstances(tf))
    print(format_table(lines))
    print('A copy reads and writes every byte: both are counted.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
