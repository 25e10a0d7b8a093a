import math

import pytest

from preheat.cli.extras import require
from preheat.errors import MissingExtra


def test_a_module_that_is_there_is_returned() -> None:
    assert require("math") is math


def test_one_that_is_not_names_the_line_that_installs_it() -> None:
    with pytest.raises(MissingExtra, match="no_such_module") as missing:
        require("no_such_module")
    assert missing.value.hint == "pip install 'preheat[measure]'"
