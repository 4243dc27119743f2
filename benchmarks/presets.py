"""Measures photographs per second of the supplied networks, by preset and engine: from the file to the points.

Loading a network is left out. The ms of the table are those of one photograph.
"""
import argparse
import os
import sys
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import Dict, List, Optional, Sequence, Tuple

from timing import Line, ProcessorTime, Timing, circumstances, format_table, interleaved

import fashionai
from fashionai.cli.entry_point import PROJECT_ROOT, guarded, resolve
from fashionai.garments.table import AUTO
from fashionai.option_group import at_least

SETTINGS = (('supplied', 'standard'), ('supplied', 'fast'), ('fast', 'fast'))
"""Pairs of a network and a preset. A network is a name or a file, as in `load_model`."""

ENGINES = {'tensorflow': '.pb', 'onnxruntime': '.onnx'}
"""By engine, which is the name of its module too: the ending of its files."""

PHOTOGRAPHS = PROJECT_ROOT / 'data' / 'photographs'


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--csv', default=str(PHOTOGRAPHS / 'val.csv'), help='list of photographs with their types')
    add('--imagepath', default=str(PHOTOGRAPHS), help='folder that image ids start from')
    add('--photographs', type=at_least(1), default=20, help='number of photographs of a round, from all over the list')
    add('--others', nargs='*', default=[], metavar='PB', help='more frozen graphs, each with an .onnx beside it: '
        'they are measured with standard and fast')
    add('--auto', action='store_true', help='the network predicts the type too')
    add('--threads', type=at_least(0), default=0, help='threads of the network; 0: one for each core')
    add('--repetitions', type=at_least(1), default=9, help='timed rounds')
    return parser.parse_args(argv)


def photographs(args: argparse.Namespace) -> List[Tuple[str, str]]:
    """Returns the path of each photograph of a round, and its tag."""
    rows = fashionai.read_annotations(resolve(args.csv))
    count = min(args.photographs, len(rows))
    chosen = [number * len(rows) // count for number in range(count)]
    folder = resolve(args.imagepath)
    return [(str(folder / rows.image_ids[row]), AUTO if args.auto else rows.categories[row]) for row in chosen]


def predict_all(model: 'fashionai.GarmentModel', pictures: Sequence[Tuple[str, str]]) -> None:
    """Predicts the garments of all photographs, one by one."""
    for path, tag in pictures:
        model.predict(path, tag=tag)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    pictures = photographs(args)
    tasks: Dict[str, ProcessorTime] = {}
    others = [(path, preset) for path in args.others for preset in ('standard', 'fast')]
    with ExitStack() as stack:
        for engine, ending in ENGINES.items():
            if find_spec(engine) is None:
                print(f'{engine} is not measured: it is not installed')
                continue
            for network, preset in [*SETTINGS, *others]:
                file = network if (network, preset) in SETTINGS else resolve(network).with_suffix(ending)
                model = fashionai.load_model(file, preset=preset, engine=engine, threads=args.threads)
                stack.enter_context(model)
                tasks[f'{network}, {preset}, {engine}'] = ProcessorTime(partial(predict_all, model, pictures))
        before = os.getloadavg()[0]
        timings = interleaved(tasks, args.repetitions)
    print(circumstances())
    print(f'{len(pictures)} photographs a round; load of the machine {before:.1f} before, {os.getloadavg()[0]:.1f} '
          'after')
    each = {name: Timing(tuple(seconds / len(pictures) for seconds in timing.seconds))
            for name, timing in timings.items()}
    print(format_table([Line(name, timing, 1, 'photograph') for name, timing in each.items()]))
    for name, task in tasks.items():
        print(f'{name}: {task.milliseconds(args.repetitions) / len(pictures):.1f} ms of processor time a photograph')
    return 0


if __name__ == '__main__':
    sys.exit(main())
