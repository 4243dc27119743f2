"""How the time of a prediction grows: a table each for the images of a batch, their size, scales, stages and types.

A table's first line is what its ratios are to; rates are of single images.
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
from fashionai.inference.loading import InferenceConfig, open_predictors
from fashionai.inference.predictor import PredictionOptions
from fashionai.inference.windows import DEFAULT_SCALES, DEFAULT_TILING, TILINGS, parse_scales
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.head_options import HeadOptions
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode


@dataclass(frozen=True)
class Case:
    """One prediction: so many images of `side` pixels at once, through a network of so many stages (None: its own),
    of a type or of all, by windows of `scales`; `graph_tag`: the type the network was made for, None for the same."""

    batch: int = 1
    side: int = 512
    scales: str = '[1.0]'
    stages: Optional[int] = None
    tag: str = 'skirt'
    graph_tag: Optional[str] = None


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--model', default='mobilenet_small', help='a network, its weights at random')
    add('--resolution', type=at_least(8), default=368, help='input of the network and canvas, in pixels')
    add('--windows', default=DEFAULT_TILING, choices=TILINGS, help='as run.py takes it')
    add('--only', choices=AXES, help='this table alone')
    add('--repetitions', type=at_least(1), default=5)
    return parser.parse_args(argv)


def cases() -> Mapping[str, Mapping[str, Case]]:
    """The tables' lines by the tables' names."""
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
"""What grows."""


def table(lines: Mapping[str, Case], args: argparse.Namespace, folder: Path) -> List[Line]:
    """Time the cases of a table side by side."""
    with ExitStack() as stack:
        tasks = {name: task(case, args, folder, stack) for name, case in lines.items()}
        timings = interleaved(tasks, args.repetitions)
    return [Line(name, timings[name], case.batch, 'image') for name, case in lines.items()]


def task(case: Case, args: argparse.Namespace, folder: Path, stack: ExitStack) -> Task:
    """What a case does each time; its graph stays open as long as `stack`."""
    from graphs import random_graph
    graph = random_graph(args.model, case.graph_tag or case.tag, folder, HeadOptions(stages=case.stages))
    side = args.resolution
    look = InferenceConfig(PredictionOptions(side), parse_scales(case.scales), (((side, side),),), windows=args.windows)
    predictor = stack.enter_context(open_predictors([ModelFile.open(graph)], case.tag, look, threads=0))[case.tag]
    images = [picture(case.side, case.side, seed) for seed in range(case.batch)]
    return lambda: predictor.predict(images)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measure and print."""
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
