"""Calls evaluate.py as a user does."""
import json
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import numpy as np
import pytest

from fashionai.annotations import Annotations, write_annotations
from fashionai.cli import evaluate

CODE = Path(__file__).resolve().parents[1] / 'code'


@pytest.fixture
def files(tmp_path: Path) -> Tuple[str, str]:
    """A skirt with a waistband of 50 pixels; each of its four points is 10 pixels off."""
    keypoints = np.full((1, 24, 3), -1)
    keypoints[0, 15:19] = [[100, 50, 1], [150, 50, 1], [90, 300, 0], [160, 300, 1]]
    names = []
    for name, shift in (('truth.csv', 0), ('submit.csv', 10)):
        moved = keypoints + np.array([0, shift, 0]) * (keypoints[..., 2:] >= 0)
        write_annotations(tmp_path / name, Annotations(('a.jpg',), ('skirt',), moved, ''))
        names.append(str(tmp_path / name))
    return names[0], names[1]


def test_prints_a_table_and_writes_json(files: Tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / 'out.json'
    assert evaluate.main(['--truth', files[0], '--submission', files[1], '--json', str(out)]) == 0
    assert ['all', '20.00', '4', '20.00', '3'] in [line.split() for line in capsys.readouterr().out.splitlines()]
    figures = json.loads(out.read_text())
    assert set(figures) == {'leaderboard', 'visible'}
    assert set(figures['visible']) == {'ne', 'points', 'types', 'keypoints'}
    assert (figures['leaderboard']['ne'], figures['leaderboard']['points']) == (20.0, 4)
    assert figures['visible']['types'] == {'skirt': {'ne': 20.0, 'points': 3}}


def test_coco_figures_of_a_csv_and_of_a_coco_data_set(files: Tuple[str, str], tmp_path: Path,
                                                      capsys: pytest.CaptureFixture) -> None:
    """Each point is 10 pixels off; the box is 70 x 250."""
    out, names = tmp_path / 'out.json', ('waistband_left', 'waistband_right', 'hemline_left', 'hemline_right')
    arguments = ['--truth', files[0], '--coco', '--json', str(out), '--submission']
    assert evaluate.main([*arguments, files[1]]) == 0
    figures = json.loads(out.read_text())['coco']
    oks = np.mean([np.exp(-100 / (2 * 70 * 250 * (2 * sigma) ** 2)) for sigma in (.0279, .0279, .0602, .0602)])
    assert figures['oks'] == pytest.approx(oks, abs=1e-4) and figures['types']['skirt']['ap50'] == 1
    assert (figures['end_point'], figures['end_point_visible'], figures['scored']) == (10, 10, False)
    keypoints = [100, 60, 2, 150, 60, 2, 90, 310, 2, 160, 310, 2]
    content = {'images': [{'id': 3, 'file_name': 'shop/a.jpg'}], 'categories': [
        {'id': 1, 'name': 'skirt', 'keypoints': names}], 'annotations': [
        {'image_id': 3, 'category_id': 1, 'keypoints': keypoints, 'score': .5}]}
    (tmp_path / 'found.json').write_text(json.dumps(content))
    assert evaluate.main([*arguments, str(tmp_path / 'found.json')]) == 0
    again = json.loads(out.read_text())
    assert again['coco'] == {**figures, 'scored': True} and again['visible']['ne'] == 20
    (tmp_path / 'sigmas.json').write_text(json.dumps(dict.fromkeys(names, 1)))
    assert evaluate.main([*arguments, files[1], '--sigmas', str(tmp_path / 'sigmas.json')]) == 0
    assert json.loads(out.read_text())['coco']['oks'] > .99
    assert evaluate.main(['--truth', files[0], '--submission', files[1], '--sigmas', 'sigmas.json']) == 1
    assert '--coco' in capsys.readouterr().err


def test_measures_the_submission_of_one_type(files: Tuple[str, str], tmp_path: Path,
                                             capsys: pytest.CaptureFixture) -> None:
    keypoints = np.full((2, 24, 3), -1)
    keypoints[0, 15:19] = [[100, 50, 1], [150, 50, 1], [90, 300, 0], [160, 300, 1]]
    keypoints[1, 5:7] = [[10, 10, 1], [20, 10, 1]]
    truth, out = tmp_path / 'both.csv', tmp_path / 'out.json'
    write_annotations(truth, Annotations(('a.jpg', 'b.jpg'), ('skirt', 'blouse'), keypoints, ''))
    arguments = ['--truth', str(truth), '--submission', files[1], '--json', str(out)]
    assert evaluate.main(arguments) == 1 and 'b.jpg' in capsys.readouterr().err
    assert evaluate.main([*arguments, '--tag', 'skirt']) == 0
    figures = json.loads(out.read_text())
    assert (figures['leaderboard']['ne'], list(figures['visible']['types'])) == (20.0, ['skirt'])
    for tag, names in (('dress', (str(truth), 'dress')), ('blouse', (files[1], 'blouse')), ('hat', ('hat',))):
        assert evaluate.main([*arguments, '--tag', tag]) == 1
        assert all(name in capsys.readouterr().err for name in names[:1])


def test_outputs_get_their_folder_or_a_line_that_says_why_not(files: Tuple[str, str], tmp_path: Path,
                                                              capsys: pytest.CaptureFixture) -> None:
    for flag in ('--json', '--errors'):
        out = tmp_path / flag / 'out'
        assert evaluate.main(['--truth', files[0], '--submission', files[1], flag, str(out)]) == 0 and out.exists()
    assert evaluate.main(['--truth', files[0], '--submission', files[1], '--json', f'{files[0]}/out']) == 1
    assert capsys.readouterr().err == f'error: {files[0]}: File exists\n'


def test_writes_the_errors_of_images(files: Tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / 'errors.csv'
    assert evaluate.main(['--truth', files[0], '--submission', files[1], '--errors', str(out)]) == 0
    assert out.read_text() == 'image_id,image_category,ne,points\na.jpg,skirt,20.00,3\n'


@pytest.mark.parametrize('content', [None, 'image_id,image_category\n'], ids=['no file', 'wrong header'])
def test_a_fault_is_one_line(files: Tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture,
                             content: str) -> None:
    bad = tmp_path / 'bad.csv'
    if content:
        bad.write_text(content)
    assert evaluate.main(['--truth', files[0], '--submission', str(bad)]) == 1
    message = capsys.readouterr().err
    assert message.startswith('error: ') and 'bad.csv' in message and message.count('\n') == 1


@pytest.mark.parametrize('flags, message', [
    (['--imagepath', '.'], '--imagepath is for the page of --report'),
    (['--against', 'other.csv'], '--against is for the page of --report'),
    (['--report', 'page.html', '--against', 'none.csv'], 'none.csv does not exist')])
def test_flags_of_the_report(files: Tuple[str, str], capsys: pytest.CaptureFixture, flags: List[str],
                             message: str) -> None:
    assert evaluate.main(['--truth', files[0], '--submission', files[1], *flags]) == 1
    assert message in capsys.readouterr().err


def test_writes_a_report(files: Tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / 'new' / 'page.html'
    arguments = ['--truth', files[0], '--submission', files[1], '--against', files[0], '--report', str(out)]
    assert evaluate.main(arguments) == 0
    assert f'wrote {out}' in capsys.readouterr().out
    page = out.read_text(encoding='utf-8')
    assert 'NE is 20.00\u00a0% visible' in page and 'second is better by 20.00' in page
    assert '--imagepath' in page and 'a.jpg' in page
    assert evaluate.main(arguments + ['--imagepath', str(tmp_path)]) == 1
    assert 'a.jpg' in capsys.readouterr().err


def test_works_from_any_folder_without_what_is_heavy(files: Tuple[str, str], tmp_path: Path) -> None:
    program = (f'import sys; sys.path.insert(0, {str(CODE)!r}); from fashionai.cli import evaluate; '
               'code = evaluate.main(); assert not {"tensorflow", "cv2", "matplotlib"} & set(sys.modules); '
               'sys.exit(code)')
    done = subprocess.run([sys.executable, '-c', program, '--truth', 'truth.csv', '--submission', 'submit.csv'],
                          cwd=str(tmp_path), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b'')
    assert b'20.00' in done.stdout


def test_what_cannot_be_measured_is_an_error_and_names_the_rows(files: Tuple[str, str], tmp_path: Path,
                                                                capsys: pytest.CaptureFixture) -> None:
    keypoints = np.full((1, 24, 3), -1)
    keypoints[0, 15:18] = [[100, 50, 1], [100, 50, 1], [90, 300, 1]]
    write_annotations(tmp_path / 'flat.csv', Annotations(('a.jpg',), ('skirt',), keypoints, ''))
    assert evaluate.main(['--truth', str(tmp_path / 'flat.csv'), '--submission', files[1]]) == 1
    said = capsys.readouterr().err
    assert f'{tmp_path / "flat.csv"}, row 2' in said and said.splitlines()[-1].startswith('error: ')


def test_images_that_were_trained_on_are_said(files: Tuple[str, str], tmp_path: Path,
                                              capsys: pytest.CaptureFixture) -> None:
    arguments = ['--truth', files[0], '--submission', files[1]]
    (tmp_path / 'train.csv').write_text('image_id,image_category\nb.jpg,skirt\n')
    assert evaluate.main(arguments) == 0 and not capsys.readouterr().err
    (tmp_path / 'train.csv').write_text('image_id,image_category\na.jpg,skirt\n')
    assert evaluate.main(arguments) == 0
    said = capsys.readouterr().err
    assert '1 of 1' in said and str(tmp_path / 'train.csv') in said and f'{files[0]}, row 2' in said
    (tmp_path / 'train.csv').write_text('of another kind')
    assert evaluate.main(arguments) == 0


def test_pictures_of_the_report_stay_in_their_folder(files: Tuple[str, str], tmp_path: Path,
                                                     capsys: pytest.CaptureFixture) -> None:
    for name in files:
        Path(name).write_text(Path(name).read_text().replace('a.jpg', '../a.jpg'))
    arguments = ['--truth', files[0], '--submission', files[1]]
    assert evaluate.main(arguments) == 0, 'no picture is read'
    report = ['--report', str(tmp_path / 'page.html'), '--imagepath', str(tmp_path)]
    assert evaluate.main(arguments + report) == 1
    assert f'{files[0]}, row 2' in capsys.readouterr().err and not (tmp_path / 'page.html').exists()
