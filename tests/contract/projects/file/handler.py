import preheat


class Model(preheat.Handler):
    """Turns a file round."""

    def predict(self, file: preheat.File) -> preheat.File:
        return preheat.File(file.data[::-1], file.media_type)

    def examples(self) -> list[preheat.File]:
        return [preheat.File(b"ab", "text/plain")]
