"""The folder of a project: its labels, its table of garment types, and the network that was trained on it.

    PROJECT/labels.sqlite     the labels: see store.py
    PROJECT/garments.json     its table of types, if it is not the built-in one
    PROJECT/data/             what was exported, for training
    PROJECT/trained/          checkpoints, and the network that makes proposals: all/graph/frozen_graph.pb
"""
from pathlib import Path
from typing import Optional

from fashionai.errors import InputError
from fashionai.files import write_json
from fashionai.garments.table import GARMENTS, JOINT, Garments
from fashionai.garments.table_files import read_garments, stored_form
from fashionai.labelling.store import Store
from fashionai.model_files.default_model import installed_graph

DATA = 'data'
"""The folder of a project that exports go to."""

_GARMENTS, _TRAINED = 'garments.json', 'trained'


def project_garments(folder: Path, store: Store, given: Optional[Garments]) -> Garments:
    """Returns the table of a project.

    Args:
        folder: of the project.
        store: of the project.
        given: a table that the user names: it becomes the table of the project; None: the table that it has.

    Raises InputError if a label has a type or a keypoint that the named table lacks.
    """
    path = folder / _GARMENTS
    if given is None:
        return read_garments(path) if path.exists() else GARMENTS
    for item in store.items():
        label = item.label
        if label.type is not None and (label.type not in given or set(label.points) - set(given[label.type].keypoints)):
            raise InputError(f'{store.path}: {item.picture.name} is labelled as {label.type} with '
                             f'{", ".join(label.points) or "no points"}, which the named table of types lacks')
    content = stored_form(given)
    if content:
        write_json(path, content)
    elif path.exists():
        path.unlink()
    return given


def project_graph(folder: Path) -> Optional[Path]:
    """Returns the network that was trained on a project, or None."""
    graph = installed_graph(folder / _TRAINED, JOINT)
    return graph if graph.exists() else None
