"""Measures how the time of a prediction grows with the batch, the image size, the scales, the stages and the type.

Ratios are relative to the first line of a table; rates are of single images.
"""
import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import List, Mapping, Optional, Sequence

from timing import Line, Task, circumstances, format_table, interleaved, picture

from fashionai.cli.entry_point import guarded
from fashionai.garments.table import GARMENTS, JOINT
from fashionai.inference.config import InferenceConfig
from fashionai.inference.loading import open_predictors
from fashionai.inference.predictor import PredictionOptions
from fashionai.inference.windows import DEFAULT_SCALES, DEFAULT_TILING, TILINGS, parse_scales
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.head_options import HeadOptions
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode


@dataclass(frozen=True)
class Case:
    """One prediction.

    Attributes:
        batch: images that go through the network together.
        side: of the images in pixels.
        scales: of the windows.
        stages: of the network; None: its usual number.
        tag: the garment type of the points.
        graph_tag: the type that the network is made for; None: the same type.
    """

    batch: int = 1
    side: int = 512
    scales: str = '[1.0]'
    stages: Optional[int] = None
    tag: str = 'skirt'
    graph_tag: Optional[str] = None


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--model', default='mobilenet_small', help='name of a network, which gets random weights')
    add('--resolution', type=at_least(8), default=368, help='side of the network input and of the canvas in pixels')
    add('--windows', default=DEFAULT_TILING, choices=TILINGS, help='tiling of windows, as in run.py')
    add('--only', choices=AXES, help='measure only this table')
    add('--repetitions', type=at_least(1), default=5, help='timed rounds')
    return parser.parse_args(argv)


def cases() -> Mapping[str, Mapping[str, Case]]:
    """Returns the lines of each table by the name of the table."""
    usual, six = Case(), parse_scales(DEFAULT_SCALES)
    return {
        'images': {f'{batch} at once': replace(usual, batch=batch) for batch in (1, 2, 4, 8)},
        'size': {f'{side}x{side} pixels': replace(usual, side=side) for side in (256, 512, 1024, 2048)},
        'scales': {f'the first {count} of six': replace(usual, scales=str(list(six[:count])))
                   for count in (1, 2, 4, 6)},
        'stages': {f'stages: {stages}': replace(usual, stages=stages) for stages in (1, 2, 3, 6)},
        'types': {**{f'{tag}, its own network': replace(usual, tag=tag) for tag in GARMENTS},
                  **{f'{tag}, the joint one': replace(usual, tag=tag, graph_tag=JOINT) for tag in GARMENTS}}}


AXES = MappingProxyType(cases())
"""The tables by name."""


def table(lines: Mapping[str, Case], args: argparse.Namespace, folder: Path) -> List[Line]:
    """Times the cases of a table in turn."""
    with ExitStack() as stack:
        tasks = {name: task(case, args, folder, stack) for name, case in lines.items()}
        timings = interleaved(tasks, args.repetitions)
    return [Line(name, timings[name], case.batch, 'image') for name, case in lines.items()]


def task(case: Case, args: argparse.Namespace, folder: Path, stack: ExitStack) -> Task:
    """Returns the task of a case; `stack` closes its network."""
    from graphs import random_graph
    graph = random_graph(args.model, case.graph_tag or case.tag, folder, HeadOptions(stages=case.stages))
    side = args.resolution
    config = InferenceConfig(PredictionOptions(side), parse_scales(case.scales), (((side, side),),),
                             windows=args.windows)
    predictor = stack.enter_context(open_predictors([ModelFile.open(graph)], case.tag, config, threads=0))[case.tag]
    images = [picture(case.side, case.side, seed) for seed in range(case.batch)]
    return lambda: predictor.predict(images)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    graph_mode()
    import tensorflow as tf
    print(circumstances(tf))
    for axis in [args.only] if args.only else AXES:
        with tempfile.TemporaryDirectory() as folder:
            lines = table(AXES[axis], args, Path(folder))
        print(f'\n{axis}: {args.model}, windows of {args.resolution}x{args.resolution} pixels and mirrored')
        print(format_table(lines))
    return 0


if __name__ == '__main__':
    sys.exit(main())
