"""The benchmarks run, and their figures are right: medians of rounds, and ratios of paired repetitions."""
import importlib.util
import json
import re
import runpy
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Callable, Iterator, List

import cv2
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.annotations import Annotations, write_annotations
from fashionai.garments.table import GARMENTS
from fashionai.model_files.cost import graph_cost, network_cost
from fashionai.model_files.default_model import supplied_graph
from fashionai.networks.tensor_names import INPUT_NAME, OUTPUT_NAME

FOLDER = Path(__file__).resolve().parents[1] / 'benchmarks'


@pytest.fixture(scope='module')
def timing() -> ModuleType:
    """Loads a module by its file, because tests have modules of the same names."""
    spec = importlib.util.spec_from_file_location('benchmark_timing', str(FOLDER / 'timing.py'))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses need it there
    spec.loader.exec_module(module)
    return module


def test_tasks_take_turns_and_the_first_rounds_do_not_count(timing: ModuleType) -> None:
    done: List[str] = []
    timings = timing.interleaved({'a': lambda: done.append('a'), 'b': lambda: done.append('b')}, 3, warm_up=2)
    assert ''.join(done) == 'ababababab'
    assert all(len(each.seconds) == 3 and min(each.seconds) >= 0 for each in timings.values())


def test_ratios_are_those_of_the_rounds(timing: ModuleType) -> None:
    """The machine is three times slower in the second round and ten times in the third; the ratio is still two."""
    slow = timing.Line('slow', timing.Timing((2., 6., 20.)), 1, 'image')
    fast = timing.Line('fast', timing.Timing((1., 3., 10.)), 1, 'image')
    assert fast.speed_beside(slow) == pytest.approx(2) and slow.speed_beside(slow) == 1
    double = timing.Line('double', timing.Timing((1., 3., 10.)), 2, 'image')
    assert double.speed_beside(slow) == pytest.approx(4)
    fewer = timing.Line('fewer rounds', timing.Timing((3., 3.)), 1, 'image')
    assert fewer.speed_beside(slow) == pytest.approx(2)


def test_a_table_has_rates_medians_and_quartiles(timing: ModuleType) -> None:
    lines = [timing.Line('one', timing.Timing((.1, .2, .3, .4, .5)), 6, 'image'),
             timing.Line('two', timing.Timing((.2, .2, .2, .2, .2)), 4, 'GFLOP')]
    first, second = timing.format_table(lines).splitlines()[1:]
    assert first.split() == ['one', '20', 'image/s', '300', '200-400', '1']
    assert second.split() == ['two', '20', 'GFLOP/s', '200', '200-200', '1']
    long = timing.format_table([timing.Line('long', timing.Timing((12345.6,)), 1, 'command')]).splitlines()[1]
    assert long.split() == ['long', '0.000081', 'command/s', '12350000', '12350000-12350000', '1']


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[List[str]], int]]:
    """Runs a program by its file name, with the folder's modules in place of the tests' modules of the same names."""
    kept = dict(sys.modules)
    own = {path.stem for path in FOLDER.glob('*.py')}
    for name in own & set(kept):
        del sys.modules[name]
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.chdir(tmp_path)

    def run(arguments: List[str]) -> int:
        monkeypatch.setattr(sys, 'argv', arguments)
        runpy.run_path(str(FOLDER / arguments[0]), run_name='__main__')
        raise AssertionError('it ended without an exit code')

    yield run
    for name in own:
        sys.modules.pop(name, None)
    sys.modules.update({name: kept[name] for name in own & set(kept)})


def forked(command: str, folder: Path) -> str:
    """Returns the output of a program that forks workers, which a process that used TensorFlow must not do."""
    script, *arguments = command.split()
    process = subprocess.run([sys.executable, str(FOLDER / script), *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=300, cwd=str(folder))
    assert process.returncode == 0, process.stdout.decode()
    return process.stdout.decode()


@pytest.mark.parametrize('command, lines', [
    ('machine.py --side 64 --megabytes 1 --repetitions 1', ['matrix product, NumPy', 'copy of memory', 'JPEG decode']),
    ('dataflow.py --size 64 --images 2 --repetitions 1 --workers 1 --batches 2 --rows 20 40 --samples 40',
     ['read', 'samples, one core', 'the original way', 'samples, 1 worker']),
    ('inference.py --model testing --resolution 64 --sizes 48x96 --repetitions 1',
     ['the original way', 'exact', 'merged', 'merged, network alone', 'matrix product']),
    ('inference.py --modelpath supplied --resolution 64 --sizes 48x64 --repetitions 1 --threads 1 --engines',
     ['the original way', 'merged', 'standard', 'standard, network alone']),
    ('growth.py --model testing --resolution 64 --only stages --repetitions 1', ['stages: 1', 'stages: 6']),
    ('step_memory.py --model testing --size 64 --batchsize 2 --gpus 1 2 --steps 1', []),
    ('training.py --model testing --size 64 --batchsize 2 --steps 2 --workers 1',
     ['session alone', 'the loop', 'fed by workers, 1']),
    ('presets.py --photographs 1 --repetitions 1 --threads 1',
     ['supplied, standard, tensorflow', 'supplied, fast, tensorflow', 'fast, fast, tensorflow']),
    ('commands.py --model testing --rows 50 --repetitions 1', ['run.py, first row', 'evaluate.py', 'merge.py'])])
def test_every_program_prints_its_table(program: Callable[[List[str]], int], finish: Callable[..., str], command: str,
                                        lines: List[str], tmp_path: Path) -> None:
    printed = forked(command, tmp_path) if '--workers' in command else finish(program, *command.split())
    for line in lines:
        assert re.search(rf'^{re.escape(line)} +[0-9.]+ \w+/s +[0-9.]+ +[0-9.]+-[0-9.]+ +[0-9.]+$', printed,
                         re.MULTILINE), f'{line}:\n{printed}'
    assert not list(tmp_path.iterdir())


def test_networks_have_lines_with_their_costs(program: Callable[[List[str]], int], finish: Callable[..., str]) -> None:
    printed = finish(program, *'networks.py --model vgg testing --tag skirt --size 64'.split())
    found = network_cost('vgg', GARMENTS.of('skirt'), (64, 64))
    assert [line.split()[1] for line in printed.splitlines()[2:]] == ['`vgg`', '`testing`']
    assert [float(cell) for cell in printed.splitlines()[2].split('|')[2:5]] == [
        6, pytest.approx(found.parameters / 1e6, abs=0.05), pytest.approx(found.flop / 1e9, abs=0.05)]


def test_other_engines_have_lines_beside_ours(program: Callable[[List[str]], int], finish: Callable[..., str]) -> None:
    pytest.importorskip('onnxruntime')
    printed = finish(program, *('inference.py --modelpath supplied --resolution 64 --sizes 64x64 --repetitions 1 '
                                '--threads 1 --engine-windows exact --engines').split(), 'ONNX Runtime')
    for name in ('exact, ONNX Runtime', 'standard, ONNX Runtime'):
        assert re.search(rf'^{name} +[0-9.]+ image/s', printed, re.MULTILINE), printed
        ours = name.split(',')[0]
        assert gflop_of(printed, name) == gflop_of(printed, ours) > 0, 'the same windows'


def gflop_of(printed: str, name: str) -> float:
    return float(re.search(rf'^{name}: ([0-9.]+) GFLOP an image', printed, re.MULTILINE).group(1))


def test_layers_have_the_operations_that_the_graph_counts(program: Callable[[List[str]], int],
                                                          finish: Callable[..., str]) -> None:
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    printed = finish(program, *('layers.py --modelpath supplied --size 96x64 --batch 3 --side 64 --megabytes 1 '
                                '--repetitions 2 --least 0').split())
    rows = {cells[1].split(':')[0].strip(): [cell.strip() for cell in cells[2:-1]]
            for cells in (line.split('|') for line in printed.splitlines() if line.startswith('| '))}
    kinds = ('3x3 and larger', '1x1', 'depthwise', 'other')
    wanted = 3 * graph_cost(supplied_graph(), (64, 96)).flop / 1e9
    assert float(rows['all'][2]) == pytest.approx(wanted, rel=0.01)
    for column, digits in ((0, 2e-3), (2, 2e-3), (5, 0.2)):  # ms, GFLOP and MB
        parts = [float(rows[kind][column]) for kind in kinds]
        assert sum(parts) == pytest.approx(float(rows['all'][column]), abs=digits)
    assert rows['all'][1] == '100.0%' and float(rows['other'][2]) == 0
    stem = 3 * (32 * 48 * 32) * (3 * 3 * 3) * 2 / 1e9  # inputs, outputs, products for each, operations for each
    assert float(rows['network_1/stem/Relu6'][2]) == pytest.approx(stem, abs=5e-4)


@pytest.fixture()
def labelled_skirt(tmp_path: Path) -> List[str]:
    """Flags for a skirt with a waistband of 22 pixels. A network finds the left end with a low score, 2.5 off."""
    joint, kernel = GARMENTS.of('all'), np.zeros((8, 8, 3, 24 + 1 + 2 * len(GARMENTS.of('all').limbs)), np.float32)
    for colour, name, height in ((0, 'waistband_left', .55), (2, 'waistband_right', .95)):
        kernel[:, :, colour, joint.keypoints.index(name)] = height / 255 / 64
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)
        tf.nn.conv2d(image, kernel, strides=[1, 8, 8, 1], padding='SAME', name=OUTPUT_NAME)
        (tmp_path / 'graph.pb').write_bytes(graph.as_graph_def().SerializeToString())
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[16:24, 16:24, 0] = picture[16:24, 40:48, 2] = 255  # their middles are at 19.5 and 43.5
    cv2.imwrite(str(tmp_path / 'a.png'), picture)
    keypoints = np.full((1, 24, 3), -1, np.int32)
    keypoints[0, GARMENTS.of('skirt').csv_indices[:2]] = [[22, 20, 1], [44, 20, 1]]
    write_annotations(tmp_path / 'val.csv', Annotations(('a.png',), ('skirt',), keypoints, ''))
    return ['--csv=val.csv', '--imagepath=.', '--modelpath=graph.pb', '--inputsize=64', '--resolution=64',
            '--scales=[1.0]', '--no-flip', '--decode=plain', '--threads=1']


def test_cut_outs_stand_before_several_colours(program: Callable[[List[str]], int], finish: Callable[..., str],
                                               labelled_skirt: List[str]) -> None:
    printed = finish(program, 'backgrounds.py', '--margins=0.2', *labelled_skirt)
    error = 100 * (2 + 0) / 2 / 22  # of points in whole pixels, as a submission has them
    for behind in ('the photograph itself', 'black'):
        assert f'| {behind} | {error:.1f} |' in printed
    assert f'| white | {error:.1f} |' not in printed, 'the network takes white for blue and red'


def test_scores_are_set_beside_errors(program: Callable[[List[str]], int], finish: Callable[..., str],
                                      labelled_skirt: List[str]) -> None:
    printed = finish(program, 'scores.py', *labelled_skirt)
    left, right = np.hypot(2.5, 0.5) / 22, np.hypot(0.5, 0.5) / 22
    assert f'| 0.5 to 0.6 | 50.0% | {left:.1%} | {left:.1%} | 0% | 0% |' in printed
    assert f'| 0.9 to 1.0 | 50.0% | {right:.1%} | {right:.1%} | 100% | 100% |' in printed
    assert f'| all | 100.0% | {(left + right) / 2:.1%} | {(left + right) / 2:.1%} | 50% | 50% |' in printed


def test_lengths_are_set_beside_those_of_labels(program: Callable[[List[str]], int], finish: Callable[..., str],
                                                labelled_skirt: List[str]) -> None:
    """The waist is 24 pixels of 22: within 20 %."""
    printed = finish(program, 'lengths.py', *labelled_skirt)
    assert '| skirt waist | 1 | 0 (0.0%) | 0 | 0 |' in printed and '| all | 1 | 0 (0.0%) | 0 | 0 |' in printed


def test_boxes_are_set_beside_the_whole_picture(program: Callable[[List[str]], int], finish: Callable[..., str],
                                                labelled_skirt: List[str]) -> None:
    """With a margin of ten sides, the part is the whole picture."""
    printed = finish(program, 'boxes.py', '--margins', '10', *labelled_skirt)
    error = 100 * (2 + 0) / 2 / 22
    for way in ('whole picture', 'true box, margin 10'):
        assert f'| {way} | {error:.2f} | {error:.2f} | 1.000 | 0.750 |' in printed
    assert '| auto | ' in printed


def test_a_simulation_does_not_continue_with_other_options(program: Callable[[List[str]], int],
                                                           finish: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work/options.json').write_text(json.dumps({'datapath': str(tmp_path.resolve()), 'first': 50}))
    said = finish(program, 'label_order.py', '--datapath=.', '--output=work', '--first=60', code=1)
    assert 'options.json' in said and 'first' in said and '50' in said and '60' in said


def test_scales_are_set_beside_the_truth(program: Callable[[List[str]], int], finish: Callable[..., str]) -> None:
    printed = finish(program, 'scale_error.py', '--scales', 'a4', '--tilts', '0', '--pictures', '1', '--longer', '600')
    corrected, largest, plain = map(float, re.search(r'a4 \| 0 \| ([0-9.]+)% \| ([0-9.]+)% \| ([0-9.]+)% \| 0 of 1',
                                                     printed).groups())
    assert corrected <= largest < 2 and plain < 2, 'square to the camera, both are right'


def test_clients_say_how_long_they_waited(program: Callable[[List[str]], int], finish: Callable[..., str],
                                          tmp_path: Path) -> None:
    """The service refuses every other request, and the client tries it again."""
    statuses = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers['Content-Length']))
            statuses.append(200 if len(statuses) % 2 else 503)
            self.send_response(statuses[-1])
            self.send_header('Retry-After', '0')
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *said: object) -> None:
            """Logs nothing."""

    (tmp_path / 'a.jpg').write_bytes(b'picture')
    with HTTPServer(('127.0.0.1', 0), Service) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        printed = finish(program, 'clients.py', 'a.jpg', f'--url=http://127.0.0.1:{server.server_port}', '--clients=1',
                         '--seconds=0.2')
        server.shutdown()
    answers = statuses.count(200)
    assert answers and f' {answers} answers, {statuses.count(503)} refusals, 0 failures' in printed
