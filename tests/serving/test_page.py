"""The page in a browser: pictures by file, paste and drop; points that are dragged and moved by keys; downloads."""
import csv
import io
import json
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List
from urllib.parse import parse_qs, urlparse

import cv2
import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fashionai.garments.measurements import Points, measure
from fashionai.garments.outlines import outline
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS
from fashionai.images.crops import MARGIN
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
    assert [fault for fault in faults if '415' not in fault and '413' not in fault] == []


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


def boxes(page: Page, selector: str) -> List[List[float]]:
    """Left, top, right and bottom of elements on the screen."""
    return page.evaluate("""selector => [...document.querySelectorAll(selector)].map(element => {
        const {left, top, right, bottom} = element.getBoundingClientRect();
        return [left, top, right, bottom];
    })""", selector)


def overlap(one: List[float], other: List[float]) -> bool:
    return all(one[axis] < other[axis + 2] and other[axis] < one[axis + 2] for axis in (0, 1))


def wait_for(page: Page, met: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not met():
        assert time.monotonic() < end, 'waited in vain'
        page.wait_for_timeout(50)


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


NAMES_ARE_INSIDE = """width => {
    const stage = document.querySelector('#stage').getBoundingClientRect();
    return innerWidth === width && [...document.querySelectorAll('.nametag')].every(tag => {
        const box = tag.getBoundingClientRect();
        return stage.left <= box.left && box.right <= stage.right;
    });
}"""


def test_names_stand_apart_and_cover_no_point(page: Page, picture: Callable) -> None:
    """Beside the garment on a wide stage, over the picture on a narrow one. One point is at the top of the picture."""
    give(page, picture())
    point(page, 'neckline_left').focus()
    for _ in range(30):
        page.keyboard.press('Shift+ArrowUp')
    assert place(page, 'neckline_left')[1] == 0
    page.click('#names')
    for width in (1280, 390):
        page.set_viewport_size({'width': width, 'height': 800})
        page.wait_for_function(NAMES_ARE_INSIDE, arg=width)  # the page places them again when it learns of the new size
        names, points = boxes(page, '.nametag'), boxes(page, '.point .dot')
        stage, = boxes(page, '#stage')
        assert len(names) == len(points) == 15 and stage[2] - stage[0] < width
        for index, name in enumerate(names):
            assert not any(overlap(name, other) for other in [*names[:index], *points]), f'name {index} at {width}'
            assert stage[0] <= name[0] and name[2] <= stage[2] and stage[1] <= name[1] and name[3] <= stage[3]
    page.click('#names')
    expect(page.locator('.nametag').first).to_be_hidden()


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
    for _ in range(8):
        page.keyboard.press('Control+z')
    expect(page.locator('.lengths .doubt')).to_have_count(0)


def test_several_pictures_and_one_that_is_none(page: Page, picture: Callable) -> None:
    give(page, picture(), picture('blue.png', (255, 0, 0)), {**picture('bad.png'), 'buffer': b'no picture'})
    expect(page.locator('.card.failed')).to_have_count(1)
    page.click('.card.failed .show')
    expect(page.locator('.over.bad')).to_contain_text('JPEG')
    expect(page.locator('#panel')).to_contain_text('bad.png')
    expect(page.locator('.card.failed .why')).to_contain_text('JPEG')
    assert page.locator('.card .file').all_inner_texts() == ['red.png', 'blue.png', 'bad.png']
    page.click('.card.unsure-type .show')
    assert not re.search(r'\d+ % likely', page.inner_text('#panel')), 'one statement about the type, not two'
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
    phone.click('.card .show >> nth=0')
    for arrow, name in (('ArrowLeft', 'hemline_left'), ('ArrowRight', 'hemline_right'), ('ArrowUp', 'waistband_left')):
        point(phone, name).focus()
        for _ in range(40):
            phone.keyboard.press(f'Shift+{arrow}')
    stage, = boxes(phone, '#stage')
    for dot in boxes(phone, '.point .rim'):
        assert stage[0] < dot[0] and dot[2] < stage[2] and stage[1] < dot[1] and dot[3] < stage[3], 'none is cut off'
    rows = [phone.locator(f'#{name}').bounding_box()['y'] for name in ('undo', 'redo', 'names', 'heat')]
    assert len(set(rows)) == 1, 'tools of a kind stand side by side'
    assert phone.evaluate('getComputedStyle(document.body).backgroundColor') == 'rgb(21, 23, 27)'
    phone.close()


def test_progress_is_said_and_only_the_picture_turns_a_wheel(page: Page, picture: Callable) -> None:
    held: List[Any] = []
    page.route('**/predict?*', lambda route: held.append(route))
    give(page, picture(), picture('green.png', (0, 255, 0)))
    expect(page.locator('.card.looking')).to_have_count(2)
    expect(page.locator('#done')).to_have_text('0 of 2 done')
    wheel = "selector => getComputedStyle(document.querySelector(selector), '::before').content"
    assert page.evaluate(wheel, '.card.looking') == 'none' and page.evaluate(wheel, '.over.looking') != 'none'
    wait_for(page, lambda: len(held) == 2)
    held[1].continue_()
    expect(page.locator('#done')).to_have_text('1 of 2 done')
    held[0].continue_()
    expect(page.locator('#done')).to_have_text('2 of 2 done')


def test_a_field_that_is_typed_in_stays_while_other_pictures_are_done(page: Page, picture: Callable) -> None:
    give(page, picture())
    expect(page.locator('.point')).to_have_count(15)
    held: List[Any] = []
    page.route('**/predict?*', lambda route: held.append(route))
    give(page, picture('green.png', (0, 255, 0)), picture('blue.png', (255, 0, 0)))
    wait_for(page, lambda: len(held) == 2)
    page.locator('[name=cm-chest]').focus()
    page.keyboard.type('47')
    for route in held:
        route.continue_()
    expect(page.locator('#done')).to_have_text('3 of 3 done')
    assert page.evaluate('document.activeElement.name') == 'cm-chest'
    expect(page.locator('[name=cm-chest]')).to_have_value('47')
    expect(page.locator('[name=all]')).to_be_visible()


def test_lengths_and_downloads_are_seen_without_scrolling(page: Page, picture: Callable) -> None:
    page.set_viewport_size({'width': 1280, 'height': 800})
    give(page, picture(), picture('green.png', (0, 255, 0)))
    expect(page.locator('.card.done')).to_have_count(2)
    seen = boxes(page, '.lengths tr, [data-kind], [data-copy]')
    assert len(seen) == 1 + 12 + 6 + 2 and max(box[3] for box in seen) <= 800
    part, = boxes(page, '.parts')
    assert max(box[3] for box in boxes(page, '.lengths tr')) <= part[3]


def test_tabs_are_changed_by_arrow_keys_and_say_what_to_check(page: Page, picture: Callable) -> None:
    give(page, picture())
    expect(page.locator('#tab-points')).to_contain_text('2')  # one has a low score, one was not found
    page.locator('#tab-lengths').focus()
    page.keyboard.press('ArrowRight')
    expect(page.locator('.points li')).to_have_count(15)
    expect(page.locator('.lengths')).to_be_hidden()
    assert page.evaluate('document.activeElement.id') == 'tab-points'
    before = place(page, 'hemline_left')
    point(page, 'hemline_left').focus()
    page.keyboard.press('ArrowLeft')
    page.click('#put-all-back')
    assert place(page, 'hemline_left') == before
    expect(page.locator('#put-all-back')).to_be_disabled()


def test_the_reason_of_a_refusal_is_shown(page: Page, picture: Callable) -> None:
    """Of a file that the page does not send, and of one that something before the service refuses without a word."""
    asked: List[str] = []
    page.on('request', lambda request: asked.append(request.url) if 'predict' in request.url else None)
    page.evaluate("""() => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(22e6)], 'big.png', {type: 'image/png'}));
        dispatchEvent(new DragEvent('drop', {dataTransfer: data}));
    }""")
    for place_of_reason in ('#panel', '.over.bad'):
        expect(page.locator(place_of_reason)).to_contain_text('22.0 MB')
        expect(page.locator(place_of_reason)).to_contain_text('20 MB')
    assert asked == []
    page.route('**/predict?*', lambda route: route.fulfill(status=413, content_type='text/html', body='<h1>No</h1>'))
    give(page, picture())
    expect(page.locator('.card.failed', has_text='red.png').locator('.why')).to_contain_text('413')


def test_a_picture_that_the_browser_cannot_show_is_seen(page: Page, encoded: Callable) -> None:
    """Chromium shows no TIFF: the service sends it as a JPEG. If it does not, points stand on a blank of its shape."""
    wide = {'name': 'scan.tif', 'mimeType': 'image/tiff', 'buffer': encoded(400, 200, (0, 255, 0), '.tif')}
    give(page, wide)
    expect(page.locator('.point')).to_have_count(4)
    loaded = "() => document.querySelector('.frame img').naturalWidth"
    wait_for(page, lambda: page.evaluate(loaded) == 400)
    page.on('dialog', lambda dialog: dialog.accept())
    page.click('#anew')
    page.route('**/preview', lambda route: route.fulfill(status=415, content_type='application/json', body='{}'))
    give(page, wide)
    expect(page.locator('.over p')).to_be_visible()
    expect(page.locator('.point')).to_have_count(4)
    (left, top, right, bottom), = boxes(page, '.frame')
    assert (right - left) / (bottom - top) == pytest.approx(2, abs=0.02)


def test_the_outline_is_drawn_and_a_length_shows_its_path(page: Page, picture: Callable) -> None:
    give(page, picture('green.png', (0, 255, 0)))
    expect(page.locator('.limb.line:not(.trace)')).to_have_count(len(outline(GARMENTS['skirt'])))
    path = page.locator('.limb.trace.line')
    assert path.get_attribute('d') == ''
    page.hover('tr[data-length=hem]')
    ends = [place(page, f'hemline_{side}') for side in ('left', 'right')]
    page.hover('tr[data-length=hem]')
    drawn = [float(number) for number in re.findall(r'[\d.]+', path.get_attribute('d') or '')]
    assert drawn == pytest.approx([*ends[0], *ends[1]], abs=0.006)
    page.hover('#stage')
    expect(path).to_have_attribute('d', '')
    page.locator('[name=cm-side]').focus()
    assert (path.get_attribute('d') or '').count('M') == 1, 'one waistband point was not found'
    page.locator('#undo').evaluate('element => document.activeElement.blur()')
    expect(path).to_have_attribute('d', '')


def test_a_drawing_and_texts_are_taken_along(page: Page, picture: Callable) -> None:
    page.context.grant_permissions(['clipboard-read', 'clipboard-write'])
    give(page, picture())
    with page.expect_download() as download:
        page.click('[data-kind=png]')
    drawn = cv2.imread(str(download.value.path()))
    x, y = np.rint(place(page, 'armpit_left')).astype(int)
    assert drawn.shape == (400, 300, 3) and drawn[2, 2].tolist() == [0, 0, 255]
    blue, green, red = drawn[y, x].tolist()
    assert red > 200 > green > blue, 'an orange point on the left'
    ends = [np.array(place(page, f'hemline_{side}')) for side in ('left', 'right')]
    across, down = np.rint((ends[0] + ends[1]) / 2).astype(int)
    assert drawn[down - 1:down + 2, across].min(axis=1).max() > 150, 'the hem is a light line'
    found = json.loads(taken(page, 'json'))
    page.fill('[name=cm-chest]', '50')
    page.click('[data-copy=lengths]')
    expect(page.locator('#taken')).not_to_be_empty()
    rows = [line.split('\t') for line in page.evaluate('navigator.clipboard.readText()').splitlines()]
    assert ['chest', f'{found["measurements"]["chest"]["pixels"]:.1f}', '50.0'] in rows and len(rows) == 1 + 12
    page.click('[data-copy=points]')
    wait_for(page, lambda: 'armpit left' in page.evaluate('navigator.clipboard.readText()'))
    rows = [line.split('\t') for line in page.evaluate('navigator.clipboard.readText()').splitlines()]
    at = found['keypoints']['armpit_left']
    assert ['armpit left', f'{at["x"]:.1f}', f'{at["y"]:.1f}', '1.00'] in rows


def test_lengths_are_a_table_with_a_row_for_each_garment(page: Page, picture: Callable) -> None:
    give(page, picture(), picture('blue.png', (255, 0, 0)))
    expect(page.locator('.card.unsure-type')).to_have_count(1)
    page.fill('[name=cm-chest]', '50')
    page.check('[name=all]')
    dress, blouse = csv.DictReader(io.StringIO(taken(page, 'lengths')))
    points = usual_points(GARMENTS['dress'], (400, 300))
    lengths = measure(Points(GARMENTS['dress'], points, np.ones(15), np.arange(15) != 1))
    assert (dress['path'], dress['type'], dress['type_doubt'], dress['unit']) == ('red.png', 'dress', '', 'cm')
    assert float(dress['chest']) == 50 and dress['rise'] == '' and dress['neckline_width'] == ''
    assert float(dress['hem']) == pytest.approx(50 * lengths['hem'].pixels / lengths['chest'].pixels, abs=0.02)
    assert blouse['unit'] == 'cm' and blouse['type_doubt'] and blouse['chest'] == ''
    assert 'scale' in blouse['chest_doubt']
    assert dress['neckline_width_doubt'] and not dress['chest_doubt']
    page.fill('[name=cm-chest]', '')
    page.keyboard.press('Tab')
    dress, _ = csv.DictReader(io.StringIO(taken(page, 'lengths')))
    assert dress['unit'] == 'px' and float(dress['chest']) == pytest.approx(lengths['chest'].pixels, abs=0.02)


def test_corrections_outlive_a_reload_until_a_new_beginning(page: Page, picture: Callable) -> None:
    give(page, picture(), picture('blue.png', (255, 0, 0)), {**picture('bad.png'), 'buffer': b'no picture'})
    expect(page.locator('#done')).to_contain_text('3 of 3')
    page.fill('[name=cm-chest]', '50')
    point(page, 'armpit_left').focus()
    page.keyboard.press('Shift+ArrowDown')
    page.keyboard.press('v')
    page.click('.card.unsure-type .show')
    page.get_by_role('button', name='Outwear 45 %').click()
    expect(page.locator('.card.done', has_text='Outwear')).to_have_count(1)
    page.click('.card .show >> nth=0')
    kept = taken(page, 'json')
    page.wait_for_timeout(500)
    page.reload()
    expect(page.locator('.card.done')).to_have_count(2)  # the one that failed is not kept
    expect(page.locator('#notice')).to_be_visible()
    assert taken(page, 'json') == kept and json.loads(kept)['keypoints']['armpit_left']['visibility'] == 0
    expect(page.locator('[name=cm-chest]')).to_have_value('50')
    give(page, picture())
    expect(page.locator('#notice')).to_contain_text('red.png')
    expect(page.locator('.card')).to_have_count(2)  # it is here already
    page.on('dialog', lambda dialog: dialog.accept())
    page.click('#anew')
    expect(page.locator('#welcome')).to_be_visible()
    page.wait_for_timeout(500)
    page.reload()
    expect(page.locator('#welcome .tag option')).to_have_count(6)
    expect(page.locator('#welcome')).to_be_visible()


def test_a_browser_that_keeps_nothing_says_so_and_works(page: Page, picture: Callable) -> None:
    page.add_init_script("IDBFactory.prototype.open = () => { throw new Error('no room'); };")
    page.reload()
    expect(page.locator('#notice')).to_contain_text('no room')
    give(page, picture())
    expect(page.locator('.point')).to_have_count(15)


def test_another_network_looks_again_and_corrections_stay(page: Page, picture: Callable) -> None:
    give(page, picture())
    point(page, 'armpit_left').focus()
    page.keyboard.press('Shift+ArrowDown')
    kept = place(page, 'armpit_left')
    page.wait_for_timeout(500)
    asked: List[str] = []
    page.on('request', lambda request: asked.append(request.url) if 'predict' in request.url else None)

    def other(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), 'model': 'another'})

    page.route('**/model', other)
    page.reload()
    expect(page.locator('.point.moved')).to_have_count(1)
    assert len(asked) == 1 and place(page, 'armpit_left') == kept


@pytest.mark.parametrize('by_keys', [False, True])
def test_another_garment_is_found_in_a_box(page: Page, picture: Callable, by_keys: bool) -> None:
    asked: List[str] = []
    page.on('request', lambda request: asked.append(request.url) if 'predict' in request.url else None)
    give(page, picture())
    expect(page.locator('.point')).to_have_count(15)
    page.click('#another')
    if by_keys:
        for key in ('ArrowRight', 'Shift+ArrowDown', 'Enter'):
            page.keyboard.press(key)
    else:
        frame = page.locator('.frame').bounding_box()
        page.mouse.move(frame['x'] + frame['width'] * 0.2, frame['y'] + frame['height'] * 0.25)
        page.mouse.down()
        page.mouse.move(frame['x'] + frame['width'] * 0.6, frame['y'] + frame['height'] * 0.75, steps=4)
        page.mouse.up()
    expect(page.locator('.card.done')).to_have_count(2)
    box = [float(side) for side in parse_qs(urlparse(asked[-1]).query)['box'][0].split(',')]
    assert box == pytest.approx([81, 100, 150, 208] if by_keys else [60, 100, 120, 200], abs=1.5)
    expect(page.locator('.frame > .box')).to_have_count(1)
    found = json.loads(taken(page, 'json'))
    assert found['box'] == box and found['garment'] == 2
    left, top, width, height = box
    around = MARGIN * max(width, height) + 1
    for at in found['keypoints'].values():
        assert left - around <= at['x'] <= left + width + around and top - around <= at['y'] <= top + height + around
    page.check('[name=all]')
    coco = json.loads(taken(page, 'coco'))
    assert len(coco['images']) == 1 and [one['image_id'] for one in coco['annotations']] == [1, 1]
    assert coco['annotations'][1]['bbox'] == box != coco['annotations'][0]['bbox']
    page.click('[data-kind=csv]')
    expect(page.locator('#taken')).to_contain_text('red.png')  # this form has one row for each picture
    page.wait_for_timeout(500)
    page.reload()
    expect(page.locator('.card.done')).to_have_count(2)
    page.click('.card .show >> nth=1')
    expect(page.locator('.frame > .box.own')).to_have_count(1)


def test_a_finger_draws_the_box_of_another_garment(browser: Browser, address: str, picture: Callable) -> None:
    phone = browser.new_page(viewport={'width': 390, 'height': 844}, has_touch=True)
    phone.set_default_timeout(PATIENCE)
    phone.goto(address)
    expect(phone.locator('#welcome .tag option')).to_have_count(6)
    give(phone, picture())
    expect(phone.locator('.point')).to_have_count(15)
    phone.click('#another')
    (left, top, right, bottom), = boxes(phone, '.frame')
    session = phone.context.new_cdp_session(phone)
    for step in range(6):
        share = 0.3 + 0.08 * step
        session.send('Input.dispatchTouchEvent', {'type': 'touchMove' if step else 'touchStart', 'touchPoints': [
            {'x': left + share * (right - left), 'y': top + share * (bottom - top), 'id': 1}]})
    session.send('Input.dispatchTouchEvent', {'type': 'touchEnd', 'touchPoints': []})
    expect(phone.locator('.card.done')).to_have_count(2)
    assert json.loads(taken(phone, 'json'))['box'] == pytest.approx([90, 120, 120, 160], abs=3)
    phone.close()


def test_a_folder_is_dropped(page: Page, encoded: Callable, tmp_path: Path) -> None:
    (tmp_path / 'shop/front').mkdir(parents=True)
    (tmp_path / 'shop/front/1.png').write_bytes(encoded())
    (tmp_path / 'shop/2.png').write_bytes(encoded(colour=(0, 255, 0)))
    (tmp_path / 'shop/list.txt').write_text('no picture')
    session = page.context.new_cdp_session(page)
    for kind in ('dragEnter', 'dragOver', 'drop'):
        session.send('Input.dispatchDragEvent', {'type': kind, 'x': 300, 'y': 300, 'data': {
            'items': [], 'files': [str(tmp_path / 'shop')], 'dragOperationsMask': 1}})
    expect(page.locator('.card.done')).to_have_count(2)
    page.check('[name=all]')
    assert [row['path'] for row in csv.DictReader(io.StringIO(taken(page, 'lengths')))] == [
        'shop/2.png', 'shop/front/1.png']
    expect(page.locator('#notice')).to_contain_text('1 file')


def test_the_description_of_the_api(page: Page, address: str) -> None:
    page.goto(f'{address}docs')
    expect(page.locator('.path', has_text='/predict')).to_be_visible()
    page.set_viewport_size({'width': 390, 'height': 844})
    assert page.evaluate("[...document.querySelectorAll('.wide')].every(part => part.scrollWidth <= part.clientWidth)")
    expect(page.locator('#curl')).to_contain_text(f"{address}predict?tag=auto'")
