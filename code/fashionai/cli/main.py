"""The command `fashionai`: one subcommand for each entry point, with the flags of `python code/<name>.py`."""
import ast
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Optional, Sequence

from fashionai import __version__
from fashionai.extras import missing_module

COMMANDS = ('predict', 'predict-many', 'run', 'merge', 'combine', 'evaluate', 'draw', 'marker', 'classify', 'train',
            'freeze', 'calibrate', 'export', 'serve', 'label', 'prepare', 'browse', 'synthesize', 'experiments',
            'send-batches')
"""The subcommands, in the order of the help text."""

_STANDALONE = ('merge', 'combine')
"""Scripts of submit/ that need Python alone. A wheel has them beside this module."""


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a subcommand with the arguments behind its name. Returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = arguments[0] if arguments else '--help'
    if command in ('-h', '--help'):
        print(_help())
        return 0
    if command == '--version':
        print(f'fashionai {__version__}')
        return 0
    if command not in COMMANDS:
        print(f'error: unknown command {command!r}: wanted one of {", ".join(COMMANDS)}', file=sys.stderr)
        return 2
    sys.argv = [f'fashionai {command}', *arguments[1:]]  # argparse prints it in messages
    try:
        module = _module(command)
    except ModuleNotFoundError as error:
        if not missing_module(error):
            raise
        print(f'error: {missing_module(error)}', file=sys.stderr)
        return 1
    return module.main(arguments[1:])


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f'  {command:{width}}{_summary(_file(command))}' for command in COMMANDS]
    return '\n'.join([
        'usage: fashionai COMMAND [flags]', '',
        'Find the keypoints of garments in photographs; train the networks that do.', '',
        *lines, '',
        '`fashionai COMMAND --help` explains the flags of a command.'])


def _file(command: str) -> Path:
    """The source file of a command."""
    name = command.replace('-', '_')
    here = Path(__file__).with_name(f'{name}.py')
    return here if here.exists() else Path(__file__).resolve().parents[3] / 'submit' / f'{name}.py'


def _module(command: str) -> ModuleType:
    file = _file(command)
    if command not in _STANDALONE:
        return import_module(f'fashionai.cli.{file.stem}')
    sys.path.insert(0, str(file.parent))  # combine.py imports merge.py from beside it
    try:
        return import_module(file.stem)
    finally:
        sys.path.remove(str(file.parent))


def _summary(file: Path) -> str:
    """The first sentence of a file's docstring. The file is not imported: that could load TensorFlow."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding='utf-8'))) or ''
    return ' '.join(text.split('\n\n')[0].split()).split('. ')[0].split(': ')[0].rstrip('.')


if __name__ == '__main__':
    sys.exit(main())
