"""Writes HTML: elements escape every text that is not an `Html` already."""
from html import escape
from typing import Optional, Sequence, Union

Content = Union['Html', str]
_VOID = ('img', 'meta')


class Html(str):
    """Text that is HTML already and is not escaped again."""


def element(name: str, *children: Content, **attributes: Optional[str]) -> Html:
    """Returns `<name attributes>children</name>`. Attributes that are Python keywords end in `_`; None omits one."""
    written = ''.join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
                      for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f'<{name}{written}>')
    return Html(f'<{name}{written}>{joined(children)}</{name}>')


def joined(children: Sequence[Content], between: str = '') -> Html:
    """Returns the contents one after the other."""
    return Html(between.join(child if isinstance(child, Html) else escape(child) for child in children))


def table(label: str, head: Sequence[Content], rows: Sequence[Sequence[Content]]) -> Html:
    """Returns a table that scrolls sideways if it is too wide. The first cell of a row is its heading.

    A cell that is a `td` element already stays as it is. Screen readers read `label`.
    """
    lines = [element('tr', *(element('th', cell, scope='col') for cell in head))]
    for first, *rest in rows:
        cells = [cell if cell.startswith('<td') and isinstance(cell, Html) else element('td', cell) for cell in rest]
        lines.append(element('tr', element('th', first, scope='row'), *cells))
    return element('div', element('table', element('thead', lines[0]), element('tbody', *lines[1:])), class_='wide',
                   role='region', aria_label=label, tabindex='0')


def section(title: str, *children: Content) -> Html:
    """Returns a part of a page with its heading."""
    return element('section', element('h2', title), *children)
