"""How `python code/<command>.py` starts its command. This file needs Python alone, so it can say what is missing."""
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Tuple

_CHECKOUT = Path(__file__).resolve().parents[3]


def start(command: str) -> int:
    """Runs the module of that name in this package. Returns its exit code; 1 if this Python lacks a package that the
    command needs, and a line then says how to choose the Python that has it."""
    try:
        main = import_module(f'fashionai.cli.{command}').main
    except ModuleNotFoundError as error:
        package = (error.name or '').split('.')[0]
        if package in ('', 'fashionai'):
            raise
        print(f'error: this needs the package {package}, which {sys.executable} does not have: {way_out(_CHECKOUT)}',
              file=sys.stderr)
        return 1
    return main()


def way_out(checkout: Path) -> str:
    """Returns how to use the environment that the drivers made: that of this version of Python, or else of the newest.
    If there is none, returns how to make one."""
    folders = [path for path in (checkout / '.venv').glob('*') if re.fullmatch(r'\d+\.\d+(-gpu)?', path.name)
               and (path / 'bin/activate').exists()]
    if folders:
        return f'use the environment of the project: source {max(folders, key=_preference) / "bin/activate"}'
    return (f'a driver such as {checkout / "begin_to_test.sh"} makes an environment that has it, or run python -m pip '
            f'install -r {checkout / "requirements.txt"}')


def _preference(folder: Path) -> Tuple[bool, Tuple[int, ...], str]:
    version = tuple(map(int, re.findall(r'\d+', folder.name)))
    return version == sys.version_info[:2], version, folder.name
