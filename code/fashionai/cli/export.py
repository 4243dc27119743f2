"""Export a frozen graph to the format of another engine, and compare the two on images."""
import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import ContextManager, List, Optional, Sequence

from fashionai.annotations import read_annotations
from fashionai.cli.entry_point import (
    PROJECT_ROOT,
    add_outside_option,
    add_weight_format_option,
    chosen_graph,
    guarded,
    prepare_output,
    resolve,
)
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, JOINT
from fashionai.images.sources import sources_of
from fashionai.inference.config import InferenceOptions
from fashionai.model_files.contract import EXPORTED, contract_path, model_files
from fashionai.model_files.model_file import ModelFile, warn_of_assumptions
from fashionai.model_files.weight_formats import FLOAT32, INT8
from fashionai.option_group import size_hw
from fashionai.tf_compat import graph_mode

PHOTOGRAPHS = PROJECT_ROOT / 'data/photographs'
"""The photographs that the ranges of integers come from if the user names none."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--to', required=True, choices=EXPORTED, help='format of the model. tflite: it takes one image at a time, of '
        'one size; models of the other formats take any number of images, of any size')
    add('--tag', help='garment type of the graph and of the images that it is compared on '
        '(default: the type of the graph; all if it does not say it)')
    add('--modelpath', help='frozen graph (default: models/trained/<tag>/graph/frozen_graph.pb, or that of `all`, or '
        'the supplied one)')
    add('--output', help='file to write (default: beside the graph, under its name)')
    add_weight_format_option(parser, None, 'as in the graph')
    add('--compute', choices=(FLOAT32, INT8), default=FLOAT32, help='onnx: numbers that the model computes with. int8 '
        'takes about half of the time on CPUs, and the points are a little worse (default: float32)')
    add('--photographs', metavar='FOLDER', help='--compute int8: some 40 photographs of garments, without labels; the '
        'ranges of the integers come from them (default: data/photographs of the project)')
    add('--size', help='tflite: WIDTHxHEIGHT of the images that the model takes (default: the size that the graph was '
        'trained at; 368x368 if it does not say it)')
    InferenceOptions.add_flags(parser, only=('trust_graph', 'threads'))
    add('--csv', help='labelled list of images to compare on (default: generated garments)')
    add('--imagepath', help='folder that image ids start from (default: the folder of --csv)')
    add_outside_option(parser)
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Convert, compare, write, and print the comparison."""
    args = parse(argv)
    graph = chosen_graph(args.modelpath, args.tag or JOINT)
    model = ModelFile.open(graph)
    warn_of_assumptions([model])
    tag, garments = args.tag or (model.contract.tag if model.contract else JOINT), model.garments
    garment = garments.of(tag)
    if garments != GARMENTS and not args.csv:
        raise InputError(f'{graph} is of a table of its own ({garments}), which is not generated: give --csv')
    photographs = _photographs(args)
    graph_mode()
    from fashionai.exporting.exporter import ExportRequest, export
    from fashionai.exporting.formats import FORMATS
    from fashionai.exporting.parity import ParityImages, generated

    if args.size and not FORMATS[args.to].fixed:
        raise InputError(f'--size: a model of {args.to} takes images of any size')
    output = prepare_output(args.output or graph.with_suffix(EXPORTED[args.to]))
    if output.suffix != EXPORTED[args.to]:
        raise InputError(f'--output {args.output}: engines know the format by the ending, wanted {EXPORTED[args.to]}')
    input_hw = size_hw(args.size) if args.size else model.trained_hw
    request = ExportRequest(args.to, args.weight_format, input_hw, args.threads, args.trust_graph, args.compute,
                            photographs)

    def labelled() -> ParityImages:
        path = resolve(args.csv)
        truth = read_annotations(path, garments).of_type(tag)
        if not len(truth):
            raise InputError(f'{path} has no row of type {tag}')
        truth.check_inside(args.allow_outside)
        return ParityImages(truth, resolve(args.imagepath or path.parent), f'{len(truth)} images of {path.name}')

    samples: ContextManager[ParityImages] = nullcontext(labelled()) if args.csv else generated(tag)
    with samples as sample:
        parity = export(model, garment, request, output, sample)
    print(f'wrote {output}, {megabytes(output)}, and {contract_path(output).name}; {graph.name} has {megabytes(graph)}')
    print(f'on {parity.images}: maps differ by {parity.maps:.2g} at most, where they reach {parity.maps_reach:.2g}' +
          ('' if parity.types is None else f'; probabilities of types by {parity.types:.2g}'))
    print(f'NE visible, one window: {parity.ne_graph:.3f} % by the graph, {parity.ne_exported:.3f} % by the model')
    return 0


def _photographs(args: argparse.Namespace) -> List[Path]:
    """Returns the photographs that the ranges of integers come from. Raises InputError if flags contradict each other,
    or if there are no photographs."""
    if args.compute != INT8:
        if args.photographs:
            raise InputError('--photographs: only --compute int8 uses photographs')
        return []
    if args.to != 'onnx':
        raise InputError(f'--compute int8: only models of onnx compute with integers, not those of {args.to}')
    if args.weight_format not in (None, INT8):
        raise InputError(f'--weight-format {args.weight_format}: with --compute int8, weights are integers')
    if not args.photographs and not PHOTOGRAPHS.is_dir():
        raise InputError('--compute int8 needs --photographs FOLDER: some 40 photographs of garments, without labels')
    found = [source for source in sources_of([str(resolve(args.photographs or PHOTOGRAPHS))]) if not source.is_video]
    faulty = [f'{source.path}: {source.fault}' for source in found if source.fault]
    if faulty or not found:
        raise InputError(f'--photographs: {faulty[0] if faulty else "only videos"}; wanted a folder of some 40 '
                         'photographs of garments, without labels')
    return [Path(source.path) for source in found]


def megabytes(model: Path) -> str:
    """Returns the size of a model with all its files."""
    return f'{sum(part.stat().st_size for part in model_files(model)) / 1e6:.1f} MB'

