"""run.py from command line to rows, with a graph of one layer."""
import json
import os
from collections import Counter
from pathlib import Path
from typing import Callable, List, Sequence

import cv2
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.annotations import Annotations, read_annotations, write_annotations
from fashionai.cli import predict, run
from fashionai.files import locked
from fashionai.garments.table import GARMENTS, Garment
from fashionai.inference.predictor import Predictor
from fashionai.inference.second_pass import SecondPass
from fashionai.model_files import contract
from fashionai.model_files.contract import Contract, contract_of, contract_path, file_sum, write_model

TYPES = ('skirt', 'trousers', 'skirt', 'dress', 'skirt')


def write_graph(path: Path, tag: str, seed: int = 0, writes: str = '') -> None:
    """Writes a graph of one layer with fixed random weights, which also `writes` a file if asked for."""
    garment = GARMENTS.of(tag)
    shape = (8, 8, 3, garment.num_heatmaps + garment.num_fields)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name='image')
        kernel = np.random.RandomState(seed).normal(0, 1e-2, shape).astype(np.float32)
        kernel -= kernel.mean(axis=(0, 1, 2))
        maps = tf.nn.conv2d(image, tf.constant(kernel), strides=[1, 8, 8, 1], padding='SAME')
        with tf.control_dependencies([tf.io.write_file(writes, 'x')] if writes else []):
            tf.identity(maps, name='Openpose/concat_stage7')
        path.write_bytes(graph.as_graph_def().SerializeToString())


@pytest.fixture()
def data(tmp_path: Path) -> Path:
    """A folder with five pictures, their labels in val.csv, and two graphs."""
    random = np.random.RandomState(0)
    keypoints = np.full((len(TYPES), 24, 3), -1, np.int32)
    for number, tag in enumerate(TYPES):
        noise = random.uniform(0, 255, (60, 50, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f'{number}.png'), cv2.GaussianBlur(noise, (0, 0), 3))
        indices = GARMENTS[tag].csv_indices
        keypoints[number, indices] = np.column_stack([random.randint(0, 50, (len(indices), 2)), np.ones(len(indices))])
    ids = tuple(f'{number}.png' for number in range(len(TYPES)))
    write_annotations(tmp_path / 'val.csv', Annotations(ids, TYPES, keypoints, ''))
    write_graph(tmp_path / 'skirt.pb', 'skirt')
    write_graph(tmp_path / 'all.pb', 'all')
    return tmp_path


def command(data: Path, *more: str, tag: str = 'skirt', graph: str = 'skirt.pb') -> List[str]:
    return [f'--modelpath={data / graph}', f'--imagepath={data}', f'--csv={data / "val.csv"}', f'--tag={tag}',
            '--inputsize=96', '--resolution=96x96', '--scales=[1.0, (0.5,0.25,1.5)]', f'--output={data / "out.csv"}',
            '--threads=1', *more]


def test_the_rows_of_a_type_are_written(data: Path) -> None:
    assert run.main(command(data)) == 0
    rows = read_annotations(data / 'out.csv')
    assert rows.image_ids == ('0.png', '2.png', '4.png') and set(rows.categories) == {'skirt'}
    points = rows.keypoints[:, GARMENTS['skirt'].csv_indices]
    assert (points[..., 2] == 1).all() and (points[..., :2] >= 0).all() and (points[..., :2] < (50, 60)).all()


def test_a_joint_graph_serves_one_type_or_all(data: Path) -> None:
    assert run.main(command(data, graph='all.pb')) == 0
    assert len(read_annotations(data / 'out.csv')) == 3
    assert run.main(command(data, '--overwrite', '--batch=2', graph='all.pb', tag='all')) == 0
    rows = read_annotations(data / 'out.csv')
    assert dict(zip(rows.image_ids, rows.categories)) == {f'{n}.png': tag for n, tag in enumerate(TYPES)}


def test_a_graph_that_was_copied_alone_is_used_as_it_was_trained(data: Path, finish: Callable[..., str]) -> None:
    """The original's chain: freeze, copy the .pb, test."""
    graph, chain = data / 'graph/skirt.pb', [part for part in command(data) if not part.startswith(
        ('--modelpath', '--inputsize', '--resolution'))]

    def points(*more: str) -> np.ndarray:
        said = finish(run.main, *chain, f'--modelpath={graph}', '--overwrite', *more)
        assert ('368x368' in said) == (not more and not contract_of(graph)), said
        return read_annotations(data / 'out.csv').keypoints

    graph.parent.mkdir()
    graph.write_bytes((data / 'skirt.pb').read_bytes())
    assumed, told = points(), points('--inputsize=96', '--resolution=96x96')
    write_model(data / 'skirt.pb', graph.read_bytes(), Contract('skirt', GARMENTS['skirt'].keypoints, 'testing',
                                                                (96, 96), 8, 1, ''))
    graph.write_bytes((data / 'skirt.pb').read_bytes())
    copied = points()
    np.testing.assert_array_equal(copied, told)
    assert (copied != assumed).any()


def test_choices_change_the_points_or_leave_them(data: Path) -> None:
    def points(*more: str) -> np.ndarray:
        assert run.main(command(data, '--overwrite', *more)) == 0
        return read_annotations(data / 'out.csv').keypoints
    usual = points()
    np.testing.assert_array_equal(points('--batch=3'), usual)
    assert (points('--no-flip') != usual).any() and (points('--merge=addup') != usual).any()
    assert (points('--scales=[None]') != usual).any()
    two = '--scales=[(0.5,0.4,1.5), (0.5,0.75,1.5)]'  # they begin at 9.6 and 48 of 144 pixels: not at whole cells
    merged = points(two)
    assert (merged != points('--windows=exact', two)).any()
    np.testing.assert_array_equal(points(two, '--batch=3'), merged)
    for choice in ('--decode=bicubic', '--decode=quarter', '--decode=dark', '--decode=plain', '--assembly=paf'):
        assert (points(choice) != usual).any(), choice


@pytest.mark.parametrize('how', ['replace', 'average', 'agree', 'heatmaps'])
def test_the_second_pass_is_asked_for(data: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    asked = []

    class Seen(SecondPass):
        def __init__(self, first: Predictor, second: Predictor, garment: Garment, how: str) -> None:
            asked.append((garment.name, how))
            super().__init__(first, second, garment, how)

    monkeypatch.setattr('fashionai.inference.loading.SecondPass', Seen)
    assert run.main(command(data, f'--second-pass={how}')) == 0
    assert asked == [('skirt', how)] and len(read_annotations(data / 'out.csv')) == 3


def test_a_graph_that_writes_files_is_refused_unless_it_is_trusted(data: Path, finish: Callable[..., str]) -> None:
    reached = data / 'reached'
    write_graph(data / 'skirt.pb', 'skirt', writes=str(reached))
    said = finish(run.main, *command(data), code=1)
    assert 'skirt.pb' in said and 'WriteFile' in said and not reached.exists() and not (data / 'out.csv').exists()
    finish(run.main, *command(data, '--trust-graph'))
    assert reached.exists() and len(read_annotations(data / 'out.csv')) == 3


def test_several_graphs_are_averaged(data: Path) -> None:
    def points(graphs: str, *more: str) -> np.ndarray:
        modelpath = ','.join(str(data / name) for name in graphs.split(','))
        assert run.main(command(data, '--overwrite', *more)[1:] + [f'--modelpath={modelpath}']) == 0
        return read_annotations(data / 'out.csv').keypoints
    usual = points('skirt.pb')
    np.testing.assert_array_equal(points('skirt.pb,skirt.pb'), usual)
    mixed = points('skirt.pb,all.pb')
    assert (mixed != usual).any() and (points('skirt.pb,all.pb', '--resolution=96x96,64x64') != mixed).any()
    sizes = '--resolution=96x96,64x64'
    np.testing.assert_array_equal(points('skirt.pb', sizes), points('skirt.pb,skirt.pb', sizes))


def test_validation_prints_the_error_in_both_conventions(data: Path, capsys: pytest.CaptureFixture) -> None:
    assert run.main(command(data, '--test=validate')) == 0
    printed = capsys.readouterr().out
    for text in ('leaderboard', 'visible', 'skirt', 'hemline_left'):
        assert text in printed
    assert 'trousers' not in printed


def test_a_retrained_graph_does_not_keep_old_rows(data: Path, capsys: pytest.CaptureFixture) -> None:
    assert run.main(command(data)) == 0
    write_graph(data / 'skirt.pb', 'skirt', seed=1)
    assert run.main(command(data)) == 1
    assert 'graph' in capsys.readouterr().err
    assert run.main(command(data, '--overwrite')) == 0 and run.main(command(data)) == 0


def test_a_bad_image_ends_the_run_non_zero_after_the_others(data: Path, capsys: pytest.CaptureFixture) -> None:
    (data / '0.png').write_text('no picture')
    assert run.main(command(data)) == 1
    assert '1 of 3' in capsys.readouterr().err
    assert len(read_annotations(data / 'out.csv')) == 3
    assert run.main(command(data)) == 1


def test_the_second_run_on_an_output_is_refused(data: Path, capsys: pytest.CaptureFixture) -> None:
    assert run.main(command(data)) == 0
    before = (data / 'out.csv').read_bytes()
    with locked(data / 'out.csv', 'run.py'):
        for more in ((), ('--overwrite',)):
            assert run.main(command(data, *more)) == 1
            assert f'process {os.getpid()}' in capsys.readouterr().err
    assert (data / 'out.csv').read_bytes() == before and run.main(command(data)) == 0


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes with a name')
def test_a_pipe_and_half_a_jpeg_are_named(data: Path, finish: Callable[..., str]) -> None:
    (data / '0.png').unlink()
    os.mkfifo(str(data / '0.png'))
    jpeg = cv2.imencode('.jpg', cv2.imread(str(data / '2.png')))[1].tobytes()
    (data / '2.png').write_bytes(jpeg[:len(jpeg) * 2 // 3])
    assert '2 of 3' in finish(run.main, *command(data), code=1)
    reasons = json.loads((data / '.out.csv.json').read_text())['failures']
    assert '0.png' in reasons['0.png'] and '2.png' in reasons['2.png']


@pytest.mark.parametrize('more, said', [
    (('--scales=1.0',), '--scales'), (('--resolution=100x96',), '100x96'), (('--resolution=wide',), "'wide'"),
    (('--inputsize=96x64',), '96x64'), (('--maps=mean',), 'skirt.pb'),
    (('--decode=dark', '--inputsize=100'), '--inputsize 100'), (('--tag=dress',), 'dress'),
    (('--tag=outwear',), 'outwear'), (('--modelpath=none.pb',), 'none.pb'), (('--imagepath=nowhere',), 'nowhere'),
    (('--csv=none.csv',), 'none.csv')])
def test_mistakes_end_in_one_line(data: Path, capsys: pytest.CaptureFixture, more: tuple, said: str) -> None:
    assert run.main(command(data, *more)) == 1
    error = capsys.readouterr().err.strip()
    assert said in error and error.startswith('error: ') and '\n' not in error
    assert not (data / 'out.csv').exists()


def test_the_graph_of_the_type_is_found(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fashionai.cli.entry_point.PROJECT_ROOT', data)
    monkeypatch.chdir(data)
    arguments = [argument for argument in command(data, '--overwrite') if not argument.startswith('--modelpath')]
    write_graph(data / 'models/trained/all/graph/frozen_graph.pb', 'all')
    assert run.main(arguments) == 0
    write_graph(data / 'models/trained/skirt/graph/frozen_graph.pb', 'dress')
    assert run.main(arguments) == 1


def test_ids_with_backslashes_are_read_as_paths_and_ids_that_lead_out_are_refused(
        data: Path, capsys: pytest.CaptureFixture) -> None:
    (data / 'in').mkdir()
    (data / '0.png').rename(data / 'in' / '0.png')
    text = (data / 'val.csv').read_text()
    (data / 'val.csv').write_text(text.replace('\n0.png', '\nin\\0.png'))
    assert run.main(command(data)) == 0
    assert read_annotations(data / 'out.csv').image_ids == ('in\\0.png', '2.png', '4.png')
    (data / 'val.csv').write_text(text.replace('\n2.png', '\n../2.png'))
    assert run.main(command(data, '--overwrite')) == 1
    assert f'{data / "val.csv"}, row 4' in capsys.readouterr().err


def test_labels_by_which_nothing_can_be_measured_are_an_error_though_rows_are_written(
        data: Path, capsys: pytest.CaptureFixture) -> None:
    table = read_annotations(data / 'val.csv')
    absent = Annotations(table.image_ids, table.categories, np.full_like(table.keypoints, -1), '')
    write_annotations(data / 'val.csv', absent)
    assert run.main(command(data, '--test=validate')) == 1
    assert str(data / 'val.csv') in capsys.readouterr().err
    assert len(read_annotations(data / 'out.csv')) == 3


@pytest.fixture()
def hashed(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """How often the bytes of each file were hashed, by the file's name."""
    counts: Counter = Counter()

    def counting(path: Path, parts: object = contract.model_files) -> Sequence[Path]:
        counts[Path(path).name] += 1
        return parts(path)

    monkeypatch.setattr(contract, 'model_files', counting)
    return counts


@pytest.mark.parametrize('name', ['run', 'predict'])
def test_a_command_hashes_each_file_once(data: Path, hashed: Counter, name: str) -> None:
    for graph in ('skirt', 'all'):
        path = data / f'{graph}.pb'
        Contract(graph, GARMENTS.of(graph).keypoints, 'testing', (96, 96), 8, 1, file_sum(path)).save(
            contract_path(path))
    hashed.clear()
    both = f'--modelpath={data / "skirt.pb"},{data / "all.pb"}'
    if name == 'run':
        assert run.main([*command(data), both, '--test=validate']) == 0
    else:
        assert predict.main([str(data / '0.png'), both, '--tag=skirt', '--inputsize=96', '--resolution=96x96',
                             '--scales=[1.0]', f'--output={data / "found.jsonl"}']) == 0
    assert hashed == {'skirt.pb': 1, 'all.pb': 1}
