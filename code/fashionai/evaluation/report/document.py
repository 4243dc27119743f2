"""A report as one HTML file: styles and pictures are inside, and nothing else is loaded."""
import base64
from pathlib import Path
from typing import Sequence

import cv2
import numpy as np

from fashionai.evaluation.report.markup import Content, Html, element, joined

_STYLE = Path(__file__).with_name('page.css')
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_QUALITY = 82


def document(title: str, subtitle: Content, parts: Sequence[Html], style: str = '') -> Html:
    """Returns a whole page with a heading. `style` is CSS that is added to that of all reports."""
    css = _STYLE.read_text(encoding='utf-8') + style
    head = element('head', element('meta', charset='utf-8'), element('title', title),
                   element('meta', name_='viewport', content='width=device-width, initial-scale=1'),
                   element('meta', http_equiv='Content-Security-Policy', content=_POLICY),
                   element('style', Html(css)))
    body = element('body', element('main', element('header', element('h1', title), subtitle), *parts))
    return joined([Html('<!doctype html>'), element('html', head, body, lang='en')], '\n')


def picture_url(picture: np.ndarray) -> str:
    """Returns a picture (h, w, 3) uint8 BGR as a `data:` URL of a JPEG file."""
    file = cv2.imencode('.jpg', picture, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1]
    return f'data:image/jpeg;base64,{base64.b64encode(file.tobytes()).decode()}'
