"""Letters: bytes are fetched unchanged and decoded here, strictly, so that none is dropped on the way.

The reader's own decoder leaves out what it cannot decode, and two ids that differ in one accented letter become
one. Read as ISO-8859-1 every byte becomes a character, which turns back into the byte.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable

BYTES_AS_LETTERS = "ISO-8859-1"

# Not the tabulator nor the two line ends, which notes hold.
_UNSEEN = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CODEPAGES = ("windows-", "ibm", "cp", "ms")


def codec_of(name: str) -> str | None:
    """Return the name of Python's codec for an encoding's name in a file, or None."""
    plain = name.strip().lower()
    candidates = [plain]
    for prefix in _CODEPAGES:
        if plain.startswith(prefix):
            number = plain.removeprefix(prefix).lstrip("-_ ")
            candidates += [f"cp{number}", f"windows-{number}"]
    candidates += {"macroman": ["mac-roman"], "us-ascii": ["ascii"], "x-mac-roman": ["mac-roman"]}.get(plain, [])
    for candidate in candidates:
        try:
            found = codecs.lookup(candidate)
        except (LookupError, ValueError):
            continue
        if getattr(found, "_is_text_encoding", True):
            return found.name
    return None


class Decoder:
    """Turns what was read as ISO-8859-1 into the text it is.

    Parameters
    ----------
    codec : str or None
        Python's codec of the bytes; None where the reader has decoded already.
    """

    def __init__(self, codec: str | None) -> None:
        self.codec = codec
        self.damaged_labels = 0
        self.other_letters = False

    def strict(self, letters: str) -> str | None:
        """Return the text, or None where the bytes are not in the encoding."""
        if self.codec is None or letters.isascii():
            return letters
        self.other_letters = True
        try:
            text = letters.encode("latin-1").decode(self.codec)
            text.encode("utf-8")
        except UnicodeError:
            return None
        return text

    def label(self, letters: str | None) -> str | None:
        """Return a label; what cannot be decoded is shown as a mark and counted: no number depends on it."""
        if letters is None:
            return None
        text = self.strict(letters)
        if text is None:
            self.damaged_labels += 1
            text = letters.encode("latin-1", "replace").decode(self.codec or "utf-8", "replace")
            text = text.encode("utf-8", "replace").decode("utf-8")
        return text

    def cells(self, column: Iterable[str | None]) -> tuple[list[str | None], int, int, int]:
        """Return the cells of a column as text.

        Parameters
        ----------
        column : iterable of str or None

        Returns
        -------
        texts : list of str or None
        bad : int
            Cells that could not be decoded, or only so that different cells would become one.
        cut : int
            Cells whose last letter is cut in the file; it is left out.
        unseen : int
            Cells with characters that nobody can see or type.
        """
        cells = list(column)
        table = {cell: self.strict(cell) for cell in set(cells) if isinstance(cell, str)}
        shortened = {cell: self._without_cut_letter(cell) for cell, text in table.items() if text is None}
        cut = {cell: text for cell, text in shortened.items() if text is not None}
        table |= cut
        taken = Counter(table.values())
        bad = {cell for cell, text in table.items() if text is None or (cell in cut and taken[text] > 1)}
        texts = [table[cell] if isinstance(cell, str) else None for cell in cells]
        unseen = {cell for cell in table if _UNSEEN.search(cell) is not None}
        counts = Counter(cells) if cut or bad or unseen else Counter()
        found = [sum(counts[cell] for cell in group) for group in (bad, cut, unseen)]
        return texts, found[0], found[1], found[2]

    def _without_cut_letter(self, cell: str) -> str | None:
        """Decode a text whose last letter was cut in two: the letters before it show that the encoding is right."""
        if self.codec is None:
            return None
        decoder = codecs.getincrementaldecoder(self.codec)()
        try:
            text = decoder.decode(cell.encode("latin-1"), final=False)
        except UnicodeError:
            return None
        return None if text.isascii() else text
