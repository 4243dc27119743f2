"""docs/reliability.md: behind each promise is a test that exists."""
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def test_every_promise_names_a_test_that_exists() -> None:
    text = (PROJECT / 'docs/reliability.md').read_text(encoding='utf-8')
    _, promises = text.split('\n## ', 1)  # a table of exit codes stands before them
    rows = [line for line in promises.splitlines()
            if line.startswith('|') and line not in ('| what is promised | test |', '|---|---|')]
    assert rows
    for row in rows:
        named = re.findall(r'`(tests/[\w/]+\.py)::(\w+)`', row.split('|')[-2])
        assert named, f'no test: {row}'
        for file, test in named:
            assert f'\ndef {test}(' in (PROJECT / file).read_text(encoding='utf-8'), (file, test)
