"""The packages that only some uses need: the modules that they bring, and how a user installs them."""
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Mapping, Tuple

from fashionai.errors import InputError


@dataclass(frozen=True)
class Extra:
    """An extra of pyproject.toml.

    Attributes:
        modules: the modules that its packages bring and that this package imports.
        source: its requirements file in a clone; or its package, if it has one alone.
        modern: whether its packages need Python 3.10 or newer.
    """

    modules: Tuple[str, ...]
    source: str
    modern: bool = False

    @property
    def has_file(self) -> bool:
        """Whether a clone has a requirements file for it."""
        return self.source.endswith('.txt')


EXTRAS: Mapping[str, Extra] = MappingProxyType({
    'tensorflow': Extra(('tensorflow', 'tensorpack', 'zmq', 'h5py'), 'requirements.txt'),
    'onnx': Extra(('onnxruntime',), 'onnxruntime'),
    'openvino': Extra(('openvino',), 'openvino', modern=True),
    'serve': Extra(('fastapi', 'uvicorn', 'prometheus_client', 'python_multipart'), 'requirements-serve.txt',
                   modern=True),
    'cluster': Extra(('ray', 'pyarrow'), 'requirements-cluster.txt', modern=True),
    'export': Extra(('tf2onnx', 'onnx'), 'requirements-export.txt', modern=True),
    'heic': Extra(('pillow_heif',), 'pillow-heif'),
    'report': Extra(('matplotlib',), 'matplotlib'),
    'yaml': Extra(('yaml',), 'PyYAML')})
"""The extras by their names in pyproject.toml."""

_EXTRA_OF: Mapping[str, str] = MappingProxyType({
    module: name for name, extra in EXTRAS.items() for module in extra.modules})


def install_command(module: str) -> str:
    """Returns the command that installs what brings a module of EXTRAS; a submodule counts as its module."""
    name = _EXTRA_OF[_top(module)]
    extra = EXTRAS[name]
    command = (f'python -m pip install "fashionai-keypoints[{name}]"; in a clone: python -m pip install -r '
               f'{extra.source}' if extra.has_file else f'python -m pip install {extra.source}')
    return f'with Python 3.10 or newer, {command}' if extra.modern else command


def missing_package(*modules: str) -> str:
    """Returns a line that says that modules of one extra are not installed, and the command that installs them."""
    extra = EXTRAS[_EXTRA_OF[_top(modules[0])]]
    names = ', '.join(modules) if extra.has_file else extra.source
    return f'this needs {names}, which cannot be found. To install what is missing: {install_command(modules[0])}'


def missing_module(error: ImportError) -> str:
    """Returns the line of `missing_package` for what could not be imported; '' if no extra brings it."""
    module = _top(error.name or '')
    return missing_package(module) if module in _EXTRA_OF else ''


def needed(module: str) -> Any:
    """Returns a module of EXTRAS. Raises InputError, with the command that installs it, if it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(f'this needs {module}, which cannot be imported ({error}). To install it: '
                         f'{install_command(module)}') from None


def _top(module: str) -> str:
    return module.partition('.')[0]
