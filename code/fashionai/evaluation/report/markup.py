"""HTML from Python: elements escape whatever text they are given, unless it is markup already."""
from html import escape
from typing import Optional, Sequence, Union

Content = Union['Html', str]
_VOID = ('img', 'meta')


class Html(str):
    """Text that is markup, and not to be escaped again."""


def element(name: str, *children: Content, **attributes: Optional[str]) -> Html:
    """`<name attributes>children</name>`. Attributes named as Python's words end in `_`; None leaves one out."""
    written = ''.join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
                      for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f'<{name}{written}>')
    return Html(f'<{name}{written}>{joined(children)}</{name}>')


def joined(children: Sequence[Content], between: str = '') -> Html:
    """Contents one after the other."""
    return Html(between.join(child if isinstance(child, Html) else escape(child) for child in children))


def table(label: str, head: Sequence[Content], rows: Sequence[Sequence[Content]]) -> Html:
    """A table that scrolls sideways where it is too wide; a row's first cell is its heading. A cell that is a `td`
    element already stays as it is. `label` is read out to those who cannot see it."""
    lines = [element('tr', *(element('th', cell, scope='col') for cell in head))]
    for first, *rest in rows:
        cells = [cell if cell.startswith('<td') and isinstance(cell, Html) else element('td', cell) for cell in rest]
        lines.append(element('tr', element('th', first, scope='row'), *cells))
    return element('div', element('table', element('thead', lines[0]), element('tbody', *lines[1:])), class_='wide',
                   role='region', aria_label=label, tabindex='0')


def section(title: str, *children: Content) -> Html:
    """A part of a page under its heading."""
    return element('section', element('h2', title), *children)
