"""Calibrate a network: make its scores and its types probabilities, from labelled pictures that it has not seen, and
let it tell which points are visible."""
import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple

from tqdm import tqdm

from fashionai.annotations import Annotations, read_annotations
from fashionai.cli.entry_point import add_outside_option, chosen_graph, guarded, prepare_output, resolve
from fashionai.errors import InputError
from fashionai.files import locked, write_json
from fashionai.garments.table import JOINT, Garments
from fashionai.inference.config import PRESETS, InferenceOptions
from fashionai.model_files.contract import FORMAT_NAMES, contract_path, replacing_model, write_model
from fashionai.model_files.default_model import SUPPLIED_NETWORKS
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import VISIBILITY
from fashionai.tf_compat import graph_mode


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--modelpath', help='frozen graph with its contract, or a name of a network of the project: '
        f'{", ".join(SUPPLIED_NETWORKS)}; the contract is changed, inside the graph and beside it, and the network by '
        '--visibility-csv (default: models/trained/all/graph/frozen_graph.pb, or the supplied one)')
    add('--csv', default='data/train/val.csv', help='labelled pictures that were in no training of the network '
        '(default: %(default)s)')
    add('--imagepath', default='data/train', help='folder that image ids start from (default: %(default)s)')
    add('--visibility-csv', metavar='CSV', help='first fit a visibility head to the labels of these pictures, those of '
        'the training, and add it to the graph; several files with commas between them')
    add('--visibility-imagepath', metavar='FOLDER', help='folder of their image ids; or one for each file, with commas '
        'between them (default: --imagepath)')
    add('--presets', default=','.join(PRESETS), help='presets whose scores are calibrated; the calibration of the '
        'others stays (default: %(default)s)')
    add('--json', metavar='FILE', help='write the figures to this file too')
    add('--diagram', metavar='FILE', help='draw the reliability diagram to this file, .png or .svg')
    add_outside_option(parser)
    InferenceOptions.add_flags(parser, only=('trust_graph', 'threads'))
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Add the visibility head, calibrate, write the contracts, and print what it gains."""
    args = parse(argv)
    presets = args.presets.split(',')
    unknown = [name for name in presets if name not in PRESETS]
    if unknown:
        raise InputError(f'--presets {unknown[0]}: wanted some of {", ".join(PRESETS)}')
    path = chosen_graph(args.modelpath, JOINT)
    with locked(path, 'calibrate.py'):
        _calibrate(args, path, presets)
    return 0


def _calibrate(args: argparse.Namespace, path: Path, presets: Sequence[str]) -> None:
    model = ModelFile.open(path)
    if model.contract is None or path.suffix != '.pb':
        raise InputError(f'{path}: wanted a frozen graph, .pb, with its contract, inside it or in '
                         f'{contract_path(path).name} beside it')
    truth = _labelled(args.csv, model.garments, model.contract.tag, args.allow_outside)
    sources = _visibility_sources(args, model) if args.visibility_csv else []
    diagram = prepare_output(args.diagram) if args.diagram else None
    graph_mode()
    from fashionai.inference.calibrating import calibrated, format_report
    from fashionai.model_files.recalibrating import recalibrate

    if sources:
        model = _add_head(model, sources, args.trust_graph)
    calibration, report = calibrated(model, truth, resolve(args.imagepath), presets, args.threads, _progress)
    print(format_report(report))
    written, left = recalibrate(model, calibration)
    print('\n'.join(f'wrote the calibration of {one}' for one in written))
    for one in left:
        print(f'{one.name} has to be exported again: code/export.py --modelpath {path} --to '
              f'{FORMAT_NAMES[one.suffix]}')
    if args.json:
        write_json(prepare_output(args.json), {'report': asdict(report), 'calibration': calibration.to_json()})
    if diagram:
        from fashionai.evaluation.reliability_diagram import draw_reliability
        draw_reliability(diagram, {name: {'height of the peak': one.heights.bins, 'score': one.scores.bins}
                                   for name, one in report.scores.items()})
        print(f'wrote {diagram}')


def _add_head(model: ModelFile, sources: Sequence[Tuple[Annotations, Path]], trusted: bool) -> ModelFile:
    """Fits a visibility head, replaces the graph by one with it, and returns that."""
    from fashionai.inference.visibility_fitting import graph_with_head
    assert model.contract is not None, 'main has looked'
    content = graph_with_head(model, sources, trusted, _progress)
    with replacing_model(model.path) as draft:
        write_model(draft, content, replace(model.contract, visibility=VISIBILITY))
    print(f'wrote {model.path} with a visibility head, fitted on {sum(len(truth) for truth, _ in sources)} pictures')
    return ModelFile.open(model.path)


def _visibility_sources(args: argparse.Namespace, model: ModelFile) -> List[Tuple[Annotations, Path]]:
    """Returns the labelled rows of --visibility-csv, each with its folder."""
    files = args.visibility_csv.split(',')
    folders = (args.visibility_imagepath or args.imagepath).split(',')
    if len(folders) not in (1, len(files)):
        raise InputError(f'--visibility-imagepath names {len(folders)} folders for {len(files)} files: wanted one for '
                         'all, or one for each')
    tag = model.contract.tag if model.contract else ''
    return [(_labelled(file, model.garments, tag, args.allow_outside), resolve(folder))
            for file, folder in zip(files, folders * (len(files) // len(folders)))]


def _labelled(file: str, garments: Garments, tag: str, allow_outside: bool) -> Annotations:
    truth = read_annotations(resolve(file), garments).of_type(tag)
    truth.check_inside(allow_outside)
    return truth


def _progress(items: Iterator) -> Iterator:
    return iter(tqdm(items, file=sys.stderr))
