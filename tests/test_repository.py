"""The repository: its top level is a table of contents, and it names neither a registry nor somebody's own machine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

HERE = Path(__file__).parent.parent
TOP_LEVEL = {
    "pyproject.toml",
    "fedaid",
    "activitypub",
    "inbox",
    "outbox",
    "tests",
    "docs",
    "README.md",
    "Makefile",
    "LICENSE",
    "CHANGELOG.md",
    "FEDERATION.md",
    "requirements.lock",
    "requirements-dev.lock",
    ".gitignore",
    ".ci",
}
REGISTRIES = re.compile(
    r"pypi[.]|pythonhosted[.]|npmjs[.]|crates[.]io|rubygems[.]|proxy[.]golang|--(extra-)?index-url "
)
OWN_MACHINE = re.compile(r"(?<![\w.}:])(/(home|Users|root|work)/\w|[A-Z]:\\\w)")


def files() -> list[Path]:
    """What git holds; where there is no git, every file that .gitignore leaves."""
    if shutil.which("git") and (HERE / ".git").exists():
        return held_by_git(HERE)
    return left_by_gitignore(HERE)


def held_by_git(root: Path) -> list[Path]:
    # Whoever runs the tests need not be whoever cloned.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    return [root / name for name in listed.split("\0") if name]


def left_by_gitignore(root: Path) -> list[Path]:
    ignored = GitIgnoreSpec.from_lines([".git", *(root / ".gitignore").read_text().splitlines()])
    return [root / name for name in ignored.match_tree_files(root, negate=True)]


def lines(path: Path) -> list[str]:
    """The lines of a text, none of anything else."""
    content = path.read_bytes()
    return [] if b"\0" in content else content.decode().splitlines()


def test_without_git_the_same_files_are_found(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(".venv/\n*.pyc\n")
    for name in (".git/config", ".venv/bin/python", "a/b.py", "a/b.pyc", ".ci/run"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(left_by_gitignore(tmp_path)) == [tmp_path / name for name in (".ci/run", ".gitignore", "a/b.py")]


def test_the_top_level_holds_what_a_newcomer_looks_for_and_nothing_else() -> None:
    assert {path.relative_to(HERE).parts[0] for path in files()} == TOP_LEVEL


@pytest.mark.parametrize("named", [REGISTRIES, OWN_MACHINE], ids=["a package registry", "a path of one's own machine"])
def test_no_file_names(named: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(HERE)}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(lines(path), 1)
        if named.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRIES, "https://registry.npm" + "js.org/left-pad"),
        (REGISTRIES, "pip install --index" + "-url https://mirror.example/simple"),
        (OWN_MACHINE, "see /ho" + "me/ana/fedaid"),
        (OWN_MACHINE, 'path = "/wo' + 'rk/shared"'),
        (OWN_MACHINE, "C:" + "\\Users\\ana"),
    ],
)
def test_such_a_name_would_be_found(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)
