"""The report as one file of HTML that needs nothing besides: styles and pictures are inside, and nothing is loaded."""
from pathlib import Path
from typing import Optional

from fashionai.annotations import PathLike
from fashionai.evaluation.report import sections
from fashionai.evaluation.report.bias import biases
from fashionai.evaluation.report.comparison import differences
from fashionai.evaluation.report.markup import Html, element, joined
from fashionai.evaluation.report.measurement import Measurement, ne_estimates
from fashionai.evaluation.report.swaps import swapped_pairs
from fashionai.evaluation.report.words import findings
from fashionai.files import write_text

_STYLE = Path(__file__).with_name('page.css')
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_report(path: PathLike, subject: Measurement, folder: Optional[Path], second: Optional[Measurement]) -> None:
    """Write the report of a submission, whole or not at all.

    folder: where image ids start from; without it, the worst images are a list. second: another submission of the same
    images, to compare with. Raises InputError where an image cannot be read, or matplotlib is not installed.
    """
    text = page(subject, folder, second)
    write_text(path, text)


def page(subject: Measurement, folder: Optional[Path], second: Optional[Measurement]) -> Html:
    """The whole page; errors as above."""
    images = sections.worst(subject, folder)  # first, since a picture may be missing
    errors, offsets = ne_estimates(subject), biases(subject)
    both, swapped = swapped_pairs(subject)
    parts = [sections.in_short(findings(subject, errors, offsets, int(both.sum()), int(swapped.sum())))]
    if second is not None:
        parts.append(sections.comparison(differences(subject, second), second))
    parts += [sections.errors(subject, errors), sections.distribution(subject), sections.bias(offsets),
              sections.swaps(subject, both, swapped), images]
    title = f'Report on {sections.short(subject.source)}'
    subtitle = sections.note(f'Measured against the labels of {len(subject.truth)} images in '
                             f'{sections.short(subject.truth.source)}.')
    head = element('head', element('meta', charset='utf-8'), element('title', title),
                   element('meta', name_='viewport', content='width=device-width, initial-scale=1'),
                   element('meta', http_equiv='Content-Security-Policy', content=_POLICY),
                   element('style', Html(_STYLE.read_text(encoding='utf-8'))))
    body = element('body', element('main', element('header', element('h1', title), subtitle), *parts))
    return joined([Html('<!doctype html>'), element('html', head, body, lang='en')], '\n')
