"""What can go wrong with a person's input, said in their words."""

from __future__ import annotations

from pathlib import Path


class ReconError(Exception):
    """A failure that the person can do something about.

    sentence: what happened, in the user's words. advice: what to do next. details: for Copy details.
    """

    def __init__(self, sentence: str, advice: str, details: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice
        self.details = details

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}"

    def __reduce__(self) -> tuple[type[ReconError], tuple[str, ...]]:
        return type(self), (self.sentence, self.advice, self.details)


class FormatError(ReconError):
    """A file that cannot be read: names the file and, where it is text, the line."""

    def __init__(
        self, path: Path, sentence: str, advice: str, line: int | None = None, details: str = ""
    ) -> None:
        where = f"{path.name}, line {line}" if line else path.name
        super().__init__(f"{where}: {sentence}", advice, details)
        self.path = path
        self.line = line
        self._arguments = (path, sentence, advice, line, details)

    def __reduce__(self) -> tuple[type[ReconError], tuple[object, ...]]:  # type: ignore[override]
        return type(self), self._arguments


class InputError(ReconError):
    """Data that a method cannot work with."""


class SettingsError(ReconError):
    """A setting out of its range, or settings that contradict each other."""


class MissingModel(ReconError):
    """Weights of a network that are not on this machine."""


class OutOfMemory(ReconError):
    """Neither the machine nor the GPU has room for this run."""


class NoSurface(ReconError):
    """The field has no surface to extract."""
