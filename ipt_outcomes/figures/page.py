"""Draw a page of rows: title, header, rows with their marks, the axis and the words below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.transforms import Transform, blended_transform_factory

from ipt_outcomes.figures.canvas import MARGIN, Slot
from ipt_outcomes.figures.marks import Reference, draw_marks, draw_references
from ipt_outcomes.figures.rows import Columns, Placed, Row, lay_columns, lay_rows
from ipt_outcomes.figures.scale import Scale
from ipt_outcomes.figures.style import INK, MUTED, TITLE
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, literal, text_width, write

TITLE_LINE = 0.19
HEADER = 0.23
TICKS = 0.27
TOP = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything a forest-like figure says.

    Parameters
    ----------
    rows : sequence of Row
    label_header : str
        Heading of the label column.
    headers : tuple of str
        Headings of the right-hand columns.
    scale : Scale
    axis : str
        Words under the axis.
    sides : tuple of str or None
        Words left and right of no effect.
    title : str or None
    references : tuple of Reference
        Values marked through all rows.
    notes : tuple of str
        Lines at the foot.
    """

    rows: Sequence[Row]
    label_header: str
    headers: tuple[str, ...]
    scale: Scale
    axis: str
    sides: tuple[str, str] | None = None
    title: str | None = None
    references: tuple[Reference, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text outside the rows: inches from the slot's left edge and from the zone's top."""

    x: float
    y: float
    text: str
    align: str = "left"
    size: float = field(default=8.5)
    bold: bool = False
    colour: str = INK


def draw_page(slot: Slot, page: Page) -> Axes:
    """Draw the page and return its Axes."""
    columns = lay_columns(page.rows, page.headers, page.label_header, slot.width)
    placed = lay_rows(page.rows, columns)
    head, head_height = _head(page, columns)
    foot, foot_height = _foot(page, columns)
    body = max(placed[-1].bottom if placed else 0.0, 0.2) + 0.06
    ax, slot = slot.axes(head_height + body + foot_height)
    assert slot.height is not None  # noqa: S101  `axes` has set it
    # A given Axes may be lower than the rows need: the rows then stand closer, the words keep their size.
    shown = max(slot.height - head_height - foot_height, 0.2)
    slot.place(columns.plot_left, head_height, columns.plot_width, shown)
    _frame(ax, body)
    page.scale.apply(ax, columns.plot_width)
    inches = ax.figure.dpi_scale_trans
    beside = blended_transform_factory(inches, ax.transData)
    draw_references(ax, page.references, placed, page.scale, narrow=columns.narrow, body=body)
    draw_marks(ax, placed, page.scale)
    for item in placed:
        _words(ax, item, columns, slot.left, beside)
    top = slot.bottom + slot.height
    _lines(ax, head, slot.left, top, inches)
    _lines(ax, foot, slot.left, top - head_height - shown, inches)
    rule_y = top - head_height + 0.02
    ax.plot(
        [slot.left + MARGIN, slot.left + columns.width - MARGIN],
        [rule_y, rule_y],
        transform=inches,
        color=INK,
        linewidth=0.8,
        clip_on=False,
        scalex=False,
        scaley=False,
    )
    return ax


def _frame(ax: Axes, body: float) -> None:
    """Give the Axes one unit per inch downwards and only its lower spine."""
    ax.set_ylim(body, 0.0)
    ax.yaxis.set_visible(False)
    ax.patch.set_visible(False)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
    ax.tick_params(axis="x", length=3, pad=2.5, colors=INK)


def _words(ax: Axes, item: Placed, columns: Columns, left: float, beside: Transform) -> None:
    row = item.row
    colour = MUTED if row.muted else INK
    x = left + columns.left + (0.1 if row.indent else 0.0)
    whole = "".join(item.lines).replace(" ", "") == row.label.replace(" ", "")
    for y, line in zip(item.text_y, item.lines, strict=True):
        text = write(ax, x, y, line, beside, bold=row.bold, colour=colour)
        if not whole:
            tag(text, row.name or row.label)
    cells, rights = row.cells, columns.cell_rights
    for cell, right in zip(cells, rights, strict=False):
        if cell:
            write(ax, left + right, item.cell_y, cell, beside, align="right", bold=row.bold, colour=colour)


def _lines(ax: Axes, lines: Sequence[Line], left: float, top: float, inches: Transform) -> None:
    for line in lines:
        write(
            ax,
            left + line.x,
            top - line.y,
            line.text,
            inches,
            align=line.align,
            size=line.size,
            bold=line.bold,
            colour=line.colour,
        )


def _head(page: Page, columns: Columns) -> tuple[list[Line], float]:
    lines: list[Line] = []
    y = TOP
    if page.title:
        for text in fit(literal(page.title), columns.width - 2 * MARGIN, size=TITLE, bold=True, lines=3):
            lines.append(Line(MARGIN, y + TITLE_LINE / 2, text, size=TITLE, bold=True))
            y += TITLE_LINE
        y += 0.06
    for text, right in zip(page.headers, columns.cell_rights, strict=True):
        lines.append(Line(right, y + HEADER / 2 - 0.03, text, align="right", bold=True))
    first = min(
        (r - text_width(t, bold=True) for t, r in zip(page.headers, columns.cell_rights, strict=True)),
        default=columns.width,
    )
    room = (first - 0.1 if columns.narrow else columns.label_width + MARGIN) - MARGIN
    label = fit(page.label_header, room, lines=1, bold=True)[0]
    lines.append(Line(MARGIN, y + HEADER / 2 - 0.03, label, bold=True))
    return lines, y + HEADER + 0.03


def _foot(page: Page, columns: Columns) -> tuple[list[Line], float]:
    lines: list[Line] = []
    y = TICKS
    left, right = columns.plot_left, columns.plot_left + columns.plot_width
    if columns.narrow:
        left, right = MARGIN, columns.width - MARGIN
    if page.sides:
        room = (right - left) / 2 - 0.06
        texts = [fit(f"← {page.sides[0]}", room, lines=3), fit(f"{page.sides[1]} →", room, lines=3)]
        for side, (x, align) in zip(texts, ((left, "left"), (right, "right")), strict=True):
            lines += [Line(x, y + (i + 0.5) * LINE, text, align=align) for i, text in enumerate(side)]
        y += max(len(side) for side in texts) * LINE + 0.05
    middle = (left + right) / 2
    # The name of the axis may be wider than the plot, but stays centred on it and on the page.
    room = 2 * (min(middle, columns.width - middle) - MARGIN)
    for text in fit(literal(page.axis), room, lines=3):
        lines.append(Line(middle, y + LINE / 2, text, align="center"))
        y += LINE
    for note in page.notes:
        y += 0.04
        for text in fit(note, columns.width - 2 * MARGIN, lines=4):
            lines.append(Line(MARGIN, y + LINE / 2, text, colour=MUTED))
            y += LINE
    return lines, y + MARGIN
