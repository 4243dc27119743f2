"""calibrate.py on a graph that is often too sure: what it writes, and what predict.py then says."""
import json
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List

import cv2
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.annotations import Annotations, write_annotations
from fashionai.cli import calibrate, predict
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.model_files.contract import Contract, contract_of, contract_path, file_sum
from fashionai.model_files.freezing import fold_constants
from fashionai.model_files.graph_file import read_graph
from fashionai.networks.catalog import build, input_placeholder
from fashionai.networks.head_options import HeadOptions

ALL, SKIRT = GARMENTS.of('all'), GARMENTS['skirt']
PICTURES = 24

Finish = Callable[..., str]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of two stages with random weights that tells types, and labelled pictures of noise."""
    folder, random = tmp_path_factory.mktemp('calibrate'), np.random.RandomState(0)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        image = input_placeholder()
        network = build('testing', image, ALL, False, HeadOptions(type_head='along'))
        session.run(tf.global_variables_initializer())
        (folder / 'graph.pb').write_bytes(fold_constants(
            session, image, [network.output, network.types.probabilities]).SerializeToString())
    path = folder / 'graph.pb'
    Contract('all', ALL.keypoints, 'testing', (64, 64), 8, 7, file_sum(path), types=ALL.types).save(contract_path(path))
    keypoints = np.full((PICTURES, 24, 3), -1, np.int32)
    for number in range(PICTURES):
        cv2.imwrite(str(folder / f'{number}.png'), random.randint(0, 255, (60, 50, 3)).astype(np.uint8))
        keypoints[number, SKIRT.csv_indices] = np.column_stack([random.randint(0, 50, (4, 2)), random.randint(0, 2, 4)])
    write_annotations(folder / 'val.csv', Annotations(tuple(f'{number}.png' for number in range(PICTURES)),
                                                      ('skirt',) * PICTURES, keypoints, ''))
    return folder


def arguments(folder: Path, *more: object) -> List[object]:
    return ['--modelpath', folder / 'graph.pb', '--csv', folder / 'val.csv', '--imagepath', folder, '--threads', 1,
            '--presets', 'fast', *more]


def predicted(folder: Path, finish: Finish, *more: object) -> Dict:
    text = finish(predict.main, folder / '0.png', '--modelpath', folder / 'graph.pb', '--threads', 1, '--output',
                  folder / 'out.json', '--overwrite', *more)
    assert 'Traceback' not in text
    return json.loads((folder / 'out.json').read_text())


def test_scores_become_probabilities_and_points_have_a_visibility(folder: Path, finish: Finish) -> None:
    before = predicted(folder, finish, '--preset', 'fast', '--tag', 'skirt')
    assert before['score_kind'] == 'height' and before['keypoints']['hemline_left']['visibility'] is None
    printed = finish(calibrate.main, *arguments(
        folder, '--visibility-csv', folder / 'val.csv', '--json', folder / 'report.json'))
    assert '| `fast` |' in printed
    contract = contract_of(folder / 'graph.pb')
    assert contract.visibility == ('absent', 'occluded', 'visible') and contract.calibration.pictures == PICTURES
    (folder / 'copy.pb').write_bytes((folder / 'graph.pb').read_bytes())
    assert contract_of(folder / 'copy.pb') == replace(contract, graph_sha256='')
    assert set(contract.calibration.scores) == {'fast'} and contract.calibration.types.temperature > 0
    report = json.loads((folder / 'report.json').read_text())
    assert report['calibration'] == contract.calibration.to_json()
    scores = report['report']['scores']['fast']
    assert 0 <= scores['scores']['brier'] <= 1 and sum(one['count'] for one in scores['scores']['bins']) == (
        scores['points'])
    assert report['report']['states']['visible']['count'] + report['report']['states']['occluded']['count'] == (
        4 * PICTURES)
    after = predicted(folder, finish, '--preset', 'fast', '--tag', 'skirt')
    assert after['score_kind'] == 'probability'
    for name, point in after['keypoints'].items():
        assert point['visibility'] in ('visible', 'occluded') and 0 < point['score'] < 1
        assert [point[key] for key in ('x', 'y', 'peak')] == [before['keypoints'][name][key]
                                                              for key in ('x', 'y', 'score')]
    other = predicted(folder, finish, '--preset', 'fast', '--tag', 'skirt', '--flip', '--no-visibility')
    assert other['score_kind'] == 'height', 'heights with other flags were not calibrated'
    assert other['keypoints']['hemline_left']['visibility'] is None


def test_what_cannot_be_calibrated_is_refused(folder: Path, finish: Finish, tmp_path: Path) -> None:
    (tmp_path / 'graph.pb').write_bytes(read_graph(folder / 'graph.pb').SerializeToString())  # without its contract
    assert 'contract' in finish(calibrate.main, '--modelpath', tmp_path / 'graph.pb', '--csv', folder / 'val.csv',
                                code=1)
    assert 'swift' in finish(calibrate.main, *arguments(folder, '--presets', 'swift'), code=1)
    assert '2 folders' in finish(calibrate.main, *arguments(
        folder, '--visibility-csv', folder / 'val.csv', '--visibility-imagepath', f'{folder},{folder}'), code=1)


def test_a_network_of_the_project_is_found_by_its_name(finish: Finish, tmp_path: Path) -> None:
    said = finish(calibrate.main, '--modelpath', 'fast', '--csv', tmp_path / 'none.csv', code=1)
    assert 'none.csv' in said, 'the network was found, and its labels were looked for'


def test_a_network_that_does_not_tell_it_marks_no_visibility(folder: Path, finish: Finish, tmp_path: Path) -> None:
    (tmp_path / 'graph.pb').write_bytes(read_graph(folder / 'graph.pb').SerializeToString())  # without its contract
    printed = finish(predict.main, folder / '0.png', '--modelpath', tmp_path / 'graph.pb', '--tag', 'skirt', '--format',
                     'csv', '--mark-visibility', code=1)
    assert 'visibility' in printed and 'Traceback' not in printed
    assert '--format' in finish(predict.main, folder / '0.png', '--mark-visibility', code=1)


def test_the_diagram_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    from fashionai.calibration.statistics import Bin
    from fashionai.evaluation.reliability_diagram import draw_reliability
    bins = [Bin(0.2, 0.4, 10), Bin(0.8, 0.7, 30)]
    draw_reliability(tmp_path / 'diagram.png', {'fast': {'height': bins, 'score': bins}, 'standard': {'score': bins}})
    assert cv2.imread(str(tmp_path / 'diagram.png')).shape[1] > 400
    with pytest.raises(InputError, match='diagram'):
        draw_reliability(tmp_path / 'diagram.nothing', {'fast': {'score': bins}})
