import numpy
import pytest

from preheat.interface.npy import read_npy, write_npy


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_an_array_is_written_row_by_row_whatever_its_order_in_memory(shape: tuple[int, ...]) -> None:
    array = numpy.arange(numpy.prod(shape, dtype=int), dtype="int32").reshape(shape, order="F")
    written = write_npy(array)
    assert b"'fortran_order': False" in written
    assert written.endswith(array.tobytes("C"))
    read = read_npy(written, array.dtype)
    assert (read.shape, read.tolist()) == (shape, array.tolist())
