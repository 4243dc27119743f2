"""What all opened networks have in common, with any engine: checks, and the methods that predictors call."""
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Type, Union

import numpy as np

from fashionai.errors import InputError
from fashionai.garments.table import Garment, Garments
from fashionai.model_files.contract import Contract
from fashionai.model_files.model_file import USUAL_STRIDE, ModelFile
from fashionai.networks.tensor_names import INPUT_NAME, MEAN_OUTPUT_NAME, OUTPUTS, TYPES_NAME, VISIBILITY_NAME


@dataclass(frozen=True)
class Description:
    """What a network says of whole pictures; None for what it does not say.

    Attributes:
        types: (N, T), the probabilities of `Network.types`.
        visibility: (N, K, 3), the probabilities of tensor_names.VISIBILITY for each keypoint of `Network.garment`.
    """

    types: Optional[np.ndarray]
    visibility: Optional[np.ndarray]


class Network:
    """An opened network. Its `with` block closes it. Each engine has a class that is derived from this one.

    Args:
        model: its file.
        wanted: the garment type that it is to serve, of the table `garments`.
        garments: the table of garments.
        maps: the output to take, a name of OUTPUTS.

    Attributes:
        garment: the garment whose channels the network gives: the type wanted, or all types jointly.
        stride: input pixels for each cell of the maps.
        trained_hw: the size (height, width) in pixels that it was trained at; None if no contract says it.
        types: the garment types whose probabilities `predict_with_types` gives, in order; () if it gives none.
        tells_visibility: whether `describe` gives the visibility of keypoints.

    Raises InputError if the contract is for other types or has other keypoints.
    """

    def __init__(self, model: ModelFile, wanted: Garment, garments: Garments, maps: str) -> None:
        contract = model.contract
        self.garment = _contract_garment(contract, wanted, garments.joint, model.path) if contract else wanted
        self.stride = contract.stride if contract else USUAL_STRIDE
        self.types: Tuple[str, ...] = contract.types if contract else ()
        self.tells_visibility = bool(contract and contract.visibility)
        self.trained_hw: Optional[Tuple[int, int]] = contract.input_hw if contract else None
        self._path, self._wanted, self._joint, self._contract = model.path, wanted, garments.joint, contract
        self._input, self._maps = INPUT_NAME, OUTPUTS[maps]
        if contract and maps == 'last':
            self._input, self._maps = contract.input_name, contract.output_name

    def forward(self, images: np.ndarray) -> np.ndarray:
        """Returns maps (N, h / stride, w / stride, C) of images (N, h, w, 3), float32 BGR 0..255."""
        return self._run([self._maps], images)[0]

    def predict_with_types(self, images: np.ndarray) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        """Returns the maps of `forward` and, from the same pass, the probabilities (N, T) of `types`, or None.

        Raises InputError if the number of probabilities differs from the contract.
        """
        if not self.types:
            return self.forward(images), None
        maps, types = self._run([self._maps, TYPES_NAME], images)
        self._check_types(types, len(images))
        return maps, types

    def describe(self, images: np.ndarray, visibility: bool = True) -> Description:
        """Returns what the network says of the whole of images (N, h, w, 3), float32 BGR 0..255; without `visibility`,
        only their types.

        Raises InputError if the number of probabilities differs from the contract.
        """
        seen = visibility and self.tells_visibility
        wanted = ([TYPES_NAME] if self.types else []) + ([VISIBILITY_NAME] if seen else [])
        found = dict(zip(wanted, self._run(wanted, images))) if wanted else {}
        types, states = found.get(TYPES_NAME), found.get(VISIBILITY_NAME)
        if types is not None:
            self._check_types(types, len(images))
        if states is not None and states.shape != (len(images), len(self.garment.keypoints), 3):
            raise InputError(f'{self._path} gives the visibility of keypoints in the shape {states.shape} for '
                             f'{len(images)} images: wanted three numbers for each of {len(self.garment.keypoints)}')
        return Description(types, states)

    def _check_types(self, types: np.ndarray, images: int) -> None:
        if types.shape != (images, len(self.types)):
            raise InputError(f'{self._path} gives probabilities of shape {types.shape} for {images} images: '
                             f'wanted {len(self.types)} types, {", ".join(self.types)}, as its contract says')

    def _run(self, outputs: Sequence[str], images: np.ndarray) -> List[np.ndarray]:
        """Returns the outputs of those names. Raises InputError for images that do not suit the network."""
        raise NotImplementedError

    def _close(self) -> None:
        """Free what the engine holds."""

    def _check_output(self, channels: Optional[int]) -> None:
        """Raises InputError for a wrong number of channels. Without a contract it may be that of the joint garment."""
        if self._contract is None and channels == _channels(self._joint):
            self.garment = self._joint
        if channels != _channels(self.garment):
            raise InputError(f'{self._path} does not fit {self._wanted.name}: it gives {channels} channels, '
                             f'{self._wanted.name} has {_channels(self._wanted)} and the joint network '
                             f'{_channels(self._joint)}')

    def _unsuited(self, images: np.ndarray, reason: str) -> InputError:
        """Returns the error to raise if the engine fails on images."""
        return InputError(f'{self._path} fails on {len(images)} windows of {images.shape[2]}x{images.shape[1]} '
                          f'pixels: {reason}')

    def __enter__(self) -> 'Network':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._close()


def check_names(path: Union[str, Path], wanted: Sequence[str], found: Mapping[str, Any]) -> None:
    """Raises InputError if the file lacks a wanted input or output."""
    missing = [name for name in wanted if name not in found]
    if missing == [MEAN_OUTPUT_NAME]:
        raise InputError(f'{path} has no mean of the last two stages: wanted a graph of two stages or more without '
                         '--refine, frozen by this version; or --maps last')
    if missing:
        raise InputError(f'{path} is not a graph of this project: it has no {" and no ".join(missing)} '
                         f'among its {len(found)} operations')


def _contract_garment(contract: Contract, wanted: Garment, joint: Garment, path: Path) -> Garment:
    """Returns the garment of a contract. Raises InputError unless it is the wanted or the joint one, with the same
    keypoints and limbs."""
    if contract.tag not in (wanted.name, joint.name):
        raise InputError(f'{path} is for {contract.tag}, as its contract says: wanted one for {wanted.name} or '
                         f'{joint.name}')
    garment = joint if contract.tag == joint.name else wanted
    difference = contract.garments.of(contract.tag).difference(garment)
    if difference:
        raise InputError(f'{path} has other {difference} for {contract.tag}, as its contract says, than the table of '
                         'garments: wanted the table it was trained with')
    return garment


def _channels(garment: Garment) -> int:
    return garment.num_heatmaps + garment.num_fields
