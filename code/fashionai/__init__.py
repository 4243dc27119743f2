"""FashionAI clothes keypoints: find the keypoints of garments in photographs.

    import fashionai
    model = fashionai.load_model()
    garment = model.predict('photo.jpg')
    print(garment.type, garment.keypoints['armpit_left'].x)

The names below are the public interface; docs/library.md explains them. `import fashionai` is cheap: a name loads its
module at first use, and TensorFlow is loaded only by a model that needs it.
"""
from importlib import import_module
from typing import TYPE_CHECKING, Any, List

__version__ = '0.6.0'

if TYPE_CHECKING:
    from fashionai.annotations import read_annotations as read_annotations
    from fashionai.errors import InputError as InputError
    from fashionai.model import GarmentModel as GarmentModel
    from fashionai.model import Prediction as Prediction
    from fashionai.model import load_model as load_model
    from fashionai.model import score as score

_HOME = {'load_model': 'model', 'GarmentModel': 'model', 'Prediction': 'model', 'score': 'model',
         'read_annotations': 'annotations', 'InputError': 'errors'}
"""The module of each public name."""

__all__ = ['GarmentModel', 'InputError', 'Prediction', '__version__', 'load_model', 'read_annotations', 'score']


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_HOME[name]}'), name)


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})
