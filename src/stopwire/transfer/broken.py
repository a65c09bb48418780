"""The one fault of a file: it cannot be read as what it says it is. Told in a sentence, to whoever sent it."""


class Broken(Exception):
    """The file cannot be read on; `line` counts from 1, where it is known."""

    def __init__(self, sentence: str, *, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line
