"""Weight files that are pickles: their numbers are read, and no function that they name is called."""
import io
import pickle
from pathlib import Path
from typing import Any, Tuple

import numpy as np
import pytest

from fashionai.model_files.unpickling import read_npy
from fashionai.model_files.weight_files import READERS
from fashionai.model_files.weights import read_weights

WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4)


class Call:
    """An object that is pickled as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Tuple[Any, Any]:
        return self.call


def write_npy(path: Path, pickled: bytes) -> Path:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {'descr': '|O', 'fortran_order': False, 'shape': ()})
    path.write_bytes(head.getvalue() + pickled)
    return path


def dumped(content: Any, protocol: int) -> bytes:
    return pickle.dumps(np.array(content, dtype=object), protocol)


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4])
@pytest.mark.parametrize('array', [
    WEIGHTS, np.asfortranarray(WEIGHTS), WEIGHTS.astype('>f8'), WEIGHTS.astype(np.float16), WEIGHTS.astype(np.int64),
    np.array(3.5), WEIGHTS[::2]])
def test_numbers_are_what_numpy_reads(tmp_path: Path, array: np.ndarray, protocol: int) -> None:
    path = write_npy(tmp_path / 'weights.npy', dumped({'layer': [array, array]}, protocol))
    wanted = np.load(str(path), allow_pickle=True).item()['layer'][0]
    found = np.asarray(read_npy(path)['layer'][0])
    assert (found.dtype.kind, found.itemsize, found.shape) == (wanted.dtype.kind, wanted.itemsize, wanted.shape)
    np.testing.assert_array_equal(found, wanted)


def test_a_file_of_python_2_is_read(tmp_path: Path) -> None:
    """Written opcode by opcode: strings and the bytes of the array are both `str`."""
    numbers = np.array([1.5, -200.25], '<f4').tobytes()
    array = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n"
             b"(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nU" + bytes([len(numbers)]) + numbers + b'tb')
    outer = (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(tcnumpy\ndtype\n"
             b"(S'O8'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI63\ntbI00\n(lp0\n(dp1\nS'conv1_1'\n(lp2\n"
             + array + b'a' + array + b'asatb.')
    values = READERS['.npy'](write_npy(tmp_path / 'vgg19.npy', outer))
    assert set(values) == {'conv1_1/weights', 'conv1_1/biases'}
    np.testing.assert_array_equal(values['conv1_1/weights'], np.array([1.5, -200.25], np.float32))


@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_what_a_file_names_is_not_called(tmp_path: Path, protocol: int) -> None:
    reached = tmp_path / 'reached'
    for content in (Call(open, str(reached), 'w'), {'layer': [WEIGHTS, Call(open, str(reached), 'w')]},
                    {'layer': [Call(eval, f'open({str(reached)!r}, "w")')]}):
        pickled = pickle.dumps(content, protocol) if isinstance(content, Call) else dumped(content, protocol)
        path = write_npy(tmp_path / 'weights.npy', pickled)
        with pytest.raises(ValueError, match=r'weights\.npy.*(io|_io|builtins|__builtin__)\.(open|eval)'):
            read_weights(path)
        assert not reached.exists()


@pytest.mark.parametrize('name', ['numpy.load', 'numpy.fromfile', 'os.system', 'numpy.core.multiarray.fromfile',
                                  'collections.OrderedDict', 'numpy.lib.npyio.load'])
def test_other_names_of_numpy_are_refused(tmp_path: Path, name: str) -> None:
    module, function = name.rsplit('.', 1)
    path = write_npy(tmp_path / 'weights.npy', f"c{module}\n{function}\n(S'x'\ntR.".encode())
    with pytest.raises(ValueError, match=name):
        read_weights(path)


@pytest.mark.parametrize('content', [
    b'', b'\x93NUMPY', b'\x80\x02K\x01.', b'\x80\x02]q\x00h\x00a.',
    b"cnumpy\ndtype\n(S'V900000000'\ntR.", b'cnumpy.core.multiarray\n_reconstruct\n(tR.',
    b"cnumpy\nndarray\n(tR(I1\n(I9999999999\nI9999999999\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS''\ntb."])
def test_what_is_no_dict_of_layers_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    path = write_npy(tmp_path / 'weights.npy', content)
    with pytest.raises(ValueError, match=r'weights\.npy'):
        read_weights(path)
    np.save(str(path), WEIGHTS)
    with pytest.raises(ValueError, match=r'float32.*\(3, 4\)'):
        read_weights(path)
