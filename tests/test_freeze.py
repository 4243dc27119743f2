"""freeze.py as a user runs it, on the `testing` network."""
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.cli import entry_point, freeze
from fashionai.garments.table import GARMENTS
from fashionai.model_files.weights import load_pretrained
from fashionai.networks.catalog import build, input_placeholder
from fashionai.tf_compat import graph_mode


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder for the command to work in."""
    monkeypatch.setattr(entry_point, 'PROJECT_ROOT', tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save_run(folder: Path, tag: str, bias: float, step: int, describe: bool = True) -> str:
    """A run's checkpoint, all zero but for the biases: so the graph's output tells which checkpoint it is."""
    graph_mode()
    (folder / 'best').mkdir(parents=True, exist_ok=True)
    with tf.Graph().as_default(), tf.Session() as session:
        build('testing', input_placeholder(), GARMENTS.of(tag), is_training=False)
        session.run(tf.global_variables_initializer())
        for variable in tf.model_variables():
            if variable.op.name == 'Openpose/Mconv2_stage2_L2/biases':
                variable.load(np.full(variable.shape.as_list(), bias), session)
            elif variable.op.name.endswith('weights'):
                variable.load(np.zeros(variable.shape.as_list()), session)
        if describe:
            (folder / 'run.json').write_text(json.dumps({'model': 'testing', 'tag': tag, 'input_hw': [96, 64]}))
        return tf.train.Saver().save(session, str(folder / 'model'), step, write_meta_graph=False)


def heatmap_value(path: Path) -> float:
    with tf.Graph().as_default(), tf.Session() as session:
        graph_def = tf.GraphDef()
        graph_def.ParseFromString(path.read_bytes())
        tf.import_graph_def(graph_def, name='')
        return float(session.run('Openpose/concat_stage7:0', {'image:0': np.zeros((1, 16, 16, 3))})[0, 0, 0, 0])


def test_the_best_checkpoint_of_the_newest_run_is_frozen_and_installed(
        project: Path, capsys: pytest.CaptureFixture) -> None:
    run = project / 'models' / 'trained' / 'skirt' / 'run'
    save_run(run, 'skirt', 1, 300)
    save_run(run / 'best', 'skirt', 2, 200, describe=False)
    (run / 'best' / 'best.json').write_text('{"step": 200, "validation_ne": 5.5}')
    assert freeze.main(['--tag', 'skirt', '--install']) == 0
    installed = project / 'models' / 'trained' / 'skirt' / 'graph'
    for graph in (project / 'tmp' / 'frozen_graph.pb', installed / 'frozen_graph.pb'):
        assert heatmap_value(graph) == 2
        contract = json.loads(graph.with_suffix('.json').read_text())
        assert contract['input_hw'] == [96, 64]
        assert (contract['step'], contract['validation_ne'], contract['tag']) == (200, 5.5, 'skirt')
    output = capsys.readouterr().out
    assert 'best/model-200' in output and str(installed) in output


@pytest.mark.parametrize('checkpoint', ['run', 'run/model-300', 'run/model-300.index'])
def test_a_checkpoint_by_name(project: Path, checkpoint: str) -> None:
    save_run(project / 'run', 'dress', 3, 300)
    for flags in ([], ['--half'], ['--weight-format=int8']):
        assert freeze.main(['--checkpoint', checkpoint, '--output', 'out/dress.pb'] + flags) == 0
        assert heatmap_value(project / 'out' / 'dress.pb') == 3
    assert not (project / 'models').exists()


def test_a_checkpoint_that_says_nothing_of_itself(project: Path, capsys: pytest.CaptureFixture) -> None:
    save_run(project / 'run', 'skirt', 3, 300, describe=False)
    assert freeze.main(['--checkpoint', 'run']) == 1
    assert 'give --model and --tag' in capsys.readouterr().err
    assert freeze.main(['--checkpoint', 'run', '--model', 'testing', '--tag', 'skirt']) == 0


@pytest.mark.parametrize('arguments', [[], ['--tag', 'skirt'], ['--checkpoint', 'absent/model-5']])
def test_nothing_to_freeze(project: Path, capsys: pytest.CaptureFixture, arguments: list) -> None:
    (project / 'models' / 'trained').mkdir(parents=True)
    assert freeze.main(arguments) == 1
    error = capsys.readouterr().err
    assert 'no checkpoint' in error or 'does not exist' in error


@pytest.mark.parametrize('made', [[], ['skirt'], ['skirt/graph']])
def test_before_a_training_the_message_says_how_to_train(project: Path, capsys: pytest.CaptureFixture,
                                                         made: list) -> None:
    for folder in made:
        (project / 'models/trained' / folder).mkdir(parents=True)
    assert freeze.main(['--tag', 'skirt']) == 1
    error = capsys.readouterr().err
    assert './begin_to_train.sh skirt' in error and 'models/trained/skirt' in error


def test_a_frozen_graph_in_place_of_a_checkpoint(project: Path, capsys: pytest.CaptureFixture) -> None:
    save_run(project / 'run', 'dress', 3, 300)
    assert freeze.main(['--checkpoint', 'run', '--output', 'dress.pb']) == 0
    assert freeze.main(['--graph', 'dress.pb', '--weight-format', 'int8', '--size', '64x32', '--output', 'small.pb',
                        '--install']) == 0
    assert (project / 'small.pb').stat().st_size < (project / 'dress.pb').stat().st_size
    for graph in (project / 'small.pb', project / 'models/trained/dress/graph/frozen_graph.pb'):
        assert heatmap_value(graph) == 3
        contract = json.loads(graph.with_suffix('.json').read_text())
        assert (contract['input_hw'], contract['step'], contract['tag']) == ([32, 64], 300, 'dress')
    capsys.readouterr()
    for flags, named in ((['--graph', 'dress.pb', '--checkpoint', 'run'], '--checkpoint'), (['--size', '64'], '--size'),
                         (['--graph', 'dress.pb', '--size', '60x60'], '60'),
                         (['--graph', 'dress.pb', '--size', '80x96'], '80x96'),
                         (['--graph', 'none.pb'], 'none.pb')):
        assert freeze.main([*flags, '--output', 'other.pb']) == 1
        assert named in capsys.readouterr().err and not (project / 'other.pb').exists()


def test_the_variables_can_start_another_training(project: Path) -> None:
    save_run(project / 'run', 'skirt', 3, 300)
    assert freeze.main(['--checkpoint', 'run', '--weights', 'weights.npz']) == 0
    with tf.Graph().as_default(), tf.Session() as session:
        build('testing', input_placeholder(), GARMENTS.of('dress'), is_training=False)
        session.run(tf.global_variables_initializer())
        report = load_pretrained(project / 'weights.npz', session)
        assert len(report.filled) > len(report.unmatched) > 0, 'all but the layers whose channels depend on the type'


def test_the_mean_of_several_trainings_is_frozen(project: Path) -> None:
    """The third is a file of --weights. The graph has no validation error, which was that of one training."""
    runs = [project / 'models' / 'trained' / 'skirt' / name for name in ('one', 'two', 'three')]
    for run, bias in zip(runs, (1, 2, 6)):
        save_run(run, 'skirt', bias, 300)
    assert freeze.main(['--checkpoint', str(runs[2]), '--output', 'three.pb', '--weights', 'three.npz']) == 0
    assert freeze.main(['--checkpoint', str(runs[0]), '--average', f'{runs[1]},three.npz', '--output', 'mean.pb',
                        '--weights', 'mean.npz']) == 0
    assert heatmap_value(project / 'mean.pb') == 3
    assert json.loads((project / 'mean.json').read_text())['validation_ne'] is None
    with np.load(str(project / 'mean.npz')) as weights:
        assert (weights['Openpose/Mconv2_stage2_L2/biases'] == 3).all()
    save_run(project / 'dress', 'dress', 1, 300)
    assert freeze.main(['--checkpoint', str(runs[0]), '--average', str(project / 'dress')]) == 1
    assert freeze.main(['--graph', 'mean.pb', '--average', 'three.npz']) == 1
