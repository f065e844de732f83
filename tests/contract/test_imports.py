"""Data travel one way: a package imports only what the tier table in pyproject.toml puts above it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ipt_outcomes"
TIERS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ipt-outcomes"]["tiers"]
ORDER = [name for tier in TIERS["order"] for name in TIERS[tier]]
TIER_OF = {name: tier for tier in TIERS["order"] for name in TIERS[tier]}


def part_of(path: Path) -> str:
    """Name in the tier table that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem not in {"__init__", "__main__"}
    )


def imports(tree: ast.AST, *, in_plot: bool = False) -> Iterator[tuple[str, bool]]:
    """Parts of this package that a module imports, and whether inside a method named plot."""
    for node in ast.iter_child_nodes(tree):
        inside = in_plot or (isinstance(node, ast.FunctionDef) and node.name == "plot")
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ipt_outcomes":
            parts = (node.module or "").split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            yield from ((name, inside) for name in names)
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names if alias.name.split(".")[0] == "ipt_outcomes"]
            yield from ((name[1], inside) for name in names if len(name) > 1)
        else:
            yield from imports(node, in_plot=inside)


def allowed(importer: str, imported: str, *, in_plot: bool) -> bool:
    """Whether the tier table lets one part import another."""
    if imported == importer or imported.startswith("__"):
        return True
    if in_plot and imported == "figures":
        return True
    if ORDER.index(imported) >= ORDER.index(importer):
        return False
    return not (TIER_OF[imported] == TIER_OF[importer] and TIER_OF[importer] in TIERS["independent"])


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    importer = part_of(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [name for name, in_plot in imports(tree) if not allowed(importer, name, in_plot=in_plot)]
    assert not wrong, f"{importer} ({TIER_OF[importer]}) must not import {wrong}"


def test_every_part_has_a_place_in_the_table() -> None:
    assert {part_of(path) for path in modules()} <= set(ORDER)


@pytest.mark.parametrize(
    ("importer", "imported", "in_plot", "verdict"),
    [
        ("effects", "errors", False, True),
        ("effects", "meta", False, False),
        ("meta", "effects", False, True),
        ("meta", "io", False, False),
        ("meta", "figures", True, True),
        ("meta", "report", True, False),
        ("evidence", "clinic", False, False),
        ("cli", "report", False, True),
    ],
)
def test_the_rule_itself(importer: str, imported: str, in_plot: bool, verdict: bool) -> None:
    assert allowed(importer, imported, in_plot=in_plot) is verdict
