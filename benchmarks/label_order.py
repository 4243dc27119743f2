"""Simulates labelling: does training on the garments that label.py would ask for first give a lower error than training
on as many that are drawn at random?

For each seed, a pool of labelled pictures is drawn. A light network, which starts from ImageNet's weights, is trained
on a few of them. It makes proposals for all others, as label.py does. Then two networks go on from it, both on the
first pictures and as many others: the first ones in the order of label.py, or random ones. The table has the NE
`visible` of each on pictures that no network was trained on: val.csv, and the rows of train.csv outside the pool. It
also says how well each sign of doubt orders the pictures of the pool by their true error.

What is done is kept in the folder of --output, and the same command continues it.

With --modelpath, nothing is trained: the signs of doubt of this network are compared with its true errors on val.csv.
"""
import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
from timing import ROOT, circumstances
from tqdm import tqdm

from fashionai.annotations import Annotations, read_annotations, write_annotations
from fashionai.cli.entry_point import PROJECT_ROOT, guarded, resolve
from fashionai.cli.inference_flags import ChosenNetworks
from fashionai.engines.opening import open_model
from fashionai.errors import InputError
from fashionai.evaluation.metrics import score
from fashionai.files import read_json, write_json
from fashionai.garments.table import GARMENTS, JOINT
from fashionai.images.decoder import read_image
from fashionai.inference.config import InferenceOptions
from fashionai.inference.missing_keypoints import submission_keypoints
from fashionai.labelling.ordering import gain_of, varied
from fashionai.labelling.proposals import LOOK_VALUES, Proposer, look_of
from fashionai.option_group import at_least

MODEL = 'efficientnet_lite0'
"""The network. It starts from its packaged weights, which know ImageNet and no picture of the pool."""

_TOGETHER = 50
"""Pictures that are read together to measure the error."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--datapath', required=True, help='folder with train/train.csv, val.csv and their pictures')
    add('--modelpath', help='measure only the signs of this graph or exported model, on val.csv')
    add('--output', default=str(PROJECT_ROOT / 'tmp/label_order'), help='folder of the trainings; they are continued')
    add('--seeds', type=at_least(1), default=3, help='number of simulations')
    add('--first', type=at_least(16), default=100, help='pictures that are labelled in the beginning')
    add('--chosen', type=at_least(1), default=200, help='pictures that are labelled then')
    add('--pool', type=at_least(2), default=700, help='pictures of train.csv that can be labelled; the others measure')
    add('--size', type=at_least(32), default=128, help='side of the input in pixels')
    add('--batchsize', type=at_least(1), default=8, help='images in a step')
    add('--first-steps', type=at_least(1), default=400, help='steps on the first pictures')
    add('--steps', type=at_least(1), default=500, help='steps on the first and the chosen pictures')
    add('--threads', type=at_least(0), default=0, help='threads of the network in proposals; 0: one for each core')
    return parser.parse_args(argv)


class Simulation:
    """One simulation: its pictures, its folder, and the options."""

    def __init__(self, options: argparse.Namespace, seed: int) -> None:
        self._options, self._seed = options, seed
        self._data = resolve(options.datapath)
        self._folder = Path(options.output) / f'seed{seed}'
        table = read_annotations(self._data / 'train' / 'train.csv')
        shuffled = np.random.RandomState(seed).permutation(len(table))
        self._first = table.select(shuffled[:options.first].tolist())
        self._pool = table.select(shuffled[options.first:options.pool].tolist())
        self._held = _joined(read_annotations(self._data / 'train' / 'val.csv'),
                             table.select(shuffled[options.pool:].tolist()))

    def run(self) -> Mapping[str, Any]:
        """Returns the NE in percent by name, and the rank correlation of each sign with the true error."""
        path = self._folder / 'result.json'
        if not path.exists():
            write_json(path, self._measure())
        return read_json(path)

    def _measure(self) -> Dict[str, Any]:
        base = self._train('first', self._first, self._options.first_steps, '')
        proposals = self._proposals(base)
        number = min(self._options.chosen, len(self._pool))
        looks = np.array([proposal['look'] for proposal in proposals], np.float64).reshape(-1, LOOK_VALUES)
        seen = np.array([look_of(read_image(self._data / 'train' / image_id)) for image_id in self._first.image_ids],
                        np.float64)
        gains = np.array([gain_of(proposal) for proposal in proposals])
        picks = {'random': np.random.RandomState(1000 + self._seed).permutation(len(self._pool))[:number].tolist(),
                 'chosen': varied(gains, looks, seen)[:number]}
        results: Dict[str, Any] = {'first': self._error(base)}
        for name, indices in picks.items():
            rows = _joined(self._first, self._pool.select(indices))
            graph = self._train(name, rows, self._options.steps, str(self._folder / 'first' / JOINT))
            results[name] = self._error(graph)
        return {**results, 'signs': signs_of(proposals)}

    def _train(self, name: str, rows: Annotations, steps: int, checkpoint: str) -> Path:
        """Trains and freezes a network, unless that is done. Returns its graph."""
        graph = self._folder / name / 'graph' / 'frozen_graph.pb'
        if graph.exists():
            return graph
        lists = self._folder / name / 'data'
        (lists / 'train').mkdir(parents=True, exist_ok=True)
        write_annotations(lists / 'train' / 'train.csv', rows)
        weights = ('--checkpoint', checkpoint) if checkpoint else ()
        side = self._options.size
        _call('train.py', '--model', MODEL, '--tag', JOINT, '--datapath', lists, '--imgpath', self._data,
              '--input-width', side, '--input-height', side, '--batchsize', self._options.batchsize, '--gpus', 1,
              '--lr', 'cosine:1e-3', '--warmup-steps', 30, '--max-steps', steps, '--occluded', 'counted',
              '--validate-every', 0, '--save-every', 100, '--keep', 1, '--average-decay', 0.99, '--seed', self._seed,
              '--modelpath', self._folder / name, '--logpath', self._folder / 'logs', *weights)
        _call('freeze.py', '--tag', JOINT, '--checkpoint', self._folder / name / JOINT, '--output', graph)
        return graph

    def _proposals(self, graph: Path) -> Sequence[Mapping[str, Any]]:
        """Returns what `proposals_for` does, for the pool."""
        path = self._folder / 'proposals.json'
        if not path.exists():
            write_json(path, proposals_for(graph, self._pool, self._data / 'train', self._options.threads), indent=0)
        return read_json(path)

    def _error(self, graph: Path) -> Optional[float]:
        """Returns the NE `visible` on the pictures outside the pool, in percent."""
        rows: List[np.ndarray] = []
        with networks_of(graph, 'fast', self._options.threads).load_predictor() as predictor:
            for start in tqdm(range(0, len(self._held), _TOGETHER), unit='batch'):
                part = self._held.select(range(start, min(start + _TOGETHER, len(self._held))))
                images = [read_image(self._data / 'train' / image_id) for image_id in part.image_ids]
                rows += [submission_keypoints(prediction.points_xy, prediction.garment)
                         for prediction in predictor.predict(images, part.categories)]
        predicted = Annotations(self._held.image_ids, self._held.categories, np.stack(rows), str(graph))
        return score(self._held, predicted).visible.pooled.percent


def check_output(options: argparse.Namespace) -> None:
    """Keeps the options beside the trainings. Raises InputError if those that are there had other options."""
    path = Path(options.output) / 'options.json'
    wanted = {name: value for name, value in vars(options).items() if name not in ('seeds', 'threads', 'output')}
    wanted['datapath'] = str(resolve(options.datapath))
    if path.exists():
        found = read_json(path)
        for name in wanted:
            if found.get(name) != wanted[name]:
                raise InputError(f'{path}: the trainings there have {name} {found.get(name)}: wanted {wanted[name]}, '
                                 'or another --output')
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, wanted)


def proposals_for(graph: Path, table: Annotations, folder: Path, threads: int) -> List[Mapping[str, Any]]:
    """Returns the proposals of a network for labelled pictures, with the mean true error of each as `error`, in shares
    of the normaliser; None if the labels do not give it."""
    found: List[Mapping[str, Any]] = []
    standard, quick = (networks_of(graph, preset, threads) for preset in ('standard', 'fast'))
    with standard.load_predictor() as predictor, quick.load_predictor() as once:
        proposer = Proposer(GARMENTS, 'simulation', predictor, once)
        rows = zip(table.image_ids, table.categories, table.keypoints)
        for image_id, tag, labels in tqdm(rows, total=len(table), unit='picture'):
            proposal = proposer.propose(read_image(folder / image_id), tag, None).to_json()
            found.append({**proposal, 'error': _true_error(proposal, labels)})
    return found


def signs_of(proposals: Sequence[Mapping[str, Any]]) -> Dict[str, float]:
    """Returns the rank correlation of each sign of doubt, and of the gain, with the true error."""
    measured = [proposal for proposal in proposals if proposal['error'] is not None]
    errors = [proposal['error'] for proposal in measured]
    signs = {name: [proposal['doubt'][name] for proposal in measured] for name in measured[0]['doubt']}
    signs['gain'] = [gain_of(proposal) for proposal in measured]
    return {name: rank_correlation(values, errors) for name, values in signs.items()}


def networks_of(graph: Path, preset: str, threads: int) -> ChosenNetworks:
    """Returns a graph of FashionAI's types, as a preset uses it."""
    model = open_model(graph, None)
    options = InferenceOptions(preset=preset, threads=threads)
    return ChosenNetworks([model], JOINT, GARMENTS, options.config([model.trained_hw], GARMENTS), threads)


def rank_correlation(values: Sequence[float], others: Sequence[float]) -> float:
    """Returns the rank correlation, where equal values have one rank; 0 if all values are the same."""
    ranks = [np.unique(row, return_inverse=True)[1].astype(float) for row in (np.array(values), np.array(others))]
    if min(np.ptp(row) for row in ranks) == 0:
        return 0
    return float(np.corrcoef(*ranks)[0, 1])


def format_results(results: Sequence[Mapping[str, Any]]) -> str:
    """Returns both tables of the simulations."""
    names = ('first', 'random', 'chosen')
    lines = ['| seed | first alone | and random | and chosen | chosen - random |', '|---|---|---|---|---|']
    for seed, result in enumerate(results, 1):
        lines.append(_row(str(seed), [result[name] for name in names]))
    lines.append(_row('mean', [float(np.mean([result[name] for result in results])) for name in names]))
    return '\n'.join([*lines, '', format_signs([result['signs'] for result in results])])


def format_signs(signs: Sequence[Mapping[str, float]]) -> str:
    """Returns the table of the signs, the mean of several measurements."""
    lines = ['| sign of doubt | rank correlation with the true error |', '|---|---|']
    return '\n'.join(lines + [f'| {name} | {np.mean([each[name] for each in signs]):.2f} |' for name in signs[0]])


def _row(name: str, values: Sequence[float]) -> str:
    return f'| {name} | ' + ' | '.join(f'{value:.2f}' for value in (*values, values[2] - values[1])) + ' |'


def _true_error(proposal: Mapping[str, Any], labels: np.ndarray) -> Optional[float]:
    """Returns the mean distance of the points from the visible labels as a share of the normaliser; None if the labels
    do not give it."""
    garment = GARMENTS[proposal['type']]
    own = labels[garment.csv_indices]
    ends = own[[garment.keypoints.index(name) for name in garment.normaliser]]
    size = float(np.hypot(*np.ptp(ends[:, :2], axis=0)))
    visible = own[:, 2] == 1
    if (ends[:, 2] < 0).any() or not size or not visible.any():
        return None
    points = np.array([proposal['points'][name][:2] for name in garment.keypoints])
    return float(np.hypot(*(points - own[:, :2]).T)[visible].mean() / size)


def _joined(rows: Annotations, more: Annotations) -> Annotations:
    return Annotations(rows.image_ids + more.image_ids, rows.categories + more.categories,
                       np.concatenate([rows.keypoints, more.keypoints]), rows.source)


def _call(program: str, *arguments: object) -> None:
    subprocess.run([sys.executable, str(ROOT / 'code' / program), *map(str, arguments)], check=True)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the simulations and print the tables."""
    options = parse(argv)
    if options.modelpath:
        folder = resolve(options.datapath) / 'train'
        proposals = proposals_for(resolve(options.modelpath), read_annotations(folder / 'val.csv'), folder,
                                  options.threads)
        print(format_signs([signs_of(proposals)]))
        return 0
    check_output(options)
    results = [Simulation(options, seed).run() for seed in range(1, options.seeds + 1)]
    print(circumstances())
    print(format_results(results))
    return 0


if __name__ == '__main__':
    sys.exit(main())
