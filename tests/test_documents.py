"""Documents: links lead somewhere, paths of the code exist, and flags are flags of a program of this project."""
import io
import re
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Iterator, Set, Tuple

import pytest

from fashionai.cli.main import COMMANDS
from fashionai.datasets.formats import READABLE, WRITABLE

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(path for pattern in ('*.md', 'docs/*.md', 'data/README.md', 'data/photographs/*.md', 'models/*.md',
                                   'models/trained/supplied/*.md') for path in PROJECT.glob(pattern))
SCRIPTS = [*PROJECT.glob('submit/*.py'), *PROJECT.glob('benchmarks/*.py'), *PROJECT.glob('tests/interruptions*.py'),
           PROJECT / 'tests/host_failures.py', PROJECT / 'begin_to_train_all.sh']
"""Programs that have no subcommand of `fashionai`; `merge` and `combine` are scripts too. One driver has a flag."""

OTHERS = {
    'curl': ('--data-binary',), 'docker': ('--rm',), 'labelme': ('--labels', '--labelflags'),
    'pip': ('--no-deps', '--ignore-requires-python'), 'tar': ('--strip-components',), 'tensorboard': ('--logdir',),
    'srun': ('--kill-on-bad-exit',), 'kubernetes-validate': ('--strict',),
    'sbatch': ('--job-name', '--nodes', '--ntasks-per-node', '--gpus-per-node', '--signal')}
"""Flags of programs that are not part of the project."""

ABSENT = ('code/__init__.py',)
"""Paths of which a document says that they do not exist."""

PREPARE_COMMANDS = (*(('from', name) for name in READABLE), *(('to', name) for name in WRITABLE))


def _name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def _code(text: str) -> Iterator[str]:
    """The code of a document: its blocks, and what stands in backticks."""
    yield from re.findall(r'^```\w*\n(.*?)^```', text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r'^```.*?^```', '', text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r'^    .*$', rest, re.MULTILINE)
    yield from re.findall(r'`([^`]+)`', rest)


def _anchors(path: Path) -> Set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r'^#+ (.*)$', path.read_text(encoding='utf-8'), re.MULTILINE)
    return {re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('document', DOCUMENTS, ids=_name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r'\]\(([^)\s]+)\)', document.read_text(encoding='utf-8')):
        if re.match(r'[a-z]+:', target):
            continue
        file, _, anchor = target.partition('#')
        path = (document.parent / file).resolve() if file else document
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path), target


@pytest.mark.parametrize('document', DOCUMENTS, ids=_name)
def test_paths_of_the_code_exist(document: Path) -> None:
    for code in _code(document.read_text(encoding='utf-8')):
        for path in re.findall(r'(?<![\w/.-])((?:code|fashionai|benchmarks|submit/\w+\.py|tests)/[\w./-]*\w)', code):
            exists = (PROJECT / path).exists() or (PROJECT / 'code' / path).exists()
            assert exists == (path not in ABSENT), path


@pytest.fixture(scope='module')
def known_flags() -> Set[str]:
    """The flags of the entry points, as their help texts have them; of the scripts, as their source has them."""
    flags = {flag for program in OTHERS.values() for flag in program}
    for path in SCRIPTS:
        flags.update(re.findall(r"'(--[a-z][\w-]*)'", path.read_text(encoding='utf-8')))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('COLUMNS', '1000')  # argparse breaks no flag then
        for arguments in _commands():
            flags.update(re.findall(r'(?<![\w-])--[a-z][\w-]*', _help(*arguments)))
    return flags


def _commands() -> Iterator[Tuple[str, ...]]:
    for command in COMMANDS:
        if not (PROJECT / 'submit' / f'{command}.py').exists():
            yield from ((command, *kind) for kind in PREPARE_COMMANDS) if command == 'prepare' else [(command,)]


def _help(command: str, *arguments: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit) as end:
        import_module(f'fashionai.cli.{command.replace("-", "_")}').main([*arguments, '--help'])
    assert not end.value.code
    return said.getvalue()


@pytest.mark.parametrize('document', DOCUMENTS, ids=_name)
def test_flags_are_flags_of_a_program(document: Path, known_flags: Set[str]) -> None:
    for code in _code(document.read_text(encoding='utf-8')):
        unknown = set(re.findall(r'(?<![\w-])--[a-z][\w-]*', code)) - known_flags
        assert not unknown, code
