"""A user's own garment types through the whole chain: train, freeze, run, evaluate, draw, merge, combine."""
import json
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations, header, read_annotations, write_annotations
from fashionai.cli import browse, draw, evaluate, freeze, predict, run, train
from fashionai.garments.table_files import read_garments
from fashionai.model_files.graph_file import read_graph

ROOT = Path(__file__).resolve().parents[1]
TABLE = {
    'types': {'sock': {'keypoints': ['toe', 'cuff_left', 'cuff_right'],
                       'limbs': [['cuff_left', 'cuff_right'], ['cuff_right', 'toe']],
                       'normaliser': ['cuff_left', 'cuff_right']},
              'flag': {'keypoints': ['mast', 'tail'], 'limbs': [['mast', 'tail']], 'normaliser': ['mast', 'tail'],
                       'mirror': [['mast', 'tail']]}},
    'csv_keypoints': ['cuff_left', 'cuff_right', 'toe', 'mast', 'tail']}
OUTLINES: Dict[str, Tuple[List[int], List[List[int]]]] = {
    'sock': ([0, 1, 2], [[20, 10], [36, 10], [52, 50]]), 'flag': ([3, 4], [[12, 30], [50, 34]])}
"""Of each type: its columns, and the corners that are drawn."""
RUN = 'testing_batch-2_lr-1e-3_gpus-1_64x64_sock_garments-my'


def drawn(folder: Path, table: Path, count: int) -> None:
    """Pictures of the two types by turns, and their labels in val.csv and train.csv."""
    keypoints = np.full((count, 5, 3), -1, np.int32)
    ids, types = tuple(f'{number}.png' for number in range(count)), ('sock', 'flag') * (count // 2)
    folder.mkdir(parents=True)
    for row, category in enumerate(types):
        columns, corners = OUTLINES[category]
        moved = np.array(corners) + row
        keypoints[row, columns] = np.column_stack([moved, np.ones(len(columns))])
        picture = np.full((72, 64, 3), 40, np.uint8)
        cv2.imwrite(str(folder / ids[row]), cv2.fillPoly(picture, [moved.astype(np.int32)], (90, 200, 250)))
    for name in ('train.csv', 'val.csv'):
        write_annotations(folder / name, Annotations(ids, types, keypoints, '', read_garments(table)))


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table and pictures of its types."""
    folder = tmp_path_factory.mktemp('own')
    (folder / 'my.json').write_text(json.dumps(TABLE))
    drawn(folder / 'data' / 'train', folder / 'my.json', 6)
    return folder


def training(place: Path, tag: str, steps: int, *more: object) -> list:
    return ['--garments', place / 'my.json', '--model', 'testing', '--tag', tag, '--datapath', place / 'data',
            '--imgpath', place / 'data', '--batchsize', 2, '--gpus', 1, '--input-width', 64, '--input-height', 64,
            '--lr', '1e-3', '--workers', 0, '--max-steps', steps, '--validate-every', steps,
            '--modelpath', place / 'trained', '--logpath', place / 'logs', *more]


def running(place: Path, tag: str, *more: object) -> list:
    return ['--tag', tag, '--modelpath', place / f'{tag}.pb', '--imagepath', place / 'data/train', '--csv',
            place / 'data/train/val.csv', '--inputsize', 64, '--resolution', '64x64', '--scales', '[1.0]', '--output',
            place / f'submit_{tag}.csv', *more]


@pytest.fixture(scope='module')
def sock(place: Path, finish: Callable[..., str]) -> Path:
    """The frozen graph of a network for socks, which was frozen without a word of the table."""
    output = finish(train.main, *training(place, 'sock', 2))
    assert 'step 2/2' in output and 'validation NE' in output
    finish(freeze.main, '--tag', 'sock', '--modelpath', place / 'trained', '--output', place / 'sock.pb')
    return place / 'sock.pb'


def test_the_chain_of_one_type(place: Path, sock: Path, finish: Callable[..., str]) -> None:
    contract = json.loads((place / 'sock.json').read_text())
    assert contract['keypoints'] == ['toe', 'cuff_left', 'cuff_right'] and contract['garments']['types'].keys() == {
        'sock', 'flag'}
    printed = finish(run.main, *running(place, 'sock', '--test', 'validate'))
    assert 'cuff_left' in printed and 'flag' not in printed
    table = read_garments(place / 'my.json')
    rows = read_annotations(place / 'submit_sock.csv', table)
    assert rows.image_ids == ('0.png', '2.png', '4.png')
    assert (rows.keypoints[:, :3, 2] == 1).all() and (rows.keypoints[:, 3:] == -1).all()
    before = (place / 'submit_sock.csv').read_bytes()
    finish(run.main, *running(place, 'sock', '--overwrite', '--garments', place / 'my.json'))
    assert (place / 'submit_sock.csv').read_bytes() == before
    printed = finish(run.main, *running(place, 'sock', '--overwrite', '--second-pass', 'average'), code=1)
    assert 'error: --second-pass average' in printed
    printed = finish(run.main, *running(place, 'sock', '--overwrite', '--assembly', 'shape'), code=1)
    assert 'error: --assembly shape' in printed and 'sock' in printed
    assert (place / 'submit_sock.csv').read_bytes() == before, 'refused before anything is changed'


def test_one_network_for_all_types(place: Path, sock: Path, finish: Callable[..., str]) -> None:
    """It tells the two types too; what it finds is merged with the other's rows, measured and drawn."""
    output = finish(train.main, *training(place, 'all', 2, '--type-head', 'along'))
    assert 'the garment type is right in' in output
    finish(freeze.main, '--tag', 'all', '--modelpath', place / 'trained', '--output', place / 'all.pb', '--garments',
           place / 'my.json')
    assert json.loads((place / 'all.json').read_text())['types'] == ['sock', 'flag']
    both = f'{place / "all.pb"},{place / "sock.pb"}'
    finish(run.main, *running(place, 'sock', '--overwrite', '--modelpath', both))
    finish(run.main, *running(place, 'all', '--assembly', 'paf', '--output', place / 'everything.csv'))
    finish(run.main, *running(place, 'flag', '--modelpath', place / 'all.pb'))

    def script(name: str, *arguments: object) -> None:
        subprocess.run([sys.executable, str(ROOT / 'submit' / name), '--garments', str(place / 'my.json'),
                        *map(str, arguments)], check=True)
    script('merge.py', place / 'submit_sock.csv', place / 'submit_flag.csv', '--list', place / 'data/train/val.csv',
           '--output', place / 'merged.csv')
    script('combine.py', place / 'merged.csv', place / 'everything.csv', '--output', place / 'combined.csv')
    table = read_garments(place / 'my.json')
    truth = place / 'data/train/val.csv'
    assert (place / 'combined.csv').read_text().splitlines()[0] == ','.join(header(table))
    assert read_annotations(place / 'combined.csv', table).image_ids == read_annotations(truth, table).image_ids
    printed = finish(evaluate.main, '--garments', place / 'my.json', '--truth', truth, '--submission',
                     place / 'combined.csv', '--json', place / 'ne.json')
    assert 'flag' in printed and 'mast' in printed
    assert json.loads((place / 'ne.json').read_text())['leaderboard']['points'] == 3 * 3 + 3 * 2
    finish(draw.main, '--garments', place / 'my.json', '--csv', place / 'combined.csv', '--imagepath',
           place / 'data/train', '--columns', 3, '--side', 64, '--output', place / 'sheet.png')
    assert cv2.imread(str(place / 'sheet.png')).shape == (2 * 64, 3 * 64, 3)


def test_the_labels_score_themselves_as_perfect(place: Path, finish: Callable[..., str]) -> None:
    truth = place / 'data/train/val.csv'
    finish(evaluate.main, '--garments', place / 'my.json', '--truth', truth, '--submission', truth, '--json',
           place / 'zero.json')
    visible = json.loads((place / 'zero.json').read_text())['visible']
    assert (visible['ne'], visible['points']) == (0, 15) and set(visible['types']) == {'sock', 'flag'}
    assert visible['keypoints']['tail'] == {'ne': 0, 'points': 3}


def test_the_report_and_the_sheet_of_samples(place: Path, finish: Callable[..., str]) -> None:
    truth = place / 'data/train/val.csv'
    finish(evaluate.main, '--garments', place / 'my.json', '--truth', truth, '--submission', truth, '--report',
           place / 'report.html', '--imagepath', place / 'data/train')
    page = (place / 'report.html').read_text(encoding='utf-8')
    assert 'cuff_left/right' in page and 'mast, tail' in page, 'pairs are those of the table'
    printed = finish(browse.main, '--garments', place / 'my.json', '--model', 'testing', '--tag', 'all', '--datapath',
                     place / 'data', '--imgpath', place / 'data', '--input-width', 64, '--input-height', 64,
                     '--rows', 2, '--count', 2, '--side', 32, '--output', place / 'browse.png')
    assert 'drew 2 samples' in printed and cv2.imread(str(place / 'browse.png')).shape[1] == 2 * 32


def other_table(place: Path, key: str, value: object) -> Path:
    """The table with socks that have something else."""
    path = place / f'{key}.json'
    types = {**TABLE['types'], 'sock': {**TABLE['types']['sock'], key: value}}  # type: ignore[index]
    path.write_text(json.dumps({**TABLE, 'types': types}))
    return path


@pytest.mark.parametrize('key, value, said', [
    ('keypoints', ['cuff_left', 'cuff_right', 'toe'], 'other keypoints for sock'),
    ('limbs', [['cuff_left', 'cuff_right'], ['cuff_left', 'toe']], 'other limbs for sock'),
    ('mirror', [['cuff_left', 'cuff_left'], ['cuff_right', 'cuff_right']], 'other mirror images for sock')])
def test_a_table_that_is_not_the_trained_one(place: Path, sock: Path, finish: Callable[..., str], key: str,
                                             value: object, said: str) -> None:
    other = other_table(place, key, value)
    assert said in finish(run.main, *running(place, 'sock', '--overwrite', '--garments', other), code=1)
    assert said in finish(freeze.main, '--checkpoint', place / 'trained/sock' / RUN, '--garments', other, '--output',
                          place / 'other.pb', code=1)
    (place / 'again').mkdir(exist_ok=True)
    again = place / 'again' / 'my.json'
    again.write_bytes(other.read_bytes())
    printed = finish(train.main, *training(place, 'sock', 3, '--garments', again), code=1)
    assert f'{RUN} ' in printed and '--garments: ' in printed


def test_graphs_of_different_tables(place: Path, sock: Path, finish: Callable[..., str]) -> None:
    (place / 'silent.pb').write_bytes(read_graph(sock).SerializeToString())  # without a contract: of the built-in table
    both = f'{sock},{place / "silent.pb"}'
    printed = finish(run.main, *running(place, 'sock', '--overwrite', '--modelpath', both), code=1)
    assert 'silent.pb was trained with another table of garments (blouse, ' in printed
    finish(run.main, *running(place, 'sock', '--overwrite', '--modelpath', both, '--garments', place / 'my.json'))


def test_pictures_of_ones_own(place: Path, sock: Path, finish: Callable[..., str]) -> None:
    usual = [place / 'data/train/0.png', '--tag', 'sock', '--modelpath', sock, '--scales', '[1.0]']
    finish(predict.main, *usual, '--output', place / 'found.json', '--draw', place / 'found')
    assert list(json.loads((place / 'found.json').read_text())['keypoints']) == ['toe', 'cuff_left', 'cuff_right']
    height, width, _ = cv2.imread(str(place / 'found' / '0.jpg')).shape
    assert width == 64 and height > 72, 'a strip below so small a picture explains its points'
    finish(predict.main, *usual, '--output', place / 'found.csv', '--format', 'csv')
    assert read_annotations(place / 'found.csv', read_garments(place / 'my.json')).categories == ('sock',)
    printed = finish(predict.main, *usual, '--measure', code=1)
    assert 'error: --measure: no lengths are known of sock' in printed


def test_types_that_the_table_does_not_have(place: Path, sock: Path, finish: Callable[..., str]) -> None:
    for main, arguments in ((train.main, training(place, 'skirt', 2)),
                            (run.main, running(place, 'skirt', '--modelpath', sock))):
        printed = finish(main, *arguments, code=1)
        assert "error: unknown garment type 'skirt': wanted one of sock, flag, or all" in printed
    printed = finish(evaluate.main, '--truth', place / 'data/train/val.csv', '--submission',
                     place / 'data/train/val.csv', code=1)
    assert "column 3 of the header is 'cuff_left', wanted 'neckline_left'" in printed
    printed = finish(evaluate.main, '--garments', place / 'none.json', '--truth', 'a', '--submission', 'b', code=1)
    assert 'none.json does not exist' in printed
