"""The page is complete and self-contained, and text from files is escaped."""
import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import List, Optional, Tuple

import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.evaluation.report.markup import Html, element, table
from fashionai.evaluation.report.page import page, write_report
from fashionai.evaluation.report.scored_submission import ScoredSubmission, score_submission
from fashionai.evaluation.report.worst import worst_images
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS

EVIL = 'Images/<script>alert("x")</script>&.png'


class Balanced(HTMLParser):
    """Collects tags and the URLs in them; fails if end tags do not match start tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: List[str] = []
        self.seen: List[str] = []
        self.addresses: List[str] = []

    def handle_starttag(self, tag: str, attributes: List[Tuple[str, Optional[str]]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or '' for name, value in attributes if name in ('src', 'href', 'xlink:href', 'action')]
        if tag not in ('img', 'meta'):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: List[Tuple[str, Optional[str]]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def submission(seed: int, source: str) -> ScoredSubmission:
    """Returns a submission of all five types, two images each, with noise; the first skirt has one gross error."""
    random = np.random.RandomState(seed)
    names = [name for name in GARMENTS for _ in range(2)]
    keypoints: np.ndarray = np.full((len(names), 24, 3), -1)
    for row, name in enumerate(names):
        columns = GARMENTS[name].csv_indices
        keypoints[row, columns, :2] = np.random.RandomState(7).randint(5, 95, (len(columns), 2))
        keypoints[row, columns, 2] = 1
    ids = tuple(EVIL if row == names.index('skirt') else f'{row}.png' for row in range(len(names)))
    predicted = keypoints.copy()
    predicted[..., :2] += random.randint(-2, 3, (len(names), 24, 2)) * (keypoints[..., 2:] > 0)
    predicted[names.index('skirt'), CSV_KEYPOINTS.index('hemline_left'), 0] += 400
    return score_submission(Annotations(ids, tuple(names), keypoints, 'a/truth.csv'),
                       Annotations(ids, tuple(names), predicted, source))


@pytest.fixture(scope='module')
def full(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page with all its parts."""
    folder = tmp_path_factory.mktemp('report')
    for image_id in submission(1, '').truth.image_ids:
        path = folder / image_id
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(cv2.imencode('.png', np.full((100, 100, 3), 90, np.uint8))[1].tobytes())
    path = folder / 'page.html'
    write_report(path, submission(1, 'somewhere/deep/<i>submit.csv'), folder, submission(2, 'other.csv'))
    return path.read_text(encoding='utf-8')


def parsed(text: str) -> Balanced:
    parser = Balanced()
    parser.feed(text)
    parser.close()
    assert not parser.open
    return parser


def test_the_page_needs_nothing_besides(full: str) -> None:
    text, found = full, parsed(full)
    assert 'script' not in found.seen and 'link' not in found.seen and 'i' not in found.seen
    assert all(address.startswith(('data:image/jpeg;base64,', '#')) for address in found.addresses)
    assert not re.search(r'url\((?!#)|@import', text)
    assert found.seen.count('svg') == 5 and found.seen.count('img') == 10
    assert '&lt;script&gt;' in text and 'deep/&lt;i&gt;submit.csv' in text and 'somewhere' not in text
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids)), 'drawings have different ids'
    assert set(re.findall(r'"#([^"]+)"|url\(#([^)]+)\)', text)) <= {(name, '') for name in ids} | {
        ('', name) for name in ids}
    assert '#010101' not in text and 'currentColor' in text
    assert found.seen.count('h2') == 7


def test_pictures_are_labels_beside_predictions(full: str) -> None:
    data = next(address for address in parsed(full).addresses if address.startswith('data:'))
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data.split(',')[1]), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (320, 648, 3)
    labels, predictions = picture[:, :320].astype(int), picture[:, 328:].astype(int)
    assert np.abs(labels - 90).max() > 60 and np.abs(labels - predictions).max() > 60


def test_the_worst_images() -> None:
    found = worst_images(submission(1, ''), 3)
    assert [one.error for one in found] == sorted((one.error for one in found), reverse=True)
    assert submission(1, '').truth.image_ids[found[0].row] == EVIL and found[0].keypoint == 'hemline_left'


def test_a_submission_of_nothing_measurable() -> None:
    keypoints: np.ndarray = np.full((2, 24, 3), -1)
    table_of_two = Annotations(('a', 'b'), ('skirt', 'dress'), keypoints, 'a.csv')
    scored = score_submission(table_of_two, table_of_two)
    text = page(scored, None, scored)
    assert 'img' not in parsed(text).seen
    assert '2 of 2 images' in text and 'nan' not in text.lower().replace('nan_', '')


@pytest.mark.usefixtures('no_matplotlib')
def test_without_matplotlib(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='python -m pip install matplotlib'):
        write_report(tmp_path / 'page.html', submission(1, ''), None, None)
    assert not list(tmp_path.iterdir())


def test_elements_escape_text() -> None:
    assert element('p', '1 < 2', Html('<b>'), class_='a"b', aria_label=None) == '<p class="a&quot;b">1 &lt; 2<b></p>'
    written = table('x', ['', 'n'], [['<a>', '<td>'], ['b', element('td', '1', style='--heat: 1')]])
    assert '<td>&lt;td&gt;</td>' in written and '<td style="--heat: 1">1</td>' in written
