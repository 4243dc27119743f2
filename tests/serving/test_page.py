"""The page in a browser: pictures by file, paste and drop; points that are dragged and moved by keys; downloads."""
import csv
import io
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fashionai.garments.measurements import Points, measure
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS
from fashionai.inference.missing_keypoints import usual_points

BROWSER = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
PATIENCE = 20_000  # milliseconds, because test machines are busy

pytestmark = pytest.mark.skipif(not BROWSER, reason='no Chromium to look at the page with: apt-get install chromium')


@pytest.fixture(scope='module')
def address(application: Callable) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(application(), port=0, log_level='error'))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f'http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/'
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope='module')
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=['--no-sandbox'])
        yield opened
        opened.close()


@pytest.fixture()
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The empty page. After the test, it must have no error, and no request to another host."""
    opened = browser.new_page(viewport={'width': 1200, 'height': 800})
    opened.set_default_timeout(PATIENCE)
    faults: List[str] = []
    expect.set_options(timeout=PATIENCE)
    opened.on('pageerror', lambda error: faults.append(str(error)))
    opened.on('console', lambda said: faults.append(said.text) if said.type == 'error' else None)
    opened.on('request', lambda asked: None if asked.url.startswith((address, 'blob:', 'data:')) else faults.append(
        asked.url))
    opened.goto(address)
    expect(opened.locator('#welcome .tag option')).to_have_count(6)
    yield opened
    opened.close()
    assert [fault for fault in faults if '415' not in fault] == []


@pytest.fixture()
def picture(encoded: Callable) -> Callable[..., Dict[str, Any]]:
    """`picture(name, colour)`: a file for the page, of 300 x 400 pixels."""
    def make(name: str = 'red.png', colour: Any = (0, 0, 255)) -> Dict[str, Any]:
        return {'name': name, 'mimeType': 'image/png', 'buffer': encoded(300, 400, colour)}
    return make


def give(page: Page, *files: Any) -> None:
    page.set_input_files('#files', list(files))


def point(page: Page, name: str) -> Any:
    return page.locator(f'.point[data-name={name}]')


def taken(page: Page, kind: str) -> str:
    with page.expect_download() as download:
        page.click(f'[data-kind={kind}]')
    return Path(download.value.path()).read_text()


def place(page: Page, name: str) -> List[float]:
    return [json.loads(taken(page, 'json'))['keypoints'][name][axis] for axis in 'xy']


def test_a_picture_is_looked_at_and_taken_along(page: Page, picture: Callable) -> None:
    give(page, picture())
    expect(page.locator('.point')).to_have_count(15)
    expect(page.locator('#panel select').first).to_have_value('dress')
    expect(page.locator('#welcome')).to_be_hidden()
    assert 'low' in point(page, 'neckline_left').get_attribute('class').split()
    assert 'low' not in point(page, 'armpit_left').get_attribute('class').split()
    garment, points = GARMENTS['dress'], usual_points(GARMENTS['dress'], (400, 300))
    found = json.loads(taken(page, 'json'))
    np.testing.assert_allclose([(at['x'], at['y']) for at in found['keypoints'].values()], points, atol=0.006)
    lengths = measure(Points(garment, points, np.ones(15), np.arange(15) != 1))
    assert {name: length['pixels'] for name, length in found['measurements'].items()} == {
        name: length.pixels and pytest.approx(length.pixels, abs=0.02) for name, length in lengths.items()}
    header, row = csv.reader(io.StringIO(taken(page, 'csv')))
    assert header == ['image_id', 'image_category', *CSV_KEYPOINTS] and row[:2] == ['red.png', 'dress']
    assert row[2 + CSV_KEYPOINTS.index('crotch')] == '-1_-1_-1'
    x, y = np.rint(points[5]).astype(int)
    assert row[2 + CSV_KEYPOINTS.index('armpit_left')] == f'{x}_{y}_1'
    coco = json.loads(taken(page, 'coco'))
    assert coco['images'] == [{'id': 1, 'file_name': 'red.png', 'width': 300, 'height': 400}]
    category = next(kind for kind in coco['categories'] if kind['id'] == coco['annotations'][0]['category_id'])
    assert category['name'] == 'dress' and category['keypoints'] == list(garment.keypoints)
    assert category['skeleton'] == (garment.limb_indices + 1).tolist()
    np.testing.assert_allclose(np.reshape(coco['annotations'][0]['keypoints'], (-1, 3))[:, :2], points, atol=0.006)
    assert coco['annotations'][0]['keypoints'][5] == 1, 'a point that was not found is a guess'


def test_a_point_is_dragged_undone_and_hidden(page: Page, picture: Callable) -> None:
    give(page, picture())
    before = place(page, 'armpit_left')
    box, frame = point(page, 'armpit_left').locator('.dot').bounding_box(), page.locator('.frame').bounding_box()
    x, y = box['x'] + box['width'] / 2, box['y'] + box['height'] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 48, steps=3)
    expect(page.locator('.loupe')).to_be_visible()
    page.mouse.up()
    expect(page.locator('.loupe')).to_have_count(0)
    moved, pixels = place(page, 'armpit_left'), 300 / frame['width']
    np.testing.assert_allclose(moved, np.array(before) + np.array([30, 48]) * pixels, atol=0.02)
    point(page, 'armpit_left').focus()
    page.keyboard.press('v')
    cells = list(csv.reader(io.StringIO(taken(page, 'row'))))[1]
    assert cells[2 + CSV_KEYPOINTS.index('armpit_left')] == '{:.0f}_{:.0f}_0'.format(*moved)
    page.keyboard.press('Control+z')
    page.keyboard.press('Control+z')
    assert place(page, 'armpit_left') == before
    page.click('#redo')
    assert place(page, 'armpit_left') == moved


def test_a_point_is_moved_by_keys_alone(page: Page, picture: Callable) -> None:
    give(page, picture('green.png', (0, 255, 0)))
    x, y = place(page, 'hemline_left')
    page.locator('#heat').focus()
    for _ in range(3):  # waistbands, then the hem
        page.keyboard.press('Tab')
    assert page.evaluate('document.activeElement.dataset.name') == 'hemline_left'
    for key in ('ArrowLeft', 'Shift+ArrowDown', 'ArrowUp'):
        page.keyboard.press(key)
    assert page.evaluate("getComputedStyle(document.activeElement.querySelector('.halo')).stroke") != 'none'
    assert place(page, 'hemline_left') == pytest.approx([x - 1, y + 9], abs=0.011)
    page.keyboard.press('Control+z')
    assert place(page, 'hemline_left') == pytest.approx([x, y]), 'moves of a moment are undone together'


def test_the_name_of_a_point_at_the_top_stays_in_the_picture(page: Page, picture: Callable) -> None:
    give(page, picture())
    point(page, 'neckline_left').focus()
    for _ in range(30):
        page.keyboard.press('Shift+ArrowUp')
    assert place(page, 'neckline_left')[1] == 0
    page.click('#names')
    name, frame = point(page, 'neckline_left').locator('.name'), page.locator('.frame')
    assert name.bounding_box()['y'] >= frame.bounding_box()['y'] - 2


def test_lengths_follow_the_one_that_is_known(page: Page, picture: Callable) -> None:
    give(page, picture())
    page.fill('[name=cm-chest]', '50')
    page.keyboard.press('Tab')
    pixels = {name: length['pixels'] for name, length in json.loads(taken(page, 'json'))['measurements'].items()}
    hem = float(page.input_value('[name=cm-hem]'))
    assert hem == pytest.approx(50 * pixels['hem'] / pixels['chest'], abs=0.06)


def test_lengths_that_contradict_each_other_are_flagged(page: Page, picture: Callable) -> None:
    """A cuff is 102 pixels from its shoulder; it is moved up by 80 pixels, and reset."""
    give(page, picture())
    expect(page.locator('.point')).to_have_count(15)
    expect(page.locator('.lengths .doubt')).to_have_count(0)
    point(page, 'cuff_left_out').focus()
    for _ in range(8):
        page.keyboard.press('Shift+ArrowUp')
    expect(page.locator('.lengths .doubt', has_text='3.53 x')).to_be_visible()
    assert '3.53 x' in json.loads(taken(page, 'json'))['measurements']['sleeve']['doubtful']
    page.keyboard.press('Control+z')
    expect(page.locator('.lengths .doubt')).to_have_count(0)


def test_several_pictures_and_one_that_is_none(page: Page, picture: Callable) -> None:
    give(page, picture(), picture('blue.png', (255, 0, 0)), {**picture('bad.png'), 'buffer': b'no picture'})
    expect(page.locator('.card.failed')).to_have_count(1)
    page.click('.card.failed .show')
    expect(page.locator('.over.bad')).to_contain_text('JPEG')
    expect(page.locator('#panel')).to_contain_text('bad.png')
    page.click('.card.unsure-type .show')
    page.get_by_role('button', name='Outwear 45 %').click()
    expect(page.locator('.card.done', has_text='Outwear')).to_have_count(1)
    page.check('[name=all]')
    rows = list(csv.reader(io.StringIO(taken(page, 'csv'))))
    assert [row[:2] for row in rows[1:]] == [['red.png', 'dress'], ['blue.png', 'outwear']]
    page.click('.card.failed .remove', force=True)
    expect(page.locator('.card')).to_have_count(2)


@pytest.mark.parametrize('dropped', [False, True])
def test_a_picture_is_pasted_or_dropped_and_heat_is_shown(page: Page, encoded: Callable, dropped: bool) -> None:
    page.evaluate("""([bytes, dropped]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], 'pasted.png', {type: 'image/png'}));
        dispatchEvent(dropped ? new DragEvent('drop', {dataTransfer: data})
                              : new ClipboardEvent('paste', {clipboardData: data}));
    }""", [list(encoded(60, 80)), dropped])
    expect(page.locator('.point')).to_have_count(15)
    page.click('#heat')
    shown = '() => {const canvas = document.querySelector(".heat"); return !canvas.hidden && canvas.width > 20}'
    page.wait_for_function(shown)
    red = page.evaluate("document.querySelector('.heat').getContext('2d').getImageData(0, 0, 99, 99).data.reduce("
                        '(most, value, i) => i % 4 == 3 ? Math.max(most, value) : most, 0)')
    assert red > 200, 'somewhere it is hot'


def test_a_phone_and_the_dark(browser: Browser, address: str, picture: Callable) -> None:
    phone = browser.new_page(viewport={'width': 390, 'height': 844}, color_scheme='dark', has_touch=True)
    phone.set_default_timeout(PATIENCE)
    phone.goto(address)
    expect(phone.locator('#welcome .tag option')).to_have_count(6)
    give(phone, picture('green.png', (0, 255, 0)), picture())
    expect(phone.locator('.point')).to_have_count(4)
    assert phone.evaluate('document.documentElement.scrollWidth') == 390
    rows = [phone.locator(f'#{name}').bounding_box()['y'] for name in ('undo', 'redo', 'names', 'heat')]
    assert len(set(rows)) == 1, 'tools of a kind stand side by side'
    assert phone.evaluate('getComputedStyle(document.body).backgroundColor') == 'rgb(21, 23, 27)'
    phone.close()


def test_the_description_of_the_api(page: Page, address: str) -> None:
    page.goto(f'{address}docs')
    expect(page.locator('.path', has_text='/predict')).to_be_visible()
    page.set_viewport_size({'width': 390, 'height': 844})
    assert page.evaluate("[...document.querySelectorAll('.wide')].every(part => part.scrollWidth <= part.clientWidth)")
    expect(page.locator('#curl')).to_contain_text(f"{address}predict?tag=auto'")
