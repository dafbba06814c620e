"""A small PDF writer: text in Latin and Chinese, lines and boxes on pages measured in millimetres from the top left.

Latin text is set in Helvetica, one of the fourteen fonts every reader has; Chinese in STSong-Light with the encoding
UniGB-UCS2-H (PDF 1.7, ISO 32000-1, 9.7.5), which readers replace by a Chinese font of the machine. No font is
embedded, so a sheet of a thousand lines stays small. Characters outside the basic plane print as a question mark.
"""

from __future__ import annotations

import zlib
from itertools import groupby

from contracts.errors import EmptyInputError

POINTS_PER_MM = 72.0 / 25.4
_NARROW = set("fijltI.,:;'|!()[]/ ")
_WIDE = set("mwMWQ@%")


def text_mm(text: str, size: float) -> float:
    """Return about how wide a text is, in millimetres: exact for digits and Chinese, a close guess for letters.

    Examples
    --------
    >>> round(text_mm("12", 10.0), 2), round(text_mm("青菜", 10.0), 2)
    (3.92, 7.06)
    """
    ems = sum(_em(character) for character in text)
    return ems * size / POINTS_PER_MM


def _em(character: str) -> float:
    if ord(character) > 0xFF:
        return 1.0
    if character in _NARROW:
        return 0.278
    if character in _WIDE:
        return 0.9
    return 0.667 if character.isupper() else 0.556


def fitted(text: str, width_mm: float, size: float) -> str:
    """Return a text cut to a width, with an ellipsis where something was left out.

    Examples
    --------
    >>> fitted("Cabbage 500 g", 100.0, 9.0), fitted("Cabbage 500 g", 15.0, 9.0)
    ('Cabbage 500 g', 'Cabbag…')
    """
    if text_mm(text, size) <= width_mm:
        return text
    kept = text
    while kept and text_mm(kept + "…", size) > width_mm:
        kept = kept[:-1]
    return kept + "…"


class Pdf:
    """Pages of one size, written top-down in millimetres; `data()` gives the file."""

    def __init__(self, width_mm: float, height_mm: float, *, title: str) -> None:
        self.width_mm, self.height_mm, self.title = width_mm, height_mm, title
        self._pages: list[list[str]] = []

    @property
    def pages(self) -> int:
        """Number of pages so far."""
        return len(self._pages)

    def new_page(self) -> None:
        """Begin a page; what is written from now on goes there."""
        self._pages.append([])

    def write(self, x_mm: float, y_mm: float, text: str, *, size: float = 9.0, right: bool = False) -> None:
        """Write a text with its baseline at y, from x on, or up to x if `right`."""
        at = x_mm - (text_mm(text, size) if right else 0.0)
        for latin, run in groupby(text, key=lambda character: ord(character) < 0x80):
            piece = "".join(run)
            font = "F1" if latin else "F2"
            code = _latin(piece) if latin else f"<{_ucs2(piece)}>"
            x, y = at * POINTS_PER_MM, (self.height_mm - y_mm) * POINTS_PER_MM
            self._pages[-1].append(f"BT /{font} {size:g} Tf {x:.2f} {y:.2f} Td {code} Tj ET")
            at += text_mm(piece, size)

    def line(self, x1_mm: float, y1_mm: float, x2_mm: float, y2_mm: float, *, width: float = 0.4) -> None:
        """Draw a line, `width` in points."""
        points = [
            x1_mm * POINTS_PER_MM,
            (self.height_mm - y1_mm) * POINTS_PER_MM,
            x2_mm * POINTS_PER_MM,
            (self.height_mm - y2_mm) * POINTS_PER_MM,
        ]
        self._pages[-1].append("{} w {:.2f} {:.2f} m {:.2f} {:.2f} l S".format(f"{width:g}", *points))

    def box(self, x_mm: float, y_mm: float, width_mm: float, height_mm: float) -> None:
        """Draw the outline of a box whose top left corner is at x, y."""
        x, y = x_mm * POINTS_PER_MM, (self.height_mm - y_mm - height_mm) * POINTS_PER_MM
        self._pages[-1].append(
            f"0.4 w {x:.2f} {y:.2f} {width_mm * POINTS_PER_MM:.2f} {height_mm * POINTS_PER_MM:.2f} re S"
        )

    def data(self) -> bytes:
        """Return the file; the same pages give the same bytes, as no date is written.

        Raises
        ------
        EmptyInputError
            No page was begun: there is nothing to print.
        """
        if not self._pages:
            raise EmptyInputError(f"{self.title}: there is nothing to print.")
        size = f"0 0 {self.width_mm * POINTS_PER_MM:.2f} {self.height_mm * POINTS_PER_MM:.2f}"
        first = 7
        kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(self._pages)))
        objects: list[bytes] = [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {len(self._pages)} /MediaBox [{size}] "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode(),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
            b"/DescendantFonts [5 0 R] >>",
            b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /CIDSystemInfo "
            b"<< /Registry (Adobe) /Ordering (GB1) /Supplement 0 >> /FontDescriptor << /Type /FontDescriptor "
            b"/FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 752 "
            b"/Descent -271 /CapHeight 737 /StemV 58 >> >>",
            f"<< /Title <FEFF{_ucs2(self.title)}> /Producer (Tuancai) >>".encode(),
        ]
        for page in self._pages:
            stream = zlib.compress("\n".join(page).encode("ascii"))
            objects.append(f"<< /Type /Page /Parent 2 0 R /Contents {len(objects) + 2} 0 R >>".encode())
            objects.append(
                f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode() + stream + b"\nendstream"
            )
        return _assembled(objects)


def _assembled(objects: list[bytes]) -> bytes:
    parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    offsets, at = [], len(parts[0])
    for number, body in enumerate(objects, start=1):
        part = f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        offsets.append(at)
        at += len(part)
        parts.append(part)
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    parts.append(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    parts.append(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{at}\n%%EOF\n".encode())
    return b"".join(parts)


def _latin(text: str) -> str:
    plain = "".join(character if character >= " " else " " for character in text)
    return "(" + plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") + ")"


def _ucs2(text: str) -> str:
    return "".join(f"{ord(character) if ord(character) <= 0xFFFF else 0x003F:04X}" for character in text)
