"""Freeze a trained network: one `.pb` that run.py reads, with its JSON contract beside it."""
import argparse
import shutil
from pathlib import Path
from typing import Optional, Sequence

from fashionai.cli.entry_point import (
    add_garments_option,
    chosen_garments,
    guarded,
    in_project,
    prepare_output,
    resolve,
    resolve_checkpoint,
)
from fashionai.errors import InputError
from fashionai.tf_compat import graph_mode


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', help=(
        'a checkpoint model-<step>, or a folder: its highest step (default: the best of the newest run under '
        '<modelpath>/<tag>, or its highest step where validation kept none)'))
    parser.add_argument('--modelpath', default='models/trained', help='folder of checkpoints (default: %(default)s)')
    parser.add_argument('--model', help='network (default: what run.json beside the checkpoint says)')
    parser.add_argument('--tag', help='garment type, or all (default: what run.json says)')
    parser.add_argument('--output', default=in_project('tmp/frozen_graph.pb'), help='file to write (default: '
        '%(default)s)')
    parser.add_argument('--half', action='store_true', help='store weights in half precision, which halves the size')
    parser.add_argument('--weights', metavar='NPZ', help='also write the variables to this file, for --pretrain_path '
        'of other trainings')
    parser.add_argument('--install', action='store_true', help='also copy to models/trained/<tag>/graph')
    add_garments_option(parser)
    return parser.parse_args(argv)


def checkpoint_path(args: argparse.Namespace) -> Path:
    """Returns the path of `--checkpoint`. Raises InputError if there is nothing."""
    if args.checkpoint:
        return resolve_checkpoint(args.checkpoint)
    return resolve(Path(args.modelpath) / (args.tag or ''))


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Find the checkpoint, freeze it, and with --install copy it to the place that run.py reads."""
    args = parse(argv)
    graph_mode()
    from fashionai.model_files.checkpoints import find_checkpoint
    from fashionai.model_files.contract import contract_path, replacing_model
    from fashionai.model_files.freezing import freeze
    from fashionai.model_files.weights import export_weights

    checkpoint = find_checkpoint(checkpoint_path(args))
    model, tag = args.model or checkpoint.run.get('model'), args.tag or checkpoint.run.get('tag')
    if not model or not tag:
        raise InputError(f'{checkpoint.prefix} has no run.json with its network and garment type: '
                         'give --model and --tag')
    print(f'freezing {checkpoint.prefix} ({model}, {tag})')
    output = prepare_output(args.output)
    difference = freeze(checkpoint, model, tag, output, args.half, chosen_garments(args) if args.garments else None)
    print(f'wrote {output} and {contract_path(output).name}; it differs from the session by {difference:.2g} at most')
    if args.weights:
        export_weights(checkpoint.prefix, prepare_output(args.weights))
        print(f'wrote {args.weights}')
    if args.install:
        installed = prepare_output(in_project(f'models/trained/{tag}/graph/frozen_graph.pb'))
        with replacing_model(installed) as draft:
            shutil.copyfile(str(output), str(draft))
            shutil.copyfile(str(contract_path(output)), str(contract_path(draft)))
        print(f'installed {installed}')
    return 0

