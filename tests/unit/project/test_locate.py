import tomllib
from typing import Any

import pytest

from preheat.project.locate import locate
from preheat.project.mistake import KeyPath

DOCUMENT = '''\
# name = "not this one"
name = "demo" # [not.a.table]
"quoted key" = 1
'literal.key' = 2
a.b . "c.d" = 3
list = [
  "one",   # ] no end
  """two
  ] still two
  \\""" quoted""",
  [3, 4],

  { five = 5, six.seven = [
    8 ] },
]
[table] # comment
key = \'\'\'
[not.a.table]
\'\'\'
ends = """with two quotes"""""
[table."sub table".x]
y = { z = "}", "w" = \'}\' }
[[many]]
n = 1
[[many]]
n = 2
[many.inner]
deep = true
[[many.inner.more]]
date = 2024-01-01T00:00:00Z
[ spaced . out ]
last = 1'''

EXPECTED: dict[KeyPath, int] = {
    ("name",): 2,
    ("quoted key",): 3,
    ("literal.key",): 4,
    ("a",): 5,
    ("a", "b"): 5,
    ("a", "b", "c.d"): 5,
    ("list",): 6,
    ("list", 0): 7,
    ("list", 1): 8,
    ("list", 2): 11,
    ("list", 2, 1): 11,
    ("list", 3, "five"): 13,
    ("list", 3, "six", "seven", 0): 14,
    ("table",): 16,
    ("table", "key"): 17,
    ("table", "ends"): 20,
    ("table", "sub table", "x", "y", "w"): 22,
    ("many", 0, "n"): 24,
    ("many", 1): 25,
    ("many", 1, "n"): 26,
    ("many", 1, "inner", "deep"): 28,
    ("many", 1, "inner", "more", 0, "date"): 30,
    ("spaced", "out"): 31,
    ("spaced", "out", "last"): 32,
}


@pytest.mark.parametrize(("path", "line"), EXPECTED.items())
def test_each_key_has_the_line_that_sets_it(path: KeyPath, line: int) -> None:
    assert locate(DOCUMENT)[path] == line


def paths_in(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    if isinstance(value, dict):
        return {path}.union(*(paths_in(item, (*path, key)) for key, item in value.items()))
    if isinstance(value, list):
        return {path}.union(*(paths_in(item, (*path, index)) for index, item in enumerate(value)))
    return {path}


def test_it_finds_exactly_the_keys_that_tomllib_finds() -> None:
    assert set(locate(DOCUMENT)) == paths_in(tomllib.loads(DOCUMENT)) - {()}


def test_an_empty_file_has_no_lines() -> None:
    assert locate("") == {}


def test_escapes_in_quoted_keys_are_read() -> None:
    assert locate('"a\\"b" = 1\n"\\u00e9" = 2') == {('a"b',): 1, ("é",): 2}
