"""Which line of a TOML file defines which key. In: text that tomllib accepts. Touches nothing.

tomllib keeps no positions. This scanner reads only as much of TOML as it takes to know where
each key stands; it relies on tomllib having refused everything that is not TOML.
"""

import tomllib
from collections.abc import Mapping

from preheat.project.mistake import KeyPath


def locate(text: str) -> Mapping[KeyPath, int]:
    """Return the line, counted from 1, of every table, key and list item in `text`."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[KeyPath, int] = {}
        self._tables_in: dict[KeyPath, int] = {}
        self._counted_to = 0
        self._line = 1

    def scan(self) -> Mapping[KeyPath, int]:
        table: KeyPath = ()
        while self._skip_blank():
            if self._text.startswith("[[", self._at):
                table = self._array_table()
            elif self._text[self._at] == "[":
                self._at += 1
                table = self._note((), self._key())
                self._at += 1
            else:
                self._pair(table)
        return self._lines

    def _skip_blank(self) -> bool:
        """Move to the next character that means something; return whether there is one."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = end if end >= 0 else len(self._text)
            elif self._text[self._at].isspace():
                self._at += 1
            else:
                return True
        return False

    def _array_table(self) -> KeyPath:
        self._at += 2
        line = self._current_line()
        keys = self._key()
        self._at += 2
        array = self._note((), keys)
        index = self._tables_in.get(array, -1) + 1
        self._tables_in[array] = index
        self._lines[(*array, index)] = line
        return (*array, index)

    def _pair(self, table: KeyPath) -> None:
        path = self._note(table, self._key())
        self._at += 1  # the equals sign
        self._value(path)

    def _note(self, table: KeyPath, keys: list[str]) -> KeyPath:
        """Record where `keys` under `table` stand; in an array of tables they belong to its newest one."""
        line = self._current_line()
        path = table
        for key in keys:
            if path in self._tables_in:
                path = (*path, self._tables_in[path])
            path = (*path, key)
            self._lines.setdefault(path, line)
        return path

    def _current_line(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line

    def _key(self) -> list[str]:
        """Read a dotted key and the blanks after it."""
        keys = []
        while True:
            self._skip_blank()
            start = self._at
            if self._text[self._at] in "\"'":
                self._string()
                keys.append(tomllib.loads("key = " + self._text[start : self._at])["key"])
            else:
                while self._text[self._at] not in ".=] \t":
                    self._at += 1
                keys.append(self._text[start : self._at])
            self._skip_blank()
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip_blank()
        match self._text[self._at]:
            case '"' | "'":
                self._string()
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                    self._at += 1

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._skip_blank() and self._text[self._at] != "]":
            self._lines[(*path, index)] = self._current_line()
            self._value((*path, index))
            index += 1
            self._skip_comma()
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip_blank() and self._text[self._at] != "}":
            self._pair(path)
            self._skip_comma()
        self._at += 1

    def _skip_comma(self) -> None:
        self._skip_blank()
        if self._text[self._at] == ",":
            self._at += 1

    def _string(self) -> None:
        """Move behind the string that starts here, of any of the four kinds."""
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            quote *= 3
        self._at += len(quote)
        while not self._text.startswith(quote, self._at):
            escaped = quote[0] == '"' and self._text[self._at] == "\\"
            self._at += 2 if escaped else 1
        self._at += len(quote)
        if len(quote) == 3:  # a multi-line string may end in up to two quotes of its own
            while self._text.startswith(quote[0], self._at):
                self._at += 1
