"""Folders described by a datapackage.json: read as described, nothing from outside, all faults named."""

import hashlib
import json
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io import TableFolder, read_folder, read_table
from ipt_outcomes.io.folder import is_table_folder


@pytest.fixture
def folder(tmp_path):
    """Write a folder of files with a descriptor."""

    def _folder(resources, files=None, **more):
        path = tmp_path / "package"
        path.mkdir(exist_ok=True)
        for name, content in (files or {"a.csv": "id,x\n007,1\n"}).items():
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        text = resources if isinstance(resources, str) else json.dumps({"resources": resources, **more})
        (path / "datapackage.json").write_text(text, encoding="utf-8")
        return path

    return _folder


def refused(path):
    with pytest.raises(IptError) as caught:
        read_folder(path)
    assert caught.value.__cause__ is None
    assert str(path.parent) not in str(caught.value)
    return caught.value


def one(**more):
    return [{"name": "a", "path": "a.csv", **more}]


def test_tables_by_name(folder):
    path = folder(
        [
            {"name": "patients", "path": "data/p.csv", "encoding": "windows-1252", "dialect": {"delimiter": ";"}},
            {"name": "visits", "path": ["v.tsv"],
             "schema": {"fields": [{"name": "id"}, {"name": "g", "decimalChar": ","}]}},
        ],
        {"data/p.csv": "id;name\n007;Zoë, b\n".encode("cp1252"), "v.tsv": "id\tg\n007\t1,234\n"},
    )  # fmt: skip
    tables = read_folder(path)
    assert isinstance(tables, TableFolder)
    assert list(tables) == ["patients", "visits"]
    assert tables["patients"].frame.to_numpy().tolist() == [["007", "Zoë, b"]]
    assert (tables["patients"].encoding, tables["visits"].decimal, tables["visits"].delimiter) == (
        "windows-1252",
        ",",
        "\t",
    )
    assert tables.schemas["patients"] == {}
    assert tables.schemas["visits"]["fields"][1]["decimalChar"] == ","
    assert (tables.name, len(tables)) == ("package", 2)
    assert "Zoë" not in repr(tables)
    assert read_folder(path / "datapackage.json")["patients"].frame.equals(tables["patients"].frame)
    assert is_table_folder(path)
    assert not is_table_folder(path / "data")


def test_formats_of_the_child_share_one_process(folder, tmp_path):
    pq.write_table(pa.table({"id": ["007"]}), tmp_path / "x")
    pd.DataFrame({"id": ["a"]}).to_excel(tmp_path / "y.xlsx", index=False)
    files = {"p.parquet": (tmp_path / "x").read_bytes(), "w.xlsx": (tmp_path / "y.xlsx").read_bytes()}
    tables = read_folder(
        folder(
            [
                {"name": "p", "path": "p.parquet", "encoding": "utf-8"},
                {"name": "w", "path": "w.xlsx", "dialect": {"sheetNumber": 1}},
            ],
            files,
        )
    )
    assert [len(table) for table in tables.values()] == [1, 1]


def test_codes_that_the_schema_declares_missing(folder):
    schema = {
        "fields": [
            {"name": "id"},
            {"name": "x"},
            {"name": "site", "missingValues": [{"value": "ZZ", "label": "unknown"}]},
        ],
        "missingValues": ["", "-9", "NA"],
    }
    path = folder(one(schema=schema), {"a.csv": "id,x,site\nNA1,-9,NA\nb,3,ZZ\nNA,,x\n"})
    table = read_folder(path)["a"]
    assert table.frame["x"].isna().tolist() == [True, False, True]
    # The field's own list stands instead of the table's: the site NA stays.
    assert table.frame["site"].tolist()[::2] == ["NA", "x"]
    told = table.missing.sort_values("row").astype(object).where(lambda f: f.notna(), None).to_numpy().tolist()
    assert told == [[2, "x", "-9", None], [3, "site", "ZZ", "unknown"], [4, "id", "NA", None]]
    # Nothing but the empty cell is missing where nothing is declared.
    assert read_table(path / "a.csv").frame["site"].isna().sum() == 0


@pytest.mark.parametrize("kind", ["sha256", "sha512", "sha1", "md5"])
@pytest.mark.parametrize("named", [True, False])
def test_hashes(folder, kind, named):
    digest = hashlib.new(kind, b"id,x\n007,1\n").hexdigest()
    told = f"{kind}:{digest}" if named else digest
    assert len(read_folder(folder(one(hash=told, bytes=11)))["a"]) == 1
    wrong = told[:-1] + ("0" if told[-1] != "0" else "1")
    assert "not the file expected" in refused(folder(one(hash=wrong))).message


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"path": "a.csv"}, "resource 1 has no name"),
        ({"name": "a/b", "path": "a.csv"}, "resource 1 has no name"),
        ({"name": "a"}, "has no path to one file"),
        ({"name": "a", "data": [{"id": 1}]}, "has no path to one file"),
        ({"name": "a", "path": ["a.csv", "b.csv"]}, "tables in several files are not read"),
        ({"name": "a", "path": 5}, "has no path to one file"),
        ({"name": "a", "path": "/etc/hostname"}, "not a plain one inside the folder"),
        ({"name": "a", "path": "../x.csv"}, "not a plain one inside the folder"),
        ({"name": "a", "path": "b/../../x.csv"}, "not a plain one inside the folder"),
        ({"name": "a", "path": "..\\x.csv"}, "not a plain one inside the folder"),
        ({"name": "a", "path": "C:x.csv"}, "not a plain one inside the folder"),
        ({"name": "a", "path": "https://example.org/a.csv"}, "not a plain one inside the folder"),
        ({"name": "a", "path": "a\0.csv"}, "not a plain one inside the folder"),
        ({"name": "a", "path": "none.csv"}, "points to a file that is not there"),
        ({"name": "a", "path": "."}, "points to a file that is not there"),
        ({"name": "a", "path": "a.csv", "bytes": 12}, "has 11 bytes, not as many"),
        ({"name": "a", "path": "a.csv", "hash": "crc32:1234"}, "has a hash that is no"),
        ({"name": "a", "path": "a.csv", "hash": 5}, "has a hash that is no"),
        ({"name": "a", "path": "a.csv", "encoding": 5}, "has an encoding that is no text"),
        ({"name": "a", "path": "a.csv", "dialect": "dialect.json"}, "has a dialect that stands in another file"),
        ({"name": "a", "path": "a.csv", "dialect": {"delimiter": "::"}}, "has a delimiter that is none of"),
        ({"name": "a", "path": "a.csv", "dialect": {"header": False}}, "has a dialect that is not read: header"),
        ({"name": "a", "path": "a.csv", "dialect": {"quoteChar": "'"}}, "has a dialect that is not read: quoteChar"),
        ({"name": "a", "path": "a.csv", "dialect": {"header": 1}}, "has a dialect that is not read: header"),
        ({"name": "a", "path": "a.csv", "dialect": {"secret": 1}}, "has a dialect that is not known"),
        ({"name": "a", "path": "a.csv", "schema": "s.json"}, "has a schema that stands in another file"),
        ({"name": "a", "path": "a.csv", "schema": {"fields": [1]}}, "has a schema whose fields are not objects"),
        ({"name": "a", "path": "a.csv", "schema": {"fields": [{"name": "id", "decimalChar": "x"}]}},
         "has fields with decimal"),
        (5, "resource 1 is no object"),
    ],
)  # fmt: skip
def test_resources_that_are_refused(folder, resource, words):
    error = refused(folder([resource]))
    assert words in error.message
    assert error.hint


def test_all_faults_at_once(folder):
    message = refused(folder([{"name": "a", "path": "../x"}, {"name": "b"}, *one(), *one()])).message
    for words in ("resource a has a path", "resource b has no path", "two resources are called a"):
        assert words in message


def test_all_tables_that_cannot_be_read_are_named(folder):
    files = {"a.csv": "id,id\n1,2\n", "b.sav": "no spss", "c.csv": "id\n1\n"}
    path = folder([{"name": n[0], "path": n} for n in files], files)
    error = refused(path)
    assert isinstance(error, DataError)
    assert "a.csv: column names that stand twice" in error.message
    assert "b.sav is not an SPSS file" in error.message


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"resources": {}}', '{"resources": []}', "{", "\ufeff{", '{"resources": [NaN]}', "[" * 100_000,
     '{"resources": [{"name": "a", "name": "b", "path": "a.csv"}]}', '{"resources": null}', '"x"'],
)  # fmt: skip
def test_descriptors_that_are_none(folder, text):
    assert "datapackage.json" in refused(folder(text)).message


def test_places_that_are_no_folder(folder, tmp_path):
    path = folder(one())
    assert "a folder with a datapackage.json was expected" in refused(path / "a.csv").message
    assert "holds no datapackage.json" in refused(tmp_path).message
    with pytest.raises(IptError, match="read_folder"):
        read_table(path)
    with pytest.raises(IptError, match="there is no file"):
        read_folder(path / "none")
    (path / "datapackage.json").write_bytes(b'{"resources": "\xff"}')
    assert "not UTF-8" in refused(path).message


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_do_not_lead_out(folder, tmp_path):
    path = folder(one())
    (tmp_path / "outside.csv").write_text("id\n1\n", encoding="utf-8")
    (path / "a.csv").unlink()
    (path / "a.csv").symlink_to(tmp_path / "outside.csv")
    assert "points out of the folder" in refused(path).message
    (path / "a.csv").unlink()
    (path / "a.csv").symlink_to(path / "a.csv")
    assert "not there" in refused(path).message
