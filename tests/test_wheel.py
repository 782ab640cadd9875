"""The wheel carries the four packages with all they need and nothing else, and a neighbourhood can be run from it."""

import stat
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import httpx2
import pytest

from fedaid import __version__
from fedaid.demo.servers import Person, Town, free_port

HERE = Path(__file__).parent.parent
LIBRARIES = sysconfig.get_path("purelib")
PACKAGES = ("fedaid", "activitypub", "inbox", "outbox")
NEEDED = {
    "fedaid/web/templates/layout.html",
    "fedaid/board/templates/board/board.html",
    "fedaid/web/static/style.css",
    "fedaid/web/static/htmx.min.js",
    "fedaid/locales/es/LC_MESSAGES/fedaid.mo",
    "fedaid/foundation/migrations/env.py",
    "fedaid/foundation/migrations/versions/m0001_first_schema.py",
    "activitypub/contexts/activitystreams.json",
    *(f"{package}/py.typed" for package in PACKAGES),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built as a release would be, from what is installed here: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=HERE, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return zipfile.ZipFile(built)


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    return wheel.read(f"fedaid-{__version__}.dist-info/{name}").decode()


def test_it_carries_the_four_packages_whole_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    here = {
        path.relative_to(HERE).as_posix()
        for package in PACKAGES
        for path in (HERE / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    carried = {name for name in wheel.namelist() if not name.startswith(f"fedaid-{__version__}.dist-info/")}
    assert carried == here
    assert carried >= NEEDED


def test_it_brings_its_licence_and_its_command(wheel: zipfile.ZipFile) -> None:
    assert metadata(wheel, "licenses/LICENSE") == (HERE / "LICENSE").read_text()
    assert HeaderParser().parsestr(metadata(wheel, "METADATA"))["License-Expression"] == "AGPL-3.0-or-later"
    assert "fedaid = fedaid.cli:main" in metadata(wheel, "entry_points.txt")


def test_a_neighbourhood_is_founded_and_served_from_it(
    wheel: zipfile.ZipFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(python_without_this_checkout(tmp_path)))
    environment = {"PYTHONPATH": f"{tmp_path / 'unpacked'}:{LIBRARIES}"}
    people = [Person("nora", "Nora", "admin")]
    origin = f"http://127.0.0.1:{free_port()}"
    town = Town("Northside", origin, tmp_path / "data", people, environment)
    town.found()
    town.start()
    try:
        page = httpx2.get(f"{origin}/board", trust_env=False, headers={"Accept": "text/html"})
        assert (page.status_code, "Northside" in page.text) == (200, True)
        assert httpx2.get(f"{origin}/static/style.css", trust_env=False).status_code == 200
    finally:
        town.stop()


def python_without_this_checkout(folder: Path) -> Path:
    """Without ``site`` (-S) the libraries are there, but not the development install that lies among them."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    program.chmod(stat.S_IRWXU)
    alone = subprocess.run(
        [program, "-m", "fedaid"],
        cwd=folder,
        env={"PYTHONPATH": LIBRARIES},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named fedaid" in alone.stderr
    return program
