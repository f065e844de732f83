"""What every file of the package keeps to: size, docstrings, nothing that runs text as code."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "ipt_outcomes").rglob("*.py"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, FUNCTIONS):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            assert not body or node.end_lineno - body[0].lineno < 50, f"{node.name} is too long"  # type: ignore[operator]


def public_definitions(path: Path) -> list[ast.AST]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[ast.AST] = [tree]
    for node in tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_"):
            found.append(node)
            if isinstance(node, ast.ClassDef):
                found += [sub for sub in node.body if isinstance(sub, FUNCTIONS) and not sub.name.startswith("_")]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_names_have_docstrings(path: Path) -> None:
    without = [getattr(node, "name", "module") for node in public_definitions(path) if not ast.get_docstring(node)]  # type: ignore[arg-type]
    assert not without


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_text_as_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert not (isinstance(node.func, ast.Name) and name in {"eval", "exec", "__import__"})
            assert name not in {"query", "read_pickle", "to_pickle", "unsafe_load", "full_load"}
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
            assert not names & {"pickle", "shelve", "marshal", "dill", "cloudpickle"}


def tracked() -> list[Path]:
    """Files of the repository; where there is no git, every text file that would be."""
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [ROOT / name for name in done.stdout.splitlines()]
    return [p for p in ROOT.rglob("*") if p.is_file() and p.suffix in {".py", ".md", ".toml", ".txt", ".json", ".yaml"}]


def test_no_path_of_a_machine_and_no_download_address() -> None:
    machine = re.compile(r"(?<![.\w])/(work|home|root|Users)/\w")
    address = re.compile(r"index-url|https?://\S*(/simple\b|/packages/|\.whl\b|\.tar\.gz\b)")
    for path in tracked():
        if path == Path(__file__) or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        assert not machine.search(text), path
        assert not address.search(text), path


def test_no_shared_data_in_the_repository() -> None:
    data = [p for p in tracked() if p.suffix in {".csv", ".sav", ".dta", ".xlsx", ".parquet", ".sas7bdat", ".xpt"}]
    assert all(
        path.is_relative_to(ROOT / "tests" / "cases") or path.is_relative_to(ROOT / "tests" / "reference")
        for path in data
    )
