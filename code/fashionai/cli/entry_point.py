"""What all commands share: how they end, how they find files, and flags that many have."""
import functools
import logging
import os
import sys
import traceback
from argparse import SUPPRESS, Action, ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from pathlib import Path
from typing import Callable, Optional, Sequence, Union

from fashionai.errors import InputError
from fashionai.extras import missing_module
from fashionai.garments.table import GARMENTS, SUPPLIED, Garments
from fashionai.garments.table_files import read_garments
from fashionai.model_files.default_model import SUPPLIED_NETWORKS, supplied_graph, usual_graph
from fashionai.model_files.weight_formats import HALF, TOLERANCES

_CHECKOUT = Path(__file__).resolve().parents[3]
PROJECT_ROOT = _CHECKOUT if (_CHECKOUT / 'code' / 'fashionai').is_dir() else Path.cwd()
"""The checkout; the working directory if the package is installed."""

Main = Callable[..., int]


class HelpWithDefaults(ArgumentDefaultsHelpFormatter):
    """Adds the default to the help of each flag that has one, unless the help names it."""

    def _get_help_string(self, action: Action) -> Optional[str]:
        has_default = action.default is not None and action.default is not False and action.default not in ('', [])
        if not has_default or 'default: ' in (action.help or ''):
            return action.help
        return super()._get_help_string(action)


def guarded(main: Main) -> Main:
    """Decorate the `main` of an entry point.

    Bad input (InputError) and errors of the system (OSError, MemoryError) end with one line and exit code 1. Any other
    exception is a fault of the program: its traceback is printed, with a line that says so, and the exit code is 70.
    """
    @functools.wraps(main)
    def guarded_main(argv: Optional[Sequence[str]] = None) -> int:
        _log_to_stderr()
        try:
            status = main(argv)
            sys.stdout.flush()
            return status
        except BrokenPipeError:  # what reads the output, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # takes what Python still has to write
            return 1
        except (InputError, OSError) as error:
            print(f'error: {_reason(error)}', file=sys.stderr)
            return 1
        except MemoryError as error:
            print(f'error: out of memory: {error}', file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print('interrupted', file=sys.stderr)
            return 130
        except Exception as error:
            missing = missing_module(error) if isinstance(error, ModuleNotFoundError) else ''
            if missing:
                print(f'error: {missing}', file=sys.stderr)
                return 1
            traceback.print_exc()
            print('error: this is a fault of the program, not of your input. Please report it: send the command and '
                  'the lines above', file=sys.stderr)
            return 70
    return guarded_main


def _reason(error: Exception) -> str:
    """Returns the message. For an error of the system it is the file and the reason; of two files it is the new one."""
    if isinstance(error, OSError) and error.filename:
        return f'{error.filename2 or error.filename}: {error.strerror}'
    return str(error)


def resolve(path: Union[str, Path]) -> Path:
    """Returns the existing file or folder that a user means. It is searched from the working directory, then from the
    root of the project, then from code/, so the commands of the original's README work in all three.

    Raises InputError if it does not exist in any of them.
    """
    for candidate in (Path(path), PROJECT_ROOT / path, PROJECT_ROOT / 'code' / path):
        if candidate.exists():
            return candidate.resolve()
    places = () if Path(path).is_absolute() else dict.fromkeys((str(Path.cwd()), str(PROJECT_ROOT)))
    raise InputError(f'{path} does not exist' + (f' in {" or ".join(places)}' if places else ''))


def resolve_checkpoint(path: Union[str, Path]) -> Path:
    """Returns the checkpoint that a user means: a folder, a `.index` file, or its path without the ending. It is
    searched for as in `resolve`."""
    try:
        return resolve(path)
    except InputError:
        return resolve(f'{path}.index').with_suffix('')


def resolve_network(path: str) -> Path:
    """Returns the file of the network that a user means: a name of SUPPLIED_NETWORKS, or a path, searched for
    as in `resolve`."""
    return supplied_graph(path) if path in SUPPLIED_NETWORKS else resolve(path)


def chosen_graph(modelpath: Optional[str], tag: str, supplied: str = SUPPLIED) -> Path:
    """Returns the network of `--modelpath`, as `resolve_network` does; without one, the usual network for a tag (see
    `default_model.usual_graph`)."""
    return resolve_network(modelpath) if modelpath else usual_graph(tag, PROJECT_ROOT / 'models/trained', supplied)


def add_garments_option(parser: ArgumentParser) -> None:
    """Add `--garments`."""
    parser.add_argument('--garments', metavar='FILE', help='table of your own garment types and their keypoints, JSON '
                                                           'or YAML; see docs/own_keypoints.md')


def add_outside_option(parser: ArgumentParser) -> None:
    """Add `--allow-outside`."""
    parser.add_argument('--allow-outside', action='store_true', help='accept image ids that lead out of the folder of '
                                                                     'the images: absolute paths and ..')


def add_weight_format_option(parser: ArgumentParser, default: Optional[str], default_text: str) -> None:
    """Add `--weight-format`, and `--half`, its older form."""
    parser.add_argument('--weight-format', choices=tuple(TOLERANCES), default=default, help='how weights are stored: '
                        'half has half of the size of float32, int8 about a quarter; the network computes in single '
                        f'precision with each (default: {default_text})')
    parser.add_argument('--half', dest='weight_format', action='store_const', const=HALF, default=SUPPRESS,
                        help='the same as --weight-format half')


def chosen_garments(options: Namespace) -> Garments:
    """Returns the table of `--garments`, or the built-in one. Raises InputError if the file is not a table."""
    return read_garments(resolve(options.garments)) if options.garments else GARMENTS


def in_project(path: str) -> str:
    """Returns the default path of an output, under the root of the project. A typed path starts at the working
    directory."""
    return str(PROJECT_ROOT / path)


def prepare_output(path: Union[str, Path]) -> Path:
    """Returns the absolute path of an output, and makes its folder."""
    absolute = Path(path).resolve()
    absolute.parent.mkdir(parents=True, exist_ok=True)
    return absolute


def _log_to_stderr() -> None:
    """Log messages of the project as plain lines, and only errors of TensorFlow and tensorpack."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter('%(message)s'))
    for name in ('fashionai', '__main__'):
        logging.getLogger(name).handlers = [handler]
        logging.getLogger(name).setLevel(logging.INFO)
        logging.getLogger(name).propagate = False
    for name in ('tensorflow', 'tensorpack'):  # a filter, since both set their levels again when they are imported
        logging.getLogger(name).addFilter(lambda record: record.levelno >= logging.ERROR)
