"""The built wheel holds what ships, and works when installed from it, away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ipt_outcomes.resources import shipped, shipped_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_schemas_templates_and_specs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for top in ("data_schemas", "reports"):
        wanted = [path.relative_to(ROOT).as_posix() for path in (ROOT / top).rglob("*") if path.is_file()]
        assert wanted
        assert {f"ipt_outcomes/_shipped/{name}" for name in wanted} <= names
    assert "ipt_outcomes/py.typed" in names


def test_it_works_when_installed_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Installed into a folder of its own and run from another: nothing of the checkout is found by accident."""
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import ipt_outcomes as ipt\n"
        f"assert ipt.__file__.startswith({str(site)!r}), ipt.__file__\n"
        "from ipt_outcomes.cli import main\n"
        f"main(['demo', '--out', {str(tmp_path / 'out')!r}, '--format', 'html,pdf'], standalone_mode=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "meta" / "report.pdf").stat().st_size > 10_000


def test_a_checkout_finds_its_own_files() -> None:
    assert shipped("data_schemas", "comparisons.json").is_file()
    assert "metapsy-total-response" in shipped_names("data_schemas", "mappings", suffix=".toml")
    assert shipped("reports", "meta.toml").is_file()
