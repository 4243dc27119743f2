"""predict.py from command line to files, with a graph whose types and points depend on colours."""
import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import cv2
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.annotations import read_annotations
from fashionai.cli import predict
from fashionai.files import locked
from fashionai.garments.table import GARMENTS
from fashionai.images.markers import marker_cells
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.networks.tensor_names import INPUT_NAME, OUTPUT_NAME, TYPES_NAME

PROJECT = Path(__file__).resolve().parents[1]
PHOTOGRAPH, PREDICT = PROJECT / 'tests/photographs/shirt.jpg', PROJECT / 'code/predict.py'
USUAL = ('--inputsize=64', '--resolution=64', '--scales=[1.0]', '--no-flip', '--decode=plain', '--threads=1')


ENDS = ((0, 'waistband_left'), (2, 'waistband_right'))


def write_graph(path: Path, with_types: bool = True, answers: Sequence[Tuple[int, str]] = ENDS) -> Path:
    """Writes a graph: blue gives waistband_left, red waistband_right, and all three colours the type skirt."""
    joint, types = GARMENTS.of('all'), list(GARMENTS)
    kernel = np.zeros((8, 8, 3, joint.num_heatmaps + joint.num_fields), np.float32)
    for colour, name in answers:
        kernel[:, :, colour, joint.keypoints.index(name)] = 1 / 255 / 64
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)
        tf.nn.conv2d(image, kernel, strides=[1, 8, 8, 1], padding='SAME', name=OUTPUT_NAME)
        if with_types:
            tells = np.zeros((3, len(types)), np.float32)
            tells[:, types.index('skirt')] = 0.5
            tf.nn.softmax(tf.matmul(tf.reduce_mean(image, axis=(1, 2)), tells), name=TYPES_NAME)
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def save_picture(path: Path, brightness: int = 255) -> Path:
    """Saves a picture of 64x64 with a blue cell, centre (19.5, 19.5), and a red cell, centre (43.5, 19.5)."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[16:24, 16:24, 0] = picture[16:24, 40:48, 2] = brightness
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)
    return path


@pytest.fixture()
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a graph and two pictures. The second is so dark that its type is unsure."""
    write_graph(tmp_path / 'graph.pb')
    save_picture(tmp_path / 'shop' / 'a.png')
    save_picture(tmp_path / 'shop' / 'new' / 'b.png', 40)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture()
def call(shop: Path, finish: Callable[..., str]) -> Callable[..., str]:
    """Calls predict.py with the usual flags; returns everything it printed."""
    return lambda *arguments, code=0: finish(predict.main, *arguments, *USUAL, '--modelpath=graph.pb', code=code)


def records(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_folder_becomes_json_lines_and_drawings(shop: Path, call: Callable[..., str]) -> None:
    printed = call('shop', '--output', 'out/found.json', '--draw', 'drawn', '--batch=2')
    first, second = records(shop / 'out/found.json')
    assert [first['path'], second['path']] == [str(Path('shop/a.png')), str(Path('shop/new/b.png'))]
    assert first['type'] == second['type'] == 'skirt' and first['type_sure'] and not second['type_sure']
    assert list(first['type_probabilities'])[0] == 'skirt' and sum(first['type_probabilities'].values()) == \
        pytest.approx(1, abs=1e-3)
    assert first['keypoints']['waistband_left'] == {
        'x': 19.5, 'y': 19.5, 'score': 1, 'peak': 1, 'found': True, 'visibility': None}
    assert second['keypoints']['waistband_right'] == {
        'x': 43.5, 'y': 19.5, 'score': 0.157, 'peak': 0.157, 'found': True, 'visibility': None}
    assert not first['keypoints']['hemline_left']['found'] and 'measurements' not in first
    assert first['model'].startswith('graph-') and len(first['model']) == len('graph-') + 12
    assert re.search(r'\b1 of 2 ', printed) and 'b.png: skirt? 0.32' in printed
    assert cv2.imread('drawn/a.jpg').shape == cv2.imread('drawn/new/b.jpg').shape == (64, 64, 3)


def test_a_type_that_is_given_is_not_asked_for_and_lengths_are_measured(shop: Path, call: Callable[..., str]) -> None:
    reference = '--reference=waistband_left,waistband_right=36'
    call('shop/a.png', '--tag=trousers', '--measure', reference, '--output=o.json')
    record, = records(shop / 'o.json')
    assert record['type'] == 'trousers' and record['type_probabilities'] == {} and record['cm_per_pixel'] == 1.5
    assert record['measurements']['waist'] == {'pixels': 24, 'cm': 36, 'score': 1, 'doubtful': None}
    assert record['measurements']['inseam'] == {'pixels': None, 'cm': None, 'score': None, 'doubtful': None}
    call('shop/a.png', '--tag=skirt', '--measure', '--cm-per-pixel=0.25', '--output=o.json', '--overwrite')
    assert records(shop / 'o.json')[0]['measurements']['waist']['cm'] == 6


def test_a_marker_gives_centimetres_and_a_picture_without_one_is_named(shop: Path, call: Callable[..., str]) -> None:
    """A marker with sides of 150 pixels, and 5 cm: a waist of 240 pixels is 8 cm wide."""
    picture = cv2.resize(cv2.imread('shop/a.png'), (640, 640), interpolation=cv2.INTER_NEAREST)
    marker = np.kron(np.pad(marker_cells(0), 1, mode='constant', constant_values=True) * 120, np.ones((25, 25)))
    picture[400:600, 220:420] = marker.astype(np.uint8)[..., np.newaxis]
    cv2.imwrite('shop/a.png', picture)
    flags = ('shop', '--tag=skirt', '--scale=marker:5cm', '--output=o.json')
    printed = call(*flags, code=1)
    first, second = records(shop / 'o.json')
    assert first['cm_per_pixel'] == pytest.approx(1 / 30, rel=0.01) and first['scale_fault'] is None
    assert first['measurements']['waist']['cm'] == pytest.approx(8, rel=0.02)
    assert first['measurements']['waist']['pixels'] == pytest.approx(240, abs=0.1)
    assert second['cm_per_pixel'] is None and 'marker 0' in second['scale_fault']
    assert second['measurements']['waist']['cm'] is None and second['measurements']['waist']['pixels'] == 24
    assert 'b.png: ' in printed and re.search(r'\b1 of 2 ', printed)
    again = call(*flags, code=1)
    assert 'b.png: ' in again and len(records(shop / 'o.json')) == 2, 'it is named again, and has its row'
    assert 'a.png: ' in call('shop/a.png', '--tag=skirt', '--scale=a4', code=1)


@pytest.mark.parametrize('flags, said', [
    (['--scale=a5'], 'a5'), (['--scale=a4', '--reference=waist=38'], '--scale'),
    (['--scale=a4', '--format=csv'], 'csv'), (['--scale=card', '--cm-per-pixel=1'], '--scale')])
def test_a_scale_that_does_not_fit_is_refused(call: Callable[..., str], flags: List[str], said: str) -> None:
    assert said in call('shop/a.png', *flags, code=1)


def test_lengths_that_contradict_each_other_are_flagged(shop: Path, call: Callable[..., str]) -> None:
    """A skirt that is 24 pixels wide and has no length, because its hem is found at its waistband."""
    write_graph(shop / 'graph.pb', answers=[*ENDS, (0, 'hemline_left'), (2, 'hemline_right')])
    as_it_is = ('--assembly=peaks', '--second-pass=none')  # such a skirt is not likely
    call('shop/a.png', '--output=o.json', '--draw=plain', *as_it_is)
    call('shop/a.png', '--measure', '--output=o.json', '--draw=drawn', '--overwrite', *as_it_is)
    lengths = records(shop / 'o.json')[0]['measurements']
    assert lengths['waist']['pixels'] == 24 and lengths['body_length']['pixels'] == 0
    assert all('24.00' in lengths[name]['doubtful'] for name in ('waist', 'body_length'))
    plain, drawn = cv2.imread('plain/a.jpg'), cv2.imread('drawn/a.jpg')
    assert len(drawn) > len(plain) == 64, 'the text is below the small picture'


def table(path: Path) -> List[Dict[str, str]]:
    with open(str(path), encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize('scale, unit', [('--cm-per-pixel=0.25', 'cm'), ('--measure', 'px')])
def test_a_table_of_lengths_says_what_json_says(shop: Path, call: Callable[..., str], scale: str, unit: str) -> None:
    write_graph(shop / 'graph.pb', answers=[*ENDS, (0, 'hemline_left'), (2, 'hemline_right')])
    as_it_is = ('--assembly=peaks', '--second-pass=none')
    call('shop', '--measure', scale, '--output=o.json', *as_it_is)
    call('shop', '--format=lengths', scale, '--output=o.csv', *as_it_is)
    first, second = table(shop / 'o.csv')
    assert first['path'] == str(Path('shop/a.png')) and first['frame'] == '' and first['type'] == 'skirt'
    for row, record in zip((first, second), records(shop / 'o.json')):
        assert row['unit'] == unit and row['cm_per_pixel'] == ('0.25' if unit == 'cm' else '')
        for name, length in record['measurements'].items():
            assert float(row[name]) == length['cm' if unit == 'cm' else 'pixels']
        assert row['chest'] == row['chest_doubt'] == '', 'a skirt has none'
    assert first['type_doubt'] == '' and '0.32' in second['type_doubt']
    assert '24.00' in first['body_length_doubt'] and 'score' not in first['body_length_doubt']
    assert second['waist_doubt'].endswith('the score is 0.157')


def test_a_length_that_is_not_known_is_empty_and_says_why(shop: Path, call: Callable[..., str]) -> None:
    call('shop/a.png', '--format=lengths', '--reference=hem=40', '--output=o.csv')
    row, = table(shop / 'o.csv')
    assert row['unit'] == 'cm' and row['cm_per_pixel'] == row['waist'] == row['hem'] == ''
    assert 'scale' in row['waist_doubt'] and 'not found' in row['hem_doubt']


def test_a_user_adds_lengths_without_code(shop: Path, call: Callable[..., str]) -> None:
    lengths = {'half': [['waistband_left', 'waistband_left + waistband_right']]}
    (shop / 'my.json').write_text(json.dumps({'types': {'skirt': {'lengths': lengths}}}))
    call('shop/a.png', '--garments=my.json', '--format=lengths', '--cm-per-pixel=0.5', '--output=o.csv')
    row, = table(shop / 'o.csv')
    assert (row['waist'], row['half']) == ('12', '6')
    call('shop/a.png', '--garments=my.json', '--measure', '--reference=half=3', '--output=o.json')
    assert records(shop / 'o.json')[0]['measurements']['waist']['cm'] == 6
    (shop / 'my.json').write_text((shop / 'my.json').read_text().replace('half', 'part'))
    assert 'measurement' in call('shop/a.png', '--garments=my.json', '--measure', '--output=o.json', code=1)
    (shop / 'my.json').write_text((shop / 'my.json').read_text().replace('part', 'path'))
    assert 'path' in call('shop/a.png', '--garments=my.json', '--format=lengths', code=1)


SIZES = 'type,size,length,expected,tolerance\nskirt,S,waist,20,3\nskirt,M,waist,25,2\nskirt,L,waist,32,2\n'


def test_sizes_are_found_and_reported(shop: Path, call: Callable[..., str]) -> None:
    """The waist of a is 24 pixels, 1 too short for M. The type of b is unsure."""
    (shop / 'sizes.csv').write_text(SIZES)
    flags = ('shop', '--grades=sizes.csv', '--cm-per-pixel=1')
    call(*flags, '--output=o.json')
    first, second = (record['size_check'] for record in records(shop / 'o.json'))
    assert first == {'size': 'M', 'given': False, 'doubt': None, 'passes': True, 'unit': 'cm',
                     'misfits': {'S': 1.33, 'M': 0.5, 'L': 4},
                     'lengths': {'waist': {'measured': 24, 'doubt': None, 'expected': 25, 'tolerance': 2,
                                           'difference': -1, 'within': True}}}
    assert second['size'] is second['passes'] is None and '0.32' in second['doubt']
    assert second['lengths']['waist']['within'] is second['lengths']['waist']['expected'] is None
    call(*flags, '--format=lengths', '--output=o.csv', '--size=S')
    row, other = table(shop / 'o.csv')
    assert (row['size'], row['passes'], row['size_doubt']) == ('S', 'no', '')
    assert (row['waist_expected'], row['waist_difference'], row['waist_within']) == ('20', '4', 'no')
    assert other['size'] == other['passes'] == other['waist_within'] == '' and '0.32' in other['size_doubt']
    assert 'hem_within' not in row, 'the table has no hem'
    assert 'measurement' in call(*flags, '--format=lengths', '--output=o.csv', code=1), 'without --size'
    (shop / 'asked.csv').write_text('path,size\na.png,L\nnew/b.png,\n')
    call(*flags, '--output=o.json', '--size=asked.csv', '--overwrite')
    assert [record['size_check']['size'] for record in records(shop / 'o.json')] == ['L', None]


def test_each_garment_of_a_picture_has_a_row_and_a_place_in_the_report(shop: Path, call: Callable[..., str]) -> None:
    (shop / 'sizes.csv').write_text(SIZES)
    (shop / 'boxes.csv').write_text('image_id,x,y,w,h\na.png,8,8,48,24\na.png,0,0,64,64\n')
    flags = ('shop/a.png', '--boxes=boxes.csv', '--tag=skirt', '--grades=sizes.csv', '--cm-per-pixel=1',
             '--format=lengths', '--output=o.csv', '--report=r.html')
    call(*flags)
    whole, rows = (shop / 'o.csv').read_bytes(), table(shop / 'o.csv')
    assert [row['garment'] for row in rows] == ['1', '2'] and rows[1]['size']
    assert 'a.png, garment 2' in (shop / 'r.html').read_text()
    (shop / 'o.csv').write_bytes(whole[:-5])
    call(*flags)
    assert (shop / 'o.csv').read_bytes() == whole


def test_a_terminal_says_the_size(shop: Path, call: Callable[..., str]) -> None:
    (shop / 'sizes.csv').write_text(SIZES)
    flags = ('shop', '--format=table', '--grades=sizes.csv', '--cm-per-pixel=1')
    printed = call(*flags)
    assert re.search('size M: passes', printed) and re.search(r'size \?: .*0.32', printed)
    assert re.search(r'size S: fails, waist \+4 cm', call(*flags, '--size=S'))


@pytest.mark.parametrize('form', ['json', 'lengths'])
def test_a_report_has_the_garments_of_an_earlier_run_too(shop: Path, call: Callable[..., str], form: str) -> None:
    (shop / 'sizes.csv').write_text(SIZES)
    (shop / 'shop/bad.png').write_text('no picture')
    flags = ('shop', '--grades=sizes.csv', '--cm-per-pixel=1', f'--format={form}', '--output=o', '--report=r.html')
    call(*flags, code=1)
    whole, rows = (shop / 'r.html').read_text(), (shop / 'o').read_bytes()
    assert whole.count('<img ') == 2 and 'bad.png' in whole
    (shop / 'o').write_bytes(rows[:-5])
    call(*flags, code=1)
    resumed = (shop / 'r.html').read_text()
    assert resumed.count('<img ') == 1
    assert re.sub('<img [^>]*>', '', resumed) == re.sub('<img [^>]*>', '', whole)


def test_bad_files_are_reported_and_nothing_is_lost(shop: Path, call: Callable[..., str]) -> None:
    (shop / 'bad.png').write_text('no picture')
    printed = call('bad.png', 'shop/*.png', 'none.jpg', 'shop/new', '--output=o.json', code=1)
    assert [Path(record['path']).name for record in records(shop / 'o.json')] == ['a.png', 'b.png']
    assert 'bad.png' in printed and 'none.jpg' in printed and '2 of 4' in printed


def test_names_need_not_be_utf8(shop: Path, call: Callable[..., str]) -> None:
    name = os.fsdecode(b'caf\xe9.png')
    save_picture(shop / 'c.png').rename(shop / name)
    call(name, 'shop/a.png', '--output=o.json', '--draw=drawn')
    assert records(shop / 'o.json')[0]['path'] == name and len(list((shop / 'drawn').iterdir())) == 2
    call(name, 'shop/a.png', '--format=csv', '--output=o.csv')
    assert read_annotations(shop / 'o.csv').image_ids == ('caf\\udce9.png', 'shop/a.png')


def test_paths_come_on_standard_input_and_json_goes_to_standard_output(
        shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr('sys.stdin', io.StringIO('shop/a.png\n\n shop/new\n'))
    assert predict.main(['-', *USUAL, '--modelpath=graph.pb']) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record['size'] for record in found] == [{'width': 64, 'height': 64}] * 2


def in_a_terminal(*command: object, colours: bool = True) -> Tuple[str, int]:
    """Runs a command in a terminal of 80 columns; returns what it shows, and its exit code."""
    environment = {**os.environ, 'COLUMNS': '80', 'NO_COLOR': '' if colours else '1'}
    main, terminal = pty.openpty()
    process = subprocess.Popen(list(map(str, command)), stdin=terminal, stdout=terminal, stderr=terminal,
                               env=environment)
    os.close(terminal)
    shown = b''
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # the other end is closed
            part = b''
        if not part:
            break
        shown += part
    os.close(main)
    return shown.decode().replace('\r', ''), process.wait()


def test_a_terminal_gets_a_table_unless_another_form_is_asked_for(shop: Path) -> None:
    (shop / 'bad.png').write_text('no picture')
    command = [sys.executable, PREDICT, 'shop', 'bad.png', *USUAL, '--modelpath=graph.pb', '--measure']
    shown, code = in_a_terminal(*command, '--draw=drawn')
    lines = re.sub('\033\\[\\d+m', '', shown).splitlines()
    assert code == 1 and '\033[' in shown and 'bad.png' in shown
    header = next(line for line in lines if line.startswith('picture '))
    rows = [line.split() for line in lines if line.startswith(f'shop{os.sep}')]
    assert [row[0] for row in rows] == [str(Path('shop/a.png')), str(Path('shop/new/b.png'))]
    assert rows[0][1:3] == ['skirt', '93'] and rows[1][1] == 'skirt?' and rows[0][4:] == ['2', 'of', '4', '2']
    assert header.split() == ['picture', 'type', 'found', 'to', 'check']
    assert any(line.split()[:3] == ['waist', '24', 'px'] for line in lines)
    assert any(re.search(r'\b2 pictures in drawn$', line) for line in lines)
    table = lines[lines.index(header):lines.index(next(line for line in lines if line.startswith('bad.png')))]
    assert len(table) > 4 and max(map(len, table)) <= 80
    shown, _ = in_a_terminal(*command, '--format=json', colours=False)
    assert [json.loads(line)['type'] for line in shown.splitlines() if line.startswith('{')] == ['skirt', 'skirt']
    shown, _ = in_a_terminal(*command, '--output=o.json', colours=False)
    assert len(records(shop / 'o.json')) == 2 and 'to check' not in shown and '\033[' not in shown


def test_a_table_is_written_where_it_is_asked_for(shop: Path, call: Callable[..., str]) -> None:
    printed = call('shop', '--format=table')
    assert re.findall(r'(\w+\.png)  +skirt', printed) == ['a.png', 'b.png'] and 'to check' in printed
    assert '\033[' not in printed
    assert '--output' in call('shop', '--format=table', '--output=o.txt', code=1) and not Path('o.txt').exists()


def test_it_is_said_how_many_drawings_are_where(shop: Path, call: Callable[..., str]) -> None:
    assert re.search(r'\b2 pictures in drawn$', call('shop', '--draw=drawn', '--output=o.json'), re.MULTILINE)
    assert 'pictures in' not in call('shop', '--draw=drawn', '--output=o.json'), 'nothing was left to do'


def test_the_supplied_network_starts_no_tensorflow_and_finds_the_same_points(shop: Path,
                                                                            finish: Callable[..., str]) -> None:
    pytest.importorskip('onnxruntime')
    flags = [str(PHOTOGRAPH), '--modelpath=supplied', '--threads=1', '--preset=fast']
    program = ('import sys\nfrom fashionai.cli import predict\nassert predict.main(sys.argv[1:]) == 0\n'
               'assert "tensorflow" not in sys.modules and "onnxruntime" in sys.modules')
    subprocess.run([sys.executable, '-c', program, *flags, '--output=onnx.json'], check=True,
                   env={**os.environ, 'PYTHONPATH': str(PROJECT / 'code'), 'CUDA_VISIBLE_DEVICES': ''})
    finish(predict.main, *flags, '--output=graph.json', '--engine=tensorflow')
    onnx, graph = records(shop / 'onnx.json')[0], records(shop / 'graph.json')[0]
    assert onnx['model'] != graph['model'] and onnx['type'] == graph['type']
    for name, point in graph['keypoints'].items():
        assert [onnx['keypoints'][name][key] for key in ('x', 'y', 'score', 'peak')] == pytest.approx(
            [point[key] for key in ('x', 'y', 'score', 'peak')], abs=0.02)


def test_other_forms(shop: Path, call: Callable[..., str]) -> None:
    call('shop', '--format=csv', '--output=o.csv')
    assert read_annotations(shop / 'o.csv').categories == ('skirt', 'skirt')
    call('shop', '--format=coco-results', '--output=o.coco')
    results = json.loads((shop / 'o.coco').read_text())
    assert [(result['image_id'], result['category_id']) for result in results] == [(1, 4), (2, 4)]
    printed = call('shop', '--format=coco', '--output=o.json', '--draw=drawn', '--draw-heatmaps')
    content = json.loads((shop / 'o.json').read_text())
    assert [row['image_id'] for row in content['annotations']] == [image['id'] for image in content['images']] == [1, 2]
    assert '1 blouse, 2 dress, 3 outwear, 4 skirt, 5 trousers' in printed
    blue, green, red = cv2.imread('drawn/a.jpg')[14:18, 17:23].reshape(-1, 3).mean(axis=0)
    assert red > blue, 'above the point its heat map'


def truth(folder: Path, **images: int) -> Path:
    """A COCO ground truth of pictures a, b, ... with those ids, whose only category is 7 skirt."""
    names = {'a': 'a.png', 'b': 'new/b.png', 'c': 'c.png'}
    content = {'images': [{'id': number, 'file_name': names[name]} for name, number in images.items()],
               'categories': [{'id': 7, 'name': 'skirt', 'keypoints': list(GARMENTS['skirt'].keypoints)}]}
    (folder / 'truth.json').write_text(json.dumps(content))
    return folder / 'truth.json'


def test_images_and_categories_have_the_ids_of_a_ground_truth(shop: Path, call: Callable[..., str]) -> None:
    printed = call('shop', '--format=coco', '--output=o.coco', f'--ids={truth(shop, b=40, c=41, a=30)}')
    results = json.loads((shop / 'o.coco').read_text())
    assert [(result['image_id'], result['category_id']) for result in results] == [(30, 7), (40, 7)]
    assert '7 skirt' in printed and '--ids' not in printed
    assert '--ids' in call('shop', '--format=coco-results', '--output=p.coco'), 'that numbers are positions is said'


def test_what_a_ground_truth_does_not_number_is_refused_before_any_prediction(
        shop: Path, call: Callable[..., str]) -> None:
    ids, more = f'--ids={truth(shop, a=1)}', ['--format=coco', '--output=o.coco']
    assert str(Path('shop/new/b.png')) in call('shop', ids, *more, code=1)
    save_picture(shop / 'other' / 'a.png')
    printed = call('shop/a.png', 'other/a.png', ids, *more, code=1)
    assert 'shop/a.png' in printed and 'other/a.png' in printed and 'image 1' in printed
    (shop / 'clip.avi').write_bytes(b'')
    assert 'clip.avi' in call('shop/a.png', 'clip.avi', ids, *more, code=1)
    assert '--format coco-results' in call('shop/a.png', ids, code=1) and not (shop / 'o.coco').exists()


def test_a_picture_that_no_jpeg_can_hold_is_named_and_the_next_drawn(shop: Path, call: Callable[..., str]) -> None:
    cv2.imwrite('shop/Long.png', np.zeros((1, 65501, 3), np.uint8))
    printed = call('shop', '--output=o.json', '--draw=drawn', code=1)
    assert 'Long.jpg' in printed and '65501 x' in printed and '1 of 3' in printed
    assert len(records(shop / 'o.json')) == 3 and Path('drawn/new/b.jpg').exists()


def test_every_nth_frame_of_a_video(shop: Path, call: Callable[..., str]) -> None:
    writer = cv2.VideoWriter('clip.avi', cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 64))
    for _ in range(5):
        writer.write(cv2.imread('shop/a.png'))
    writer.release()
    call('clip.avi', '--every=3', '--output=o.json', '--draw=drawn')
    assert [record['frame'] for record in records(shop / 'o.json')] == [0, 3]
    assert sorted(path.name for path in (shop / 'drawn').iterdir()) == ['clip_000000.jpg', 'clip_000003.jpg']


@pytest.mark.parametrize('flags, fault', [
    (['--reference=waistband_left,waistband_right=38', '--format=csv'], '--measure'),
    (['--measure', '--cm-per-pixel=1', '--reference=waistband_left,waistband_right=38'], '--cm-per-pixel'),
    (['--measure', '--cm-per-pixel=0'], 'above 0'),
    (['--measure', '--format=csv'], '--measure'), (['--size=M'], '--grades'), (['--report=a.html'], '--grades'),
    (['--cm-per-pixel=1', '--grades=sizes.csv', '--format=coco'], '--grades'),
    (['--grades=sizes.csv'], '--cm-per-pixel'), (['--cm-per-pixel=1', '--grades=none.csv'], 'none.csv'),
    (['--cm-per-pixel=1', '--grades=sizes.csv', '--report=a.png'], 'a.png'),
    (['--cm-per-pixel=1', '--grades=sizes.csv', '--size=XL'], 'XL'),
    (['--cm-per-pixel=1', '--grades=sizes.csv', '--size=asked.csv'], 'b.png'),
    (['--reference=waist=24', '--grades=sizes.csv'], 'waist'),
    (['--cm-per-pixel=1', '--grades=pixels.csv'], 'px'),
    (['--measure', '--tag=dress', '--reference=waistband_left,waistband_right=3'], "'waistband_left'"),
    (['--tag=all'], 'blouse, dress, outwear, skirt, trousers'),
    (['--tag=hat'], '--tag hat'),
    (['--output=shop/a.png'], '--output shop/a.png'),
    (['--mark-visibility', '--format=table'], '--mark-visibility'), (['--draw-heatmaps'], '--draw')])
def test_flags_that_mean_nothing_are_refused(flags: Sequence[str], fault: str, call: Callable[..., str],
                                             shop: Path) -> None:
    (shop / 'sizes.csv').write_text(SIZES)
    (shop / 'pixels.csv').write_text('type,size,length,min,max,unit\nskirt,M,waist,20,30,px\n')
    (shop / 'asked.csv').write_text('path,size\na.png,S\n')
    assert fault in call('shop', *flags, code=1)


def test_a_network_that_predicts_no_types_needs_one(shop: Path, call: Callable[..., str]) -> None:
    write_graph(shop / 'graph.pb', with_types=False)
    printed = call('shop', '--output=o.json', code=1)
    assert 'graph.pb' in printed and '--tag' in printed
    assert not (shop / 'o.json').exists()
    call('shop', '--tag=skirt', '--output=o.json')
    assert len(records(shop / 'o.json')) == 2


def rows(path: Path) -> Any:
    """Returns the rows of an output, without their times."""
    if path.suffix != '.json':
        return path.read_bytes()
    return [{key: value for key, value in record.items() if key not in ('time', 'seconds')} for record in records(path)]


@pytest.mark.parametrize('form', ['json', 'csv', 'lengths', 'coco', 'coco-results'])
def test_an_interrupted_output_is_gone_on_with(shop: Path, call: Callable[..., str], form: str,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        save_picture(shop / f'shop/new/{number}.png', 255 - number)
    (shop / 'shop/bad.png').write_text('no picture')
    whole, output = shop / f'whole.{form}', shop / f'o.{form}'
    call('shop', f'--format={form}', '--output', whole, code=1)
    data, predicted = whole.read_bytes(), []
    predict = GarmentPredictor.predict
    monkeypatch.setattr(GarmentPredictor, 'predict', lambda predictor, images, tags, together: [
        predicted.append(len(images)), *predict(predictor, images, tags, together)][1:])
    for cut in (3, len(data) // 2, len(data) - 20, len(data)):
        output.write_bytes(data[:cut])
        shutil.copy(str(whole.with_name(f'.{whole.name}.json')), str(output.with_name(f'.{output.name}.json')))
        kept = {'json': data[:cut].count(b'\n'), 'csv': max(0, data[:cut].count(b'\n') - 1),
                'lengths': max(0, data[:cut].count(b'\n') - 1),
                'coco': data[:cut].split(b'"images"')[0].count(b'"height": 64}'),
                'coco-results': data[:cut].count(b'}')}[form]
        predicted.clear()
        assert 'bad.png' in call('shop', f'--format={form}', '--output', output, code=1)
        assert rows(output) == rows(whole) and sum(predicted) == 5 - kept, cut
    before = output.read_bytes()
    assert 'bad.png' in call('shop', f'--format={form}', '--output', output, code=1)
    assert output.read_bytes() == before, 'it is complete'


def test_ctrl_c_keeps_what_there_is_and_the_drawings_their_names(shop: Path, call: Callable[..., str],
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite('shop/a.bmp', cv2.imread('shop/a.png'))  # drawn as a.jpg, and a.png then as a_2.jpg

    def interrupted(predictor: GarmentPredictor, images: Sequence, tags: Sequence[str], together: int,
                    predict: Callable = GarmentPredictor.predict) -> list:
        if images[0].max() < 100:
            raise KeyboardInterrupt
        return predict(predictor, images, tags, together)
    flags = ('shop', '--output=o.coco', '--format=coco-results', '--draw=drawn')
    with monkeypatch.context() as patch:
        patch.setattr(GarmentPredictor, 'predict', interrupted)
        call(*flags, code=130)
    kept = json.loads((shop / 'o.coco').read_text())
    assert [(row['image_id'], Path(row['file_name']).name) for row in kept] == [(1, 'a.bmp'), (2, 'a.png')]
    Path('drawn/a.jpg').unlink()
    save_picture(shop / 'c.png')
    call(*flags)
    assert [row['image_id'] for row in json.loads((shop / 'o.coco').read_text())] == [1, 2, 3]
    assert sorted(str(path.relative_to('drawn')) for path in Path('drawn').rglob('*.jpg')) == [
        'a_2.jpg', str(Path('new/b.jpg'))]


def test_another_job_is_refused_and_changes_nothing(shop: Path, call: Callable[..., str]) -> None:
    call('shop', '--output=o.json')
    before = (shop / 'o.json').read_bytes()
    for other, name in ((('shop/a.png',), 'list of pictures'), (('shop', '--tag=skirt'), 'type'),
                        (('shop', '--format=csv'), 'format'), (('shop', '--measure'), 'measurement'),
                        (('shop', '--merge=addup'), 'setting'), (('shop', '--megapixels=1'), 'pixel limit')):
        printed = call(*other, '--output=o.json', code=1)
        assert name in printed and '--overwrite' in printed
    (shop / 'mine.txt').write_text('mine')
    printed = call('shop', '--output=mine.txt', code=1)
    assert 'mine.txt' in printed and '--overwrite' in printed
    assert (shop / 'o.json').read_bytes() == before and (shop / 'mine.txt').read_text() == 'mine'
    call('shop/a.png', '--output=o.json', '--overwrite')
    assert len(records(shop / 'o.json')) == 1


def test_one_process_writes_an_output(shop: Path, call: Callable[..., str]) -> None:
    with locked(shop / 'o.json', 'predict.py'):
        assert f'process {os.getpid()}' in call('shop', '--output=o.json', code=1)
        assert not (shop / 'o.json').exists()
    call('shop', '--output=o.json')
    assert sorted(path.name for path in shop.iterdir()) == ['.o.json.json', 'graph.pb', 'o.json', 'shop']


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes with a name')
def test_pipes_are_named_and_devices_written_to(shop: Path, call: Callable[..., str]) -> None:
    os.mkfifo('shop/pipe.png')
    assert 'pipe.png' in call('shop', '--output=o.json', code=1)
    assert len(records(shop / 'o.json')) == 2
    call('shop/a.png', '--output=/dev/null')
    assert not Path('/dev/.null.json').exists()


def test_large_pictures_are_named_and_not_decoded(shop: Path, call: Callable[..., str]) -> None:
    large = bytearray((shop / 'shop/a.png').read_bytes())
    large[16:24] = (20000).to_bytes(4, 'big') * 2
    (shop / 'shop/large.png').write_bytes(bytes(large))
    printed = call('shop', '--output=o.json', code=1)
    assert re.search('large.png.*20000 x 20000 .*400.0 .*25 million', printed)
    assert len(records(shop / 'o.json')) == 2
    assert '3 of 3' in call('shop', '--output=p.json', '--megapixels=0.004', code=1)
