"""Makes a model with integers of 8 bits of an exported ONNX model, and measures both: their error on labelled pictures,
with one window and without the mirror image, and their speed in ONNX Runtime and in OpenVINO.
"""
import argparse
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Optional, Sequence

from integers import PHOTOGRAPHS, Quantisation, inputs_of, with_integers
from peers import WITH_INTEGERS, opened
from timing import Line, ProcessorTime, circumstances, format_table, interleaved

from fashionai.annotations import Annotations, read_annotations
from fashionai.cli.entry_point import guarded, resolve, resolve_network
from fashionai.dataflow.encoder import InputShape
from fashionai.engines.exported import onnx_runtime, open_model
from fashionai.engines.network import Network
from fashionai.errors import InputError
from fashionai.inference.validation import validation_error
from fashionai.option_group import at_least


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    how = Quantisation()
    add('--modelpath', default='supplied', help='frozen graph with an .onnx beside it, or a name of a network of the '
        'project')
    add('--photographs', default=str(PHOTOGRAPHS), help='folder of the photographs that ranges come from; all .jpg '
        'files in it and below count')
    add('--output', help='file to write, .onnx; its contract is written beside it. Without it, nothing is kept')
    add('--floats', default=how.floats, help='regular expression: layers in whose name it is found stay in single '
        'precision')
    add('--calibration', default=how.calibration, choices=('MinMax', 'Entropy', 'Percentile'), help='how ranges are '
        'found')
    add('--seven-bits', action='store_true', help='weights of 7 bits, for processors without VNNI')
    add('--csv', default=str(PHOTOGRAPHS / 'val.csv'), help='labelled pictures')
    add('--imagepath', default=str(PHOTOGRAPHS), help='folder that image ids start from')
    add('--pictures', type=at_least(1), default=250, help='at most so many labelled pictures, from all over the list')
    add('--threads', type=at_least(0), default=0, help='threads of the network; 0: one for each core')
    add('--repetitions', type=at_least(1), default=30, help='timed rounds')
    return parser.parse_args(argv)


def labelled(args: argparse.Namespace) -> Annotations:
    """Returns the labelled pictures."""
    rows = read_annotations(resolve(args.csv))
    count = min(args.pictures, len(rows))
    return rows.select([number * len(rows) // count for number in range(count)])


def line_of(name: str, network: Network, truth: Annotations, folder: Path) -> str:
    """Returns the line of a network in the table of errors."""
    assert network.trained_hw, 'exported models have a contract'
    shape = InputShape(network.trained_hw, network.stride)
    error = validation_error(truth, folder, network.garment, shape)(network.predict_with_types)
    return f'| {name} | {error:.2f} |'


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Makes the model, measures and prints."""
    args = parse(argv)
    photographs = sorted(resolve(args.photographs).rglob('*.jpg'))
    if not photographs:
        raise InputError(f'{args.photographs} has no .jpg file, and none below it')
    how = Quantisation(args.floats, args.calibration, args.seven_bits)
    plain = open_model(resolve_network(args.modelpath), 'onnxruntime')
    truth = labelled(args)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        output = Path(args.output) if args.output else Path(folder, 'integers.onnx')
        models = {'float32': plain, 'int8': with_integers(plain, photographs, how, output)}
        networks = {f'{kind}, {name}': network for kind, model in models.items() for name, network in
                    opened(WITH_INTEGERS, model, plain.garments.joint, args.threads, stack).items()}
        image = inputs_of(plain, photographs[:1])[0]
        tasks = {name: ProcessorTime(partial(network.forward, image)) for name, network in networks.items()}
        timings = interleaved(tasks, args.repetitions, warm_up=3)
        print(circumstances(onnx_runtime()))
        print(format_table([Line(name, timing, 1, 'image') for name, timing in timings.items()]))
        for name, task in tasks.items():
            print(f'{name}: {task.milliseconds(args.repetitions):.1f} ms of processor time an image')
        print(f'\n{len(photographs)} photographs for the ranges; {len(truth)} labelled pictures\n\n'
              '| | NE `visible`, % |\n|---|---|')
        for name, network in networks.items():
            print(line_of(name, network, truth, resolve(args.imagepath)), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
