"""The labelling page in a browser: label, correct, reload, two browsers, boxes, and a server that is late or killed."""
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from shutil import which
from typing import Any, Callable, Iterator, List, Set

import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from fashionai.annotations import read_annotations
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS
from fashionai.labelling.app import Project, make_app
from fashionai.labelling.background import Background
from fashionai.labelling.labels import OPEN, REVIEWED, SKIPPED, Label
from fashionai.labelling.proposals import Proposal
from fashionai.labelling.store import Store

BROWSER = next(filter(None, map(which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
CODE = Path(__file__).resolve().parents[2] / 'code'
PATIENCE = 30_000  # milliseconds, because test machines are busy
SOCK = {'types': {'sock': {'keypoints': ['cuff_left', 'cuff_right', 'heel', 'toe'],
                           'limbs': [['cuff_left', 'cuff_right'], ['cuff_right', 'heel'], ['heel', 'toe']],
                           'normaliser': ['cuff_left', 'cuff_right']}}}

pytestmark = pytest.mark.skipif(not BROWSER, reason='no Chromium to look at the page with: apt-get install chromium')


@pytest.fixture(scope='module')
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=['--no-sandbox'])
        yield opened
        opened.close()


class Late:
    """A service whose answers come late.

    Attributes:
        held: the beginnings of requests whose answers are held back, such as 'PUT' or 'GET /api/items/1'. The request
            itself is served at once.
        proposals: clear it, and proposals wait until it is set.
    """

    def __init__(self, stand_in: Any) -> None:
        self.model, self.types = stand_in.model, stand_in.types
        self.held: Set[str] = set()
        self.proposals = threading.Event()
        self.proposals.set()
        self._stand_in = stand_in

    def propose(self, *arguments: Any) -> Any:
        """Returns the proposal of the stand-in, when proposals are not held back."""
        self.proposals.wait(PATIENCE / 1000)
        return self._stand_in.propose(*arguments)

    def slowed(self, app: Any) -> Any:
        """Returns the application with late answers."""
        async def late(scope: Any, receive: Any, send: Any) -> None:
            async def answer(message: Any) -> None:
                while f'{scope["method"]} {scope["path"]}'.startswith(tuple(self.held)):
                    await asyncio.sleep(0.02)
                await send(message)
            await app(scope, receive, answer)
        return late


@pytest.fixture()
def late(stand_in: Any) -> Iterator[Late]:
    """How late the service of `address` is: at first, it is not."""
    made = Late(stand_in)
    yield made
    made.held.clear()
    made.proposals.set()


@pytest.fixture()
def address(store: Store, late: Late) -> Iterator[str]:
    """The page on a project of three pictures, with proposals by the stand-in."""
    with Background(store, late) as background:
        project = Project(store, store.path.parent, GARMENTS, list(late.types), late.model, 'Ann', background.wake)
        server = uvicorn.Server(uvicorn.Config(late.slowed(make_app(project)), port=0, log_level='error',
                                               lifespan='off'))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f'http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/'
        late.held.clear()
        late.proposals.set()
        server.should_exit = True
        thread.join(10)


@pytest.fixture()
def opened(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """`opened(address)`: the page in a browser of its own (its own name and settings). It must have no error."""
    contexts: List[Any] = []
    faults: List[str] = []
    expect.set_options(timeout=PATIENCE)

    def make(address: str) -> Page:
        context = browser.new_context(viewport={'width': 1280, 'height': 800})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on('pageerror', lambda error: faults.append(str(error)))
        page.on('console', lambda said: faults.append(said.text) if 'Content Security Policy' in said.text else None)
        page.goto(address)
        wait_for(lambda: bool(page.evaluate('location.hash')))
        return page
    yield make
    for context in contexts:
        context.close()
    assert faults == []


def point(page: Page, name: str) -> Locator:
    return page.locator(f'.point[data-name={name}]')


def middle(page: Page, name: str) -> Any:
    box = point(page, name).locator('.dot').bounding_box()
    assert box
    return box['x'] + box['width'] / 2, box['y'] + box['height'] / 2


def drag(page: Page, name: str, dx: float, dy: float) -> None:
    x, y = middle(page, name)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=3)
    expect(page.locator('.loupe')).to_be_visible()
    page.mouse.up()


def saved(page: Page) -> None:
    expect(page.locator('#saved')).to_have_text('Saved')


def wait_for(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def current(page: Page) -> int:
    return int(page.evaluate('location.hash.slice(1)'))


def ready(page: Page, points: int = 15) -> int:
    """Waits for all proposals, and until the one of the garment that is shown is there; returns its number."""
    expect(page.locator('.point')).to_have_count(points)
    expect(page.locator('#waiting')).to_be_empty()
    expect(page.locator('#stage .over')).to_have_count(0)
    return current(page)


def test_a_proposal_is_corrected_accepted_and_undone_after_a_reload(opened: Callable[[str], Page], address: str,
                                                                   store: Store) -> None:
    page = opened(address)
    number = ready(page)
    before = store.item(number).proposal['points']['armpit_left']
    drag(page, 'armpit_left', 30, 20)
    saved(page)
    wait_for(lambda: 'armpit_left' in store.item(number).label.points)
    x, y, v = store.item(number).label.points['armpit_left']
    assert x > before[0] + 5 and y > before[1] + 3 and v == 1 and store.item(number).label.state == OPEN
    assert len(store.history(number)) == 1, 'one drag is one change'
    page.keyboard.press('o')
    wait_for(lambda: store.item(number).label.points['armpit_left'][2] == 0)
    page.keyboard.press('Escape')
    page.keyboard.press('Enter')
    expect(page.locator('#progress')).to_have_text('1 of 3 reviewed')
    saved(page)
    wait_for(lambda: current(page) != number)  # the next one is shown
    label = store.item(number).label
    assert label.state == REVIEWED and set(label.points) == set(GARMENTS['dress'].keypoints)
    assert label.points['armpit_left'] == (x, y, 0) and label.points['armpit_right'][:2] == tuple(
        store.item(number).proposal['points']['armpit_right'][:2])
    page.keyboard.press('p')
    wait_for(lambda: current(page) == number)
    page.reload()
    expect(page.locator('.point')).to_have_count(15)
    expect(page.locator('#accept')).to_have_text('Accepted')
    page.keyboard.press('Control+z')
    wait_for(lambda: store.item(number).label.state == OPEN)
    assert store.item(number).label.points == {'armpit_left': (x, y, 0)}
    page.keyboard.press('Control+z')
    wait_for(lambda: store.item(number).label.points == {'armpit_left': (x, y, 1)})
    page.keyboard.press('Control+z')
    wait_for(lambda: store.item(number).label.points == {})
    expect(page.locator('#undo')).to_be_disabled()
    page.keyboard.press('Control+y')
    wait_for(lambda: store.item(number).label.points == {'armpit_left': (x, y, 1)})


def test_keys_jump_to_doubt_mark_mirror_nudge_and_reset(opened: Callable[[str], Page], address: str,
                                                        store: Store) -> None:
    page = opened(address)
    number = ready(page)
    first, second = GARMENTS['dress'].keypoints[:2]
    page.keyboard.press('j')
    expect(point(page, second)).to_have_class(re.compile('selected'))  # not found
    page.keyboard.press('j')
    expect(point(page, first)).to_have_class(re.compile('selected'))  # the lowest score
    page.keyboard.press('a')
    wait_for(lambda: store.item(number).label.points.get(first, (0, 0, 1))[2] == -1)
    page.keyboard.press('r')
    wait_for(lambda: first not in store.item(number).label.points)
    point(page, 'cuff_left_in').focus()
    page.keyboard.press('Shift+ArrowLeft')
    page.keyboard.press('ArrowDown')
    wait_for(lambda: 'cuff_left_in' in store.item(number).label.points)
    saved(page)
    x, y, _ = store.item(number).label.points['cuff_left_in']
    left, top = store.item(number).proposal['points']['cuff_left_in'][:2]
    assert (x, y) == (pytest.approx(left - 10, abs=0.02), pytest.approx(top + 1, abs=0.02))
    page.keyboard.press('m')
    wait_for(lambda: 'cuff_right_in' in store.item(number).label.points)
    points = store.item(number).label.points
    assert points['cuff_right_in'][0] - 150 == pytest.approx(150 - x, abs=6), 'about the axis of the garment'
    assert points['cuff_right_in'][1] == pytest.approx(y, abs=6)
    page.keyboard.press('Escape')
    page.keyboard.press('s')
    wait_for(lambda: store.item(number).label.state == SKIPPED)


def test_lists_are_filtered_by_type_state_and_doubt(opened: Callable[[str], Page], address: str, store: Store) -> None:
    page = opened(address)
    ready(page)
    expect(page.locator('#gallery .card')).to_have_count(3)
    page.keyboard.press('4')  # the fourth type, a skirt
    number = ready(page, 4)
    wait_for(lambda: store.item(number).label.type == 'skirt')
    page.keyboard.press('Enter')
    expect(page.locator('#progress')).to_have_text('1 of 3 reviewed')
    for name, value, count in (('kind', 'skirt', 0), ('state', 'reviewed', 1), ('kind', '', 1), ('state', '', 3),
                               ('doubt', 'sure', 1), ('doubt', 'unsure', 2)):
        page.select_option(f'#{name}', value)
        expect(page.locator('#gallery .card')).to_have_count(count)
    page.select_option('#doubt', 'sure')
    expect(page.locator('#gallery .card')).to_have_count(1)
    wait_for(lambda: current(page) == number)
    page.reload()
    expect(page.locator('#doubt')).to_have_value('sure')


def test_two_people_see_what_the_other_does(opened: Callable[[str], Page], address: str, store: Store) -> None:
    ann, bob = opened(address), opened(address)
    number = ready(ann)
    bob.fill('#person', 'Bob')
    bob.keyboard.press('Tab')
    bob.goto(f'{address}#{number}')
    bob.reload()
    assert ready(bob) == number
    drag(bob, 'armpit_left', 30, 0)
    saved(bob)
    wait_for(lambda: store.item(number).person == 'Bob')
    expect(ann.locator('#notice')).to_contain_text('Bob')
    expect(point(ann, 'armpit_left')).to_have_class(re.compile('moved'))
    place = store.item(number).label.points['armpit_left']
    drag(ann, 'armpit_right', 0, 25)
    wait_for(lambda: 'armpit_right' in store.item(number).label.points)
    assert store.item(number).label.points['armpit_left'] == place and store.item(number).person == 'Ann'
    bob.keyboard.press('Escape')
    bob.keyboard.press('n')
    wait_for(lambda: current(bob) != number)
    bob.keyboard.press('Enter')
    expect(ann.locator('#progress')).to_have_text('1 of 3 reviewed')


def test_a_change_that_meets_another_one_is_refused_and_shown(opened: Callable[[str], Page], address: str,
                                                              store: Store) -> None:
    page = opened(address)
    number = ready(page)
    page.route('**/api/items?since=*', lambda route: route.abort())  # news do not arrive
    label = store.item(number).label
    store.save(number, label, 'Bob', 'looked')
    drag(page, 'armpit_left', 30, 0)
    expect(page.locator('#notice')).to_contain_text('Bob')
    assert store.item(number).label == label and store.item(number).person == 'Bob'
    expect(point(page, 'armpit_left')).not_to_have_class(re.compile('moved'))


def test_changes_after_a_refused_one_are_refused_too(opened: Callable[[str], Page], address: str, store: Store,
                                                     late: Late) -> None:
    page = opened(address)
    number = ready(page)
    page.route('**/api/items?since=*', lambda route: route.abort())
    late.held.add('PUT')
    bobs = Label(type='dress', points={'armpit_left': (20, 30, 1)})
    store.save(number, bobs, 'Bob', 'armpit_left moved')
    drag(page, 'armpit_left', 30, 0)
    drag(page, 'armpit_right', 30, 0)
    page.keyboard.press('Escape')
    page.keyboard.press('Enter')
    expect(page.locator('#progress')).to_have_text('1 of 3 reviewed')
    late.held.clear()
    expect(page.locator('#notice')).to_contain_text('Bob')
    expect(page.locator('#progress')).to_have_text('0 of 3 reviewed')
    expect(page.locator('#saved')).not_to_have_text(re.compile('Saving|Not saved'))
    assert store.item(number).label == bobs and len(store.history(number)) == 1


def test_the_next_garment_comes_after_the_change_is_saved(opened: Callable[[str], Page], address: str, store: Store,
                                                          late: Late) -> None:
    page = opened(address)
    number = ready(page)
    late.held.update(f'GET /api/items/{item.id}' for item in store.items() if item.id != number)
    page.reload()
    ready(page)
    assert current(page) == number
    page.keyboard.press('Enter')
    expect(page.locator('#progress')).to_have_text('1 of 3 reviewed')
    wait_for(lambda: store.item(number).label.state == REVIEWED)
    saved(page)
    late.held.clear()
    wait_for(lambda: current(page) != number)


def test_a_type_and_enter_at_once_never_accept_points_that_nobody_saw(opened: Callable[[str], Page], address: str,
                                                                      store: Store, late: Late) -> None:
    page = opened(address)
    number = ready(page)
    late.proposals.clear()
    late.held.add('PUT')
    page.keyboard.press('4')
    page.keyboard.press('Enter')
    expect(page.locator('#notice')).to_contain_text('Enter')
    late.held.clear()
    expect(page.locator('#stage .over')).to_be_visible()
    saved(page)
    assert current(page) == number
    assert (store.item(number).label.type, store.item(number).label.state) == ('skirt', OPEN)
    late.proposals.set()
    ready(page, 4)
    page.keyboard.press('Enter')
    expect(page.locator('#progress')).to_have_text('1 of 3 reviewed')
    saved(page)
    label = store.item(number).label
    assert label.state == REVIEWED and set(label.points) == set(GARMENTS['skirt'].keypoints)


def test_a_new_network_is_waited_for_where_the_one_before_knew_no_points(opened: Callable[[str], Page], address: str,
                                                                         store: Store, late: Late) -> None:
    wait_for(lambda: store.count_without(late.model) == 0)
    late.proposals.clear()
    for item in store.items():
        store.propose(item.id, 'none', Proposal('dress').to_json())
    page = opened(address)
    expect(page.locator('#stage .over')).to_be_visible()
    late.proposals.set()
    ready(page)
    expect(point(page, 'armpit_left')).to_be_visible()


def test_keys_are_obeyed_in_order_though_answers_are_late(opened: Callable[[str], Page], address: str, store: Store,
                                                          late: Late) -> None:
    page = opened(address)
    number = ready(page)
    late.held.update(('GET', 'PUT'))
    point(page, 'cuff_left_in').focus()
    for key in ('ArrowDown', 'o', 'Escape', 'Enter'):
        page.keyboard.press(key)
    page.keyboard.press('Enter')
    page.keyboard.press('Enter')
    late.held.clear()
    expect(page.locator('#progress')).to_have_text('3 of 3 reviewed')
    saved(page)
    last = current(page)
    assert {item.label.state for item in store.items()} == {REVIEWED}
    label = store.item(number).label
    assert label.points['cuff_left_in'][2] == 0 and len(store.history(number)) == 3
    late.held.update(('GET', 'POST'))
    for key in ('p', 'p', 'Control+z', 'Control+z', 'n', 'n'):
        page.keyboard.press(key)
    late.held.clear()
    wait_for(lambda: store.item(number).revision == 5)
    assert store.item(number).label.state == OPEN and 'cuff_left_in' in store.item(number).label.points
    wait_for(lambda: current(page) == last)
    expect(page.locator('#notice')).not_to_contain_text('changed')


def test_a_change_that_is_made_while_news_arrive_is_kept(opened: Callable[[str], Page], address: str, store: Store,
                                                         late: Late) -> None:
    page = opened(address)
    number = ready(page)
    proposal = dict(store.item(number).proposal)
    late.held.add(f'GET /api/items/{number}')
    with page.expect_request(f'**/api/items/{number}'):
        proposal['points'] = {**proposal['points'], 'armpit_right': (9, 9, 0.9, True)}
        store.propose(number, late.model, proposal)
    drag(page, 'armpit_left', 30, 0)
    drag(page, 'cuff_left_in', 0, 30)
    wait_for(lambda: 'armpit_left' in store.item(number).label.points)
    late.held.clear()
    expect(point(page, 'armpit_right')).to_have_attribute('transform', re.compile(r'translate\(9 9\)'))
    saved(page)
    assert set(store.item(number).label.points) == {'armpit_left', 'cuff_left_in'}
    expect(point(page, 'armpit_left')).to_have_class(re.compile('moved'))


def test_leaving_the_page_sends_what_is_not_sent(opened: Callable[[str], Page], address: str, store: Store,
                                                 late: Late) -> None:
    page = opened(address)
    number = ready(page)
    late.held.add('PUT')
    drag(page, 'armpit_left', 30, 0)
    drag(page, 'armpit_right', 30, 0)
    point(page, 'cuff_left_in').focus()
    page.keyboard.press('ArrowDown')
    page.reload()
    wait_for(lambda: set(store.item(number).label.points) == {'armpit_left', 'armpit_right', 'cuff_left_in'})


def test_a_second_garment_is_drawn_as_a_box_and_taken_back(opened: Callable[[str], Page], address: str,
                                                           store: Store) -> None:
    page = opened(address)
    number = ready(page)
    frame = page.locator('.frame').bounding_box()
    assert frame
    page.keyboard.press('b')
    page.mouse.move(frame['x'] + frame['width'] * 0.1, frame['y'] + frame['height'] * 0.25)
    page.mouse.down()
    page.mouse.move(frame['x'] + frame['width'] * 0.6, frame['y'] + frame['height'] * 0.75, steps=4)
    page.mouse.up()
    expect(page.locator('.garments button')).to_have_count(3)  # two garments, and one to take the box back
    box = store.item(current(page))
    assert (box.picture.id, box.number) == (store.item(number).picture.id, 2)
    assert box.label.box == (pytest.approx(30, abs=3), pytest.approx(100, abs=3), pytest.approx(150, abs=3),
                             pytest.approx(200, abs=3))
    expect(page.locator('.point')).to_have_count(15)
    page.keyboard.press('Enter')
    wait_for(lambda: store.item(box.id).label.state == REVIEWED)
    expect(page.locator('#progress')).to_have_text('1 of 4 reviewed')
    page.goto(f'{address}#{box.id}')
    page.reload()
    expect(page.locator('#remove')).to_be_visible()
    page.keyboard.press('Delete')
    expect(page.locator('#progress')).to_have_text('0 of 3 reviewed')


def test_wheel_keys_and_dragging_look_closer_and_points_stay_true(opened: Callable[[str], Page], address: str,
                                                                  store: Store) -> None:
    page = opened(address)
    number = ready(page)
    width = page.locator('.frame').evaluate('frame => frame.offsetWidth')
    x, y = middle(page, 'armpit_left')
    page.mouse.move(x, y)
    page.mouse.wheel(0, -600)
    wait_for(lambda: page.locator('.frame').evaluate('frame => frame.offsetWidth') > 1.5 * width)
    assert middle(page, 'armpit_left') == (pytest.approx(x, abs=2), pytest.approx(y, abs=2)), 'it zooms at the pointer'
    scale = page.locator('.frame').evaluate('frame => frame.offsetWidth') / 300
    before = store.item(number).proposal['points']['armpit_left']
    drag(page, 'armpit_left', 30, 0)
    wait_for(lambda: 'armpit_left' in store.item(number).label.points)
    assert store.item(number).label.points['armpit_left'][0] == pytest.approx(before[0] + 30 / scale, abs=1)
    stage = page.locator('#stage').bounding_box()
    assert stage
    at = middle(page, 'armpit_left')
    page.mouse.move(stage['x'] + 8, stage['y'] + 8)
    page.mouse.down()
    page.mouse.move(stage['x'] + 48, stage['y'] + 38, steps=3)
    page.mouse.up()
    assert middle(page, 'armpit_left') == (pytest.approx(at[0] + 40, abs=2), pytest.approx(at[1] + 30, abs=2))
    page.keyboard.press('Escape')
    page.keyboard.press('0')
    wait_for(lambda: page.locator('.frame').evaluate('frame => frame.offsetWidth') == width)
    page.keyboard.press('+')
    wait_for(lambda: page.locator('.frame').evaluate('frame => frame.offsetWidth') > 1.2 * width)


def test_two_fingers_look_closer(opened: Callable[[str], Page], address: str) -> None:
    page = opened(address)
    ready(page)
    width = page.locator('.frame').evaluate('frame => frame.offsetWidth')
    stage = page.locator('#stage').bounding_box()
    assert stage
    x, y = stage['x'] + stage['width'] * 0.5, stage['y'] + stage['height'] * 0.8
    session = page.context.new_cdp_session(page)
    for apart in (30, 60, 90):
        fingers = [{'x': x - apart, 'y': y, 'id': 1}, {'x': x + apart, 'y': y, 'id': 2}]
        session.send('Input.dispatchTouchEvent', {'type': 'touchStart' if apart == 30 else 'touchMove',
                                                  'touchPoints': fingers})
    session.send('Input.dispatchTouchEvent', {'type': 'touchEnd', 'touchPoints': []})
    wait_for(lambda: page.locator('.frame').evaluate('frame => frame.offsetWidth') > 2 * width)


def test_training_data_are_written_from_the_page(opened: Callable[[str], Page], address: str, store: Store) -> None:
    page = opened(address)
    ready(page)
    for count in (1, 2):
        page.keyboard.press('Enter')
        expect(page.locator('#progress')).to_have_text(f'{count} of 3 reviewed')
    page.locator('summary', has_text='Other formats').click()
    page.check('[name=coco]')
    page.click('#export')
    expect(page.locator('#exported')).to_contain_text('2 for training')
    table = read_annotations(store.path.parent / 'data/train/train.csv')
    assert set(table.categories) == {'dress'} and (store.path.parent / 'data/coco.json').exists()
    assert (table.keypoints[:, CSV_KEYPOINTS.index('crotch'), 2] == -1).all()


def serve(project: Path, *arguments: str) -> Any:
    """Starts label.py as a user does; returns the process and its address."""
    process = subprocess.Popen([sys.executable, str(CODE / 'label.py'), *arguments, '--project', str(project)],
                               stderr=subprocess.PIPE, universal_newlines=True)
    lines: List[str] = []
    assert process.stderr
    for line in process.stderr:
        lines.append(line)
        found = re.search(r'http://\S+', line)
        if found:
            return process, found.group()
    raise AssertionError(''.join(lines))


@pytest.mark.skipif(not hasattr(signal, 'SIGKILL'), reason='no SIGKILL on this system')
def test_points_of_a_new_type_are_placed_and_a_killed_server_loses_nothing(opened: Callable[[str], Page],
                                                                          pictures: Callable[..., Path],
                                                                          tmp_path: Path) -> None:
    (tmp_path / 'socks.json').write_text(json.dumps(SOCK))
    project = tmp_path / 'socks'
    process, address = serve(project, str(pictures()), '--garments', str(tmp_path / 'socks.json'), '--port', '0')
    try:
        page = opened(address)
        number = current(page)
        expect(page.locator('#hint')).to_contain_text('cuff left')  # a table of one type needs no choice
        frame = page.locator('.frame').bounding_box()
        assert frame
        for share, aside, then in ((0.2, 0, 'cuff right'), (0.2, 11, 'heel'), (0.7, 0, 'toe')):  # two are near
            page.mouse.click(frame['x'] + frame['width'] * share + aside, frame['y'] + frame['height'] * 0.3)
            expect(page.locator('#hint')).to_contain_text(then)
        saved(page)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        port = re.search(r':(\d+)', address)
        page.keyboard.press('a')  # the service is gone
        expect(page.locator('#saved')).to_contain_text('Not saved')
        assert port
        process, _ = serve(project, '--port', port.group(1))
        saved(page)
        with Store(project) as store:
            label = store.item(number).label
            assert {name: v for name, (_, _, v) in label.points.items()} == {'cuff_left': 1, 'cuff_right': 1, 'heel': 1,
                                                                             'toe': -1}
            assert label.points['heel'][0] == pytest.approx(0.7 * 300, abs=2)
            page.keyboard.press('Enter')
            wait_for(lambda: store.item(number).label.state == REVIEWED)
    finally:
        process.kill()
        process.communicate()
