"""Labels T-shirts on the page of label.py in place of a person: it clicks, drags and presses keys in Chromium.

The T-shirts are a type that the supplied network does not know: six points, in the table tee.json of docs/labelling.md.
The answers are the points that the fast network finds on the same pictures as blouses; they are kept in answers.json of
the project. Look at them, and remove wrong ones: a picture without an answer is skipped. A proposed point is dragged if
it is off by more than a share of the width of the hem. Run it once for each round of the guide: it labels more pictures
and writes the training data. Playwright and Chromium are needed.
"""
import argparse
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple

import numpy as np
from timing import ROOT

from fashionai import load_model
from fashionai.cli.entry_point import guarded
from fashionai.errors import InputError
from fashionai.files import read_json, write_json
from fashionai.option_group import at_least

AS_BLOUSE = {'collar_left': 'neckline_left', 'collar_right': 'neckline_right', 'sleeve_left': 'cuff_left_out',
             'sleeve_right': 'cuff_right_out', 'hem_left': 'top_hem_left', 'hem_right': 'top_hem_right'}
"""The points of a T-shirt in tee.json, and those of a blouse that are in the same places."""

Answer = Mapping[str, Tuple[float, float]]
"""The places of the points of a picture, in pixels of the upright picture."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('pictures', help='folder of pictures of T-shirts')
    add('--project', required=True, help='folder of the project')
    add('--garments', help='table of types for a new project: tee.json of docs/labelling.md')
    add('--number', type=at_least(1), default=20, help='label so many more pictures')
    add('--val', default='0.2', help='share for validation')
    add('--tolerance', type=float, default=0.03, help='drag a proposal that is off by more, in widths of the hem')
    add('--least-score', type=float, default=0.3, help='a picture with a lower score of a point has no answer')
    add('--patience', type=at_least(1), default=60, help='seconds that one step of the page may take')
    return parser.parse_args(argv)


def kept_answers(path: Path, pictures: Path, least_score: float) -> Mapping[str, Answer]:
    """Returns the answers in a file, which is written if it does not exist."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, answers_of(pictures, least_score))
    return read_json(path)


def answers_of(folder: Path, least_score: float) -> Dict[str, Answer]:
    """Returns the answers by the name of the picture, for the pictures where every point is found with this score."""
    answers: Dict[str, Answer] = {}
    with load_model(preset='fast') as model:
        for path in sorted(folder.iterdir()):
            points = model.predict(path, 'blouse').keypoints
            chosen = {name: points[other] for name, other in AS_BLOUSE.items()}
            if all(point.found and point.score >= least_score for point in chosen.values()):
                answers[path.name] = {name: (point.x, point.y) for name, point in chosen.items()}
    return answers


@contextmanager
def served(*arguments: str, log: Path) -> Iterator[str]:
    """Runs label.py, whose messages go to a file, and yields the address of its page."""
    command = [sys.executable, str(ROOT / 'code/label.py'), *arguments, '--port', '0']
    with log.open('w') as messages, subprocess.Popen(command, stderr=messages) as process:
        try:
            while True:
                said = log.read_text()
                found = re.search(r'http://\S+', said)
                if found:
                    break
                if process.poll() is not None:
                    raise InputError(said.strip() or 'label.py ended')
                time.sleep(0.1)
            yield found.group()
        finally:
            process.terminate()


class Person:
    """Works on an open page."""

    def __init__(self, page: Any, answers: Mapping[str, Answer], tolerance: float) -> None:
        self._page, self._answers, self._tolerance = page, answers, tolerance
        self.counts = {'placed': 0, 'dragged': 0, 'accepted as proposed': 0, 'pictures': 0}

    def review(self) -> None:
        """Reviews the picture that is shown, or skips it."""
        page = self._page
        page.locator('#stage .over').wait_for(state='detached')
        page.wait_for_function('() => document.querySelector("#stage .frame img")?.naturalWidth')
        before = page.evaluate('location.hash')
        answer = self._answers.get(Path(page.inner_text('#panel .file')).name)
        if answer:
            for name, place in answer.items():
                self._put(name, place, np.hypot(*np.subtract(answer['hem_left'], answer['hem_right'])))
            self.counts['pictures'] += 1
        page.keyboard.press('Escape')
        page.keyboard.press('Enter' if answer else 's')
        page.wait_for_function('before => location.hash !== before || '
                               'document.querySelector("#notice").textContent.startsWith("Every picture")', arg=before)

    def _put(self, name: str, place: Tuple[float, float], hem: float) -> None:
        page = self._page
        frame = page.locator('.frame').bounding_box()
        scale = frame['width'] / page.locator('.frame img').evaluate('image => image.naturalWidth')
        x, y = (frame[side] + (at + 0.5) * scale for side, at in zip('xy', place))
        point = page.locator(f'.point[data-name={name}]')
        if point.evaluate('point => point.style.display === "none"'):
            page.locator('#hint', has_text=name.replace('_', ' ')).wait_for()
            page.mouse.click(x, y)
            self.counts['placed'] += 1
            return
        box = point.locator('.dot').bounding_box()
        at = box['x'] + box['width'] / 2, box['y'] + box['height'] / 2
        if np.hypot(at[0] - x, at[1] - y) <= self._tolerance * hem * scale:
            self.counts['accepted as proposed'] += 1
            return
        page.mouse.move(*at)
        page.mouse.down()
        page.mouse.move(x, y, steps=5)
        page.mouse.up()
        self.counts['dragged'] += 1


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Label, write the training data, and print what was to be done."""
    from playwright.sync_api import sync_playwright
    options = parse(argv)
    folder = Path(options.pictures)
    answers = kept_answers(Path(options.project) / 'answers.json', folder, options.least_score)
    table = ['--garments', options.garments] if options.garments else []
    browser = next(filter(None, map(which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
    log = Path(options.project) / 'label.log'
    with served(str(folder), '--project', options.project, *table, log=log) as address, sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser, args=['--no-sandbox']).new_page(
            viewport={'width': 1280, 'height': 800}, bypass_csp=True)
        page.set_default_timeout(options.patience * 1000)
        page.goto(address)
        page.wait_for_function('() => location.hash')
        done = int(page.inner_text('#progress').split()[0])
        if done + options.number > len(answers):
            raise InputError(f'--number {options.number}: {len(answers)} pictures have an answer, and {done} of them '
                             'are reviewed')
        person = Person(page, answers, options.tolerance)
        while person.counts['pictures'] < options.number:
            person.review()
        page.fill('#val', options.val)
        page.keyboard.press('Tab')
        page.click('#export')
        page.locator('#exported', has_text='for training').wait_for()
        print(page.inner_text('#exported'))
        print(', '.join(f'{count} {what}' for what, count in person.counts.items()))
    return 0


if __name__ == '__main__':
    sys.exit(main())
