"""Freeze a trained network: one `.pb` that run.py reads, with its contract inside, and as JSON beside it.

--graph reads a frozen graph in place of a checkpoint, to store its weights in another format; or several, which become
one graph.
"""
import argparse
import shutil
from pathlib import Path
from typing import Optional, Sequence, Tuple

from fashionai.cli.entry_point import (
    add_garments_option,
    add_weight_format_option,
    chosen_garments,
    guarded,
    in_project,
    prepare_output,
    resolve,
    resolve_checkpoint,
)
from fashionai.errors import InputError
from fashionai.inference.config import InferenceOptions
from fashionai.model_files.default_model import installed_graph
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.weight_formats import FLOAT32
from fashionai.option_group import size_hw
from fashionai.tf_compat import graph_mode


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', help=(
        'a checkpoint model-<step>, or a folder: its highest step (default: the best of the newest run under '
        '<modelpath>/<tag>, or its highest step where validation kept none)'))
    parser.add_argument('--average', metavar='FILES', help=(
        'weights of further trainings of the same network, with commas between them: checkpoints, folders, or files of '
        '--weights. The mean of all is frozen'))
    parser.add_argument('--modelpath', default='models/trained', help='folder of checkpoints (default: %(default)s)')
    parser.add_argument('--model', help='network (default: what run.json beside the checkpoint says)')
    parser.add_argument('--tag', help='garment type, or all (default: what run.json says)')
    parser.add_argument('--output', default=in_project('tmp/frozen_graph.pb'), help='file to write (default: '
        '%(default)s)')
    add_weight_format_option(parser, FLOAT32, '%(default)s')
    parser.add_argument('--graph', metavar='PB', help='frozen graph to write again, in place of a checkpoint; or '
        'several with commas between them: they are joined to one graph, whose heat maps are the mean of theirs')
    parser.add_argument('--size', metavar='WIDTHxHEIGHT', help='with --graph: input size in pixels that the contract '
        'gives (default: as in the contract of that graph)')
    InferenceOptions.add_flags(parser, only=('trust_graph',))
    parser.add_argument('--weights', metavar='NPZ', help='also write the variables to this file, for --pretrain_path '
        'of other trainings')
    parser.add_argument('--install', action='store_true', help='also copy to models/trained/<tag>/graph')
    add_garments_option(parser)
    return parser.parse_args(argv)


def checkpoint_path(args: argparse.Namespace) -> Path:
    """Returns the path of `--checkpoint`, or the folder of the trainings of the tag. Raises InputError if there is
    nothing."""
    from fashionai.model_files.checkpoints import newest_index
    if args.checkpoint:
        return resolve_checkpoint(args.checkpoint)
    training = f'train the network first: ./begin_to_train.sh {args.tag or "TYPE"}'
    try:
        runs = resolve(Path(args.modelpath) / (args.tag or ''))
    except InputError as error:
        raise InputError(f'{error}: {training}') from None
    if not newest_index(runs):
        raise InputError(f'{runs} has no checkpoint: {training}')
    return runs


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Freeze the checkpoint or write the graph again, and with --install copy it to the place that run.py reads."""
    args = parse(argv)
    _check(args)
    graph_mode()
    from fashionai.model_files.contract import Contract, contract_path, replacing_model

    output = prepare_output(args.output)
    source, difference = _store_again(args, output) if args.graph else _freeze(args, output)
    print(f'wrote {output}, {output.stat().st_size / 1e6:.1f} MB, and {contract_path(output).name}; it differs from '
          f'the {source} by {difference:.2g} at most')
    if args.install:
        tag = Contract.load(contract_path(output)).tag
        installed = prepare_output(installed_graph(Path(in_project('models/trained')), tag))
        with replacing_model(installed) as draft:
            shutil.copyfile(str(output), str(draft))
            shutil.copyfile(str(contract_path(output)), str(contract_path(draft)))
        print(f'installed {installed}')
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for flags that do not fit together."""
    if args.size and not args.graph:
        raise InputError('--size: a checkpoint has the size that it was trained at; give --graph too')
    if args.graph and (args.checkpoint or args.average or args.weights):
        raise InputError('--graph is read in place of a checkpoint: leave out --checkpoint, --average and --weights')


def _freeze(args: argparse.Namespace, output: Path) -> Tuple[str, float]:
    """Freezes the checkpoint. Returns what the graph was compared with, and the largest difference."""
    from fashionai.model_files.checkpoints import find_checkpoint
    from fashionai.model_files.freezing import freeze
    from fashionai.model_files.weights import export_weights, mean_weights

    checkpoint = find_checkpoint(checkpoint_path(args))
    model, tag = args.model or checkpoint.run.get('model'), args.tag or checkpoint.run.get('tag')
    if not model or not tag:
        raise InputError(f'{checkpoint.prefix} has no run.json with its network and garment type: '
                         'give --model and --tag')
    print(f'freezing {checkpoint.prefix} ({model}, {tag})')
    further = [resolve_checkpoint(path) for path in args.average.split(',')] if args.average else []
    weights = mean_weights([checkpoint.prefix, *further])
    difference = freeze(checkpoint, model, tag, output, args.weight_format,
                        chosen_garments(args) if args.garments else None, weights if further else None)
    if args.weights:
        export_weights(weights, prepare_output(args.weights))
        print(f'wrote {args.weights}')
    return 'session', difference


def _store_again(args: argparse.Namespace, output: Path) -> Tuple[str, float]:
    """Writes the graphs of --graph again, as one. Returns what it was compared with, and the largest difference."""
    from fashionai.model_files.freezing import store_again

    models = [ModelFile.open(resolve(path)) for path in args.graph.split(',')]
    return 'other graph', store_again(models, output, args.weight_format, size_hw(args.size) if args.size else None,
                                      args.trust_graph)
