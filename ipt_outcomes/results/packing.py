"""Zip containers (DOCX, XLSX) whose bytes depend only on what they hold."""

from __future__ import annotations

import io
import re
import zipfile

# The earliest date a zip can hold; it says nothing, which is the point.
_DATE = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")


def repack(data: bytes) -> bytes:
    """Write a zip container again with fixed dates, so that equal contents give equal bytes.

    Parameters
    ----------
    data : bytes
        An Office Open XML file.

    Returns
    -------
    bytes
        The same members in the same order; the dates in its core properties are fixed too.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as packed:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z\g<2>", content)
            member = zipfile.ZipInfo(name, date_time=_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o644 << 16
            packed.writestr(member, content, compresslevel=6)
    return target.getvalue()
