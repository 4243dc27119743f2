"""The report on sizes: what it counts and shows, and that text from files is escaped."""
import base64
import re
from pathlib import Path

import cv2
import numpy as np

from fashionai.garments.grade_files import read_grades
from fashionai.garments.grades import GradeTable, MeasuredGarment, MeasuredLength, check_size
from fashionai.garments.table import GARMENTS
from fashionai.images.sources import MediaFile, Picture
from fashionai.inference.batch_inference import Outcome
from fashionai.inference.garment_predictor import GarmentPrediction
from fashionai.results.grade_report import Entry, GradeReport, page

SKIRT = GARMENTS['skirt']


def sizes(folder: Path) -> GradeTable:
    path = folder / 'sizes.csv'
    path.write_text('type,size,length,expected,tolerance\nskirt,S,hem,50,2\nskirt,M,hem,54,2\n', encoding='utf-8')
    return read_grades(path, GARMENTS)


def entry(table: GradeTable, name: str, hem: float, doubt: str = '') -> Entry:
    return Entry(name, 'skirt', check_size(table, MeasuredGarment('skirt', '', {'hem': MeasuredLength(hem, doubt)})))


def texts(html: str) -> str:
    return re.sub(r'\s+', ' ', re.sub('<[^>]+>', ' ', html.split('</style>')[1]))


def test_it_counts_garments_and_shows_what_was_expected(tmp_path: Path) -> None:
    table = sizes(tmp_path)
    entries = [entry(table, 'good.jpg', 50.5), entry(table, 'long.jpg', 57.25), entry(table, 'low.jpg', 50, 'unclear')]
    shown = texts(page(entries, ['bad.png: no picture'], table, 'net-123'))
    assert 'fails: 1 of 3' in shown and 'undecided: 1 of 3' in shown and 'passes: 1 of 3' in shown
    assert 'skirt S 1 0 0 1' in shown and 'skirt M 1 1 0 0' in shown and 'skirt undecided 1 0 1 0' in shown
    assert '57.25 54 ± 2 +3.25' in shown and '50.5 50 ± 2 +0.50' in shown and 'bad.png: no picture' in shown
    assert shown.index('long.jpg') < shown.index('low.jpg') < shown.index('good.jpg'), 'those that fail come first'
    assert 'unclear' in shown and '0 of 1 lengths' in shown and 'net-123' in shown


def test_names_are_escaped_and_nothing_else_is_loaded(tmp_path: Path) -> None:
    table = sizes(tmp_path)
    html = page([entry(table, '<script>alert("x")</script>.jpg', 50)], ['<b>'], table, '<i>')
    assert '<script' not in html and '<b>' not in html and '<i>' not in html
    assert not re.findall(r'(?:src|href)="(?!data:)', html) and 'default-src' in html


def test_a_drawing_has_the_shape_of_its_picture(tmp_path: Path) -> None:
    table = sizes(tmp_path)
    points = np.array([[100, 20], [300, 20], [60, 180], [340, 180]], float)
    prediction = GarmentPrediction(SKIRT, {}, True, points, np.ones(4), np.ones(4, bool), (200, 400),
                                   np.zeros((4, 8, 8), np.float32))
    outcome = Outcome(1, Picture(MediaFile('a.jpg', 'a.jpg')), np.full((200, 400, 3), 255, np.uint8), prediction, 0.1)
    report = GradeReport(tmp_path / 'r.html', table, 'net')
    report.add(outcome, check_size(table, MeasuredGarment('skirt', '', {})))
    report.write()
    data = re.findall('src="data:image/jpeg;base64,([^"]+)"', (tmp_path / 'r.html').read_text(encoding='utf-8'))
    drawing = cv2.imdecode(np.frombuffer(base64.b64decode(data[0]), np.uint8), cv2.IMREAD_COLOR)
    assert drawing.shape == (100, 200, 3)
    assert drawing[10, 51, 2] > drawing[10, 51, 0] + 50, 'the left end of the waistband is orange'
