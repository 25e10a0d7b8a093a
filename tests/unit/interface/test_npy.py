import contextlib
import struct

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.interface.npy import NotNpy, read_npy, write_npy


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_an_array_is_written_row_by_row_whatever_its_order_in_memory(shape: tuple[int, ...]) -> None:
    array = numpy.arange(numpy.prod(shape, dtype=int), dtype="int32").reshape(shape, order="F")
    written = write_npy(array)
    assert b"'fortran_order': False" in written
    assert written.endswith(array.tobytes("C"))
    read = read_npy(written, array.dtype)
    assert (read.shape, read.tolist()) == (shape, array.tolist())


def claiming(descr: str, shape: tuple[int, ...]) -> bytes:
    """The header alone, as where an array has no elements."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize("shape", [(0, 10**25), (10**25, 0), (0, 2**62), (0, 2**32, 2**31)])
def test_an_empty_array_whose_other_sizes_no_array_can_have_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(NotNpy, match="beyond what an array can have"):
        read_npy(claiming("<f8", shape), numpy.dtype("float64"))


@given(st.lists(st.sampled_from([0, 1, 2**31, 2**32, 2**60, 2**62, 2**63 - 1, 2**63, 10**40]), max_size=5))
def test_any_shape_of_an_empty_array_is_read_or_refused(sizes: list[int]) -> None:
    shape = (*sizes, 0)
    with contextlib.suppress(NotNpy):
        assert read_npy(claiming("<f4", shape), numpy.dtype("float32")).shape == shape
