"""Tables as data: what a table says, independent of how a writer draws it."""

from ipt_outcomes.tables.spec import (
    Column,
    Content,
    Inline,
    Link,
    Strong,
    TableRow,
    TableSpec,
    Value,
    interval,
)

__all__ = ["Column", "Content", "Inline", "Link", "Strong", "TableRow", "TableSpec", "Value", "interval"]
