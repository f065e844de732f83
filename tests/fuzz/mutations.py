"""Files made on the spot in every format, and ways to damage them: by bytes, by cuts, by grammar."""

import copy
import io
import json
import random
import re
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat

from ipt_outcomes import simulate

ROWS = 30
EDGES = [
    struct.pack(code, value)
    for code in ("<i", ">i")
    for value in (0, 1, -1, 2**31 - 1, -(2**31), 255, 65_535, 999, 1_000_000)
]
EDGES += [struct.pack("<q", value) for value in (-1, 2**63 - 1, -(2**63), 2**32)]
EDGES += [struct.pack("<d", float("inf"))]


def frame():
    """A small table of made-up people."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "who": [f"P{i:03d} secret" for i in range(ROWS)],
            "arm": rng.integers(1, 3, ROWS).astype(float),
            "score": np.where(rng.random(ROWS) < 0.2, np.nan, rng.integers(0, 28, ROWS).astype(float)),
            "x": rng.normal(size=ROWS).round(3),
        }
    )


def samples(folder):
    """Write one file of each format that can be written here; return their paths by name.

    Of a folder the path is the file that is damaged; the others stay as they are.
    """
    table, labels = frame(), {"arm": {1.0: "ipt", 2.0: "usual care"}}
    ranges = {"score": [{"lo": 26, "hi": 27}]}
    suffixes = ["sav", "zsav", "por", "dta", "xlsx", "parquet", "csv"]
    paths = {name: folder / f"sample.{name}" for name in suffixes}
    paths |= {f"xpt, version {version}": folder / f"sample{version}.xpt" for version in (5, 8)}
    pyreadstat.write_sav(
        table, str(paths["sav"]), variable_value_labels=labels, missing_ranges=ranges, row_compress=True
    )
    pyreadstat.write_sav(table, str(paths["zsav"]), variable_value_labels=labels, missing_ranges=ranges, compress=True)
    pyreadstat.write_por(table, str(paths["por"]))
    pyreadstat.write_dta(table, str(paths["dta"]), variable_value_labels=labels)
    for version in (5, 8):
        path = str(paths[f"xpt, version {version}"])
        pyreadstat.write_xport(table, path, file_format_version=version)
    _workbook(table, paths["xlsx"])
    table.to_parquet(paths["parquet"], write_page_checksum=True)
    table.to_csv(paths["csv"], index=False)
    paths["folder"] = _package(table, folder / "package")
    saved = simulate.trial(40).save(folder / "saved")
    paths["saved, its record"] = saved / "datapackage.json"
    shutil.copytree(saved, folder / "saved_table")
    paths["saved, a table"] = folder / "saved_table" / "assessments.parquet"
    return paths


def _package(table, package):
    package.mkdir()
    table.to_csv(package / "people.csv", index=False)
    fields = [{"name": name, "type": "any"} for name in table.columns]
    resource = {
        "name": "people",
        "path": "people.csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ","},
        "schema": {"fields": fields, "missingValues": ["", "-9"]},
        "bytes": (package / "people.csv").stat().st_size,
    }
    path = package / "datapackage.json"
    path.write_text(json.dumps({"resources": [resource]}), encoding="utf-8")
    return path


def _workbook(table, path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([*table.columns, "day"])
    for place, row in enumerate(table.itertuples(index=False)):
        sheet.append(
            [None if cell != cell else cell for cell in row] + [pd.Timestamp("2020-02-01") + pd.Timedelta(days=place)]
        )
    book.save(path)


def by_bytes(content: bytes, dice: random.Random) -> bytes:
    """Flip bits, write bytes, edge integers or texts, cut, repeat, swap or go on."""
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        if not damaged:
            break
        place = dice.randrange(min(len(damaged), dice.choice((200, 1000, len(damaged)))) or 1)
        deed = dice.randrange(8)
        if deed <= 1:
            damaged[place] ^= 1 << dice.randrange(8)
        elif deed == 2:
            damaged[place] = dice.choice((0, 255, 127, 128, dice.randrange(256)))
        elif deed == 3:
            edge = dice.choice(EDGES)
            damaged[place : place + len(edge)] = edge
        elif deed == 4 and dice.random() < 0.3:
            del damaged[place:]
        elif deed == 5:
            size = dice.randrange(1, 64)
            damaged[place:place] = damaged[place : place + size]
        elif deed == 6:
            del damaged[place : place + dice.randrange(1, 32)]
        else:
            damaged += bytes(dice.randrange(256) for _ in range(dice.choice((1, 8, 80))))
    return bytes(damaged)


TEXT_PARTS = (
    '"',
    '""',
    "\n",
    "\r",
    "\r\n",
    ",",
    ";",
    "\t",
    "|",
    "\ufeff",
    "\0",
    "'",
    "=1+1",
    "1,234",
    "1.234,5",
    "NA",
    "1e999",
    "nan",
    "\x85",
    "\u2028",
    "é",
    "\ud800",
    "sep=;\n",
    "𝟙",
    " ",
    "-",
    "<?xml",
    "#" * 500,
    "0x10",
    "1_000",
)


def by_text(content: bytes, dice: random.Random) -> bytes:
    """Put pieces of the grammar of delimited text where they do not belong; double and drop lines and cells."""
    text = content.decode("utf-8", "replace")
    for _ in range(dice.choice((1, 2, 5))):
        lines = text.split("\n")
        deed, place = dice.randrange(6), dice.randrange(len(text) + 1)
        if deed <= 1:
            text = text[:place] + dice.choice(TEXT_PARTS) + text[place:]
        elif deed == 2:
            lines.insert(dice.randrange(len(lines) + 1), dice.choice(lines))
            text = "\n".join(lines)
        elif deed == 3:
            line = dice.randrange(len(lines))
            cells = lines[line].split(",")
            cells.insert(dice.randrange(len(cells) + 1), dice.choice((*TEXT_PARTS, *cells)))
            lines[line] = ",".join(cells)
            text = "\n".join(lines)
        elif deed == 4:
            text = text.replace(",", dice.choice(";|\t,"), dice.choice((1, -1)))
        else:
            text = text[:place] + text[place + dice.randrange(1, 9) :]
    coding = dice.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "windows-1252"))
    return text.encode(coding, "replace")


JSON_VALUES = (
    None,
    True,
    0,
    -1,
    1e300,
    "",
    "x",
    "../x",
    "/etc/hostname",
    "a\0b",
    "é" * 300,
    [],
    {},
    [[]],
    ["people.csv", "people.csv"],
    {"name": 1},
    "people.csv",
    ";",
    "utf-16",
    "sha256:00",
    "md5:" + "0" * 32,
    ["-9", 5, None, {"value": "1"}],
)


def by_json(content: bytes, dice: random.Random) -> bytes:
    """Replace, drop, add and nest values of a descriptor."""
    tree = json.loads(content)
    for _ in range(dice.choice((1, 1, 2, 4))):
        places = _places(tree)
        if not places:
            break
        # Copies: a value that is put in twice, and changed, would hold itself and change later runs.
        holder, key = dice.choice(places)
        deed = dice.randrange(4)
        if deed == 0:
            del holder[key]
        elif deed == 1 and isinstance(holder, dict):
            holder[dice.choice(("path", "hash", "schema", "dialect", "encoding", "data", "name", "bytes"))] = (
                copy.deepcopy(dice.choice(JSON_VALUES))
            )
        elif deed == 2:
            holder[key] = [holder[key], holder[key]]
        else:
            holder[key] = copy.deepcopy(dice.choice(JSON_VALUES))
    return json.dumps(tree, ensure_ascii=dice.random() < 0.5).encode("utf-8", "replace")


def _places(tree):
    if isinstance(tree, dict):
        return [(tree, key) for key in tree] + [place for part in tree.values() for place in _places(part)]
    if isinstance(tree, list):
        return [(tree, key) for key in range(len(tree))] + [place for part in tree for place in _places(part)]
    return []


XML_PARTS = (
    "<row>",
    "</row>",
    '<c r="XFD1048576"><v>1</v></c>',
    '<c t="s"><v>99999</v></c>',
    '<c t="e"><v>#N/A</v></c>',
    "<f>1</f>",
    '<c t="inlineStr"><is><t>a</t></is></c>',
    "<v>1e400</v>",
    "<!DOCTYPE a>",
    "&amp;",
    "&x;",
    '<mergeCell ref="A1:B9"/>',
    "<v/>",
    '<c r="A1"/>',
    "<t>_x0000_</t>",
    "<rPh>",
    "]]>",
    "<!--",
    '<sheet name="q" sheetId="9"/>',
    '<c t="d"><v>2020</v></c>',
)


def by_xml(content: bytes, dice: random.Random) -> bytes:
    """Change a part of a workbook and zip it anew, so that the checksums are right."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(dice.choice((1, 1, 2, 4))):
        name = dice.choice([n for n in parts if n.startswith(("xl/", "_rels"))])
        text = parts[name].decode("utf-8", "replace")
        deed = dice.randrange(6)
        spots = [match.start() for match in re.finditer("<", text)] or [0]
        place = dice.choice(spots)
        if deed == 0:
            text = text[:place] + dice.choice(XML_PARTS) + text[place:]
        elif deed == 1:
            text = text[:place] + text[dice.choice(spots) :]
        elif deed == 2:
            value = dice.choice(
                ("-1", "0", "", "1e9", "99999999999", "A0", "ZZZZ1", "x", "true", "&lt;", "s", "str", "b", "n")
            )
            found = list(re.finditer(r'="[^"]*"', text))
            if found:
                match = dice.choice(found)
                text = f'{text[: match.start()]}="{value}"{text[match.end() :]}'
        elif deed == 3:
            text = re.sub(
                r">[^<]+<",
                lambda m: ">" + dice.choice(("", "-5", "60", "1_0", "nan", "x", m[0][1:-1])) + "<",
                text,
                count=dice.randrange(1, 9),
            )
        elif deed == 4:
            parts[dice.choice(list(parts))] = parts[name]
        else:
            text = by_bytes(text.encode(), dice).decode("utf-8", "replace")
        parts[name] = text.encode("utf-8", "replace")
        if dice.random() < 0.05:
            del parts[name]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, part in parts.items():
            made.writestr(name, part)
    return out.getvalue()


def ways(path: Path) -> list[Callable[[bytes, random.Random], bytes]]:
    """Return the ways to damage a file of this kind."""
    by_grammar = {".csv": by_text, ".tsv": by_text, ".json": by_json, ".xlsx": by_xml}.get(path.suffix)
    return [by_bytes] if by_grammar is None else [by_bytes, by_grammar, by_grammar]
