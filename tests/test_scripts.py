# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The scripts of the checkout keep what their heads say."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("option", "expected"), [([], 0), (["--no-skips"], 1), (["--no-skips", "-n", "2"], 1)])
def test_a_full_run_fails_on_a_skipped_test(option: list[str], expected: int, checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("import pytest\ndef test_a(): pytest.sk" + "ip('no KVM')\n")
    (tmp_path / "conftest.py").write_text((checkout / "tests/conftest.py").read_text())
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *option, cwd=tmp_path)
    assert done.returncode == expected, done.stdout + done.stderr


def test_bootstrap_is_quick_when_nothing_is_to_do(checkout: Path) -> None:
    assert run("script/bootstrap", cwd=checkout).returncode == 0
    begun = time.monotonic()
    done = run("script/bootstrap", cwd=checkout)
    assert (done.returncode, done.stdout) == (0, "")
    assert time.monotonic() - begun < 2


def test_bootstrap_refuses_what_it_does_not_know(checkout: Path) -> None:
    done = run("script/bootstrap", "--chekc", cwd=checkout)
    assert done.returncode == 1
    assert "unknown argument '--chekc'" in done.stderr


def test_test_refuses_a_stage_that_does_not_exist(checkout: Path) -> None:
    done = run("script/test", "lnit", cwd=checkout)
    assert done.returncode == 1
    assert "no stage 'lnit'" in done.stderr


def test_test_takes_mutate_alone_because_what_follows_is_its_own(checkout: Path) -> None:
    done = run("script/test", "lint", "mutate", cwd=checkout)
    assert done.returncode == 1
    assert "run it alone" in done.stderr


def test_export_leaves_out_what_is_ignored_and_keeps_what_is_new(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert run(checkout / "script/export", copy, cwd=tmp_path).returncode == 0
    assert (copy / "galaxy.yml").is_file()
    assert not (copy / "var").exists()
    assert not (copy / ".venv").exists()
    # A copy is no repository: there the same list is found by walking.
    for name in ("var/images/big", ".venv/pyvenv.cfg", "plugins/__pycache__/a.pyc"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("left out")
    assert run(copy / "script/export", tmp_path / "part", "docs", "nothing-there", "galaxy.yml", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == ["docs", "galaxy.yml"]
    second = tmp_path / "second"
    assert run(copy / "script/export", second, cwd=tmp_path).returncode == 0
    assert sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file()) == sorted(
        path.relative_to(copy)
        for path in copy.rglob("*")
        if path.is_file() and path.relative_to(copy).parts[0] not in ("var", ".venv") and "__pycache__" not in path.parts
    )


def test_export_refuses_a_folder_that_holds_the_checkout(checkout: Path) -> None:
    done = run("script/export", checkout.parent, cwd=checkout)
    assert done.returncode == 1
    assert (checkout / "galaxy.yml").is_file()


def test_export_refuses_the_root_of_the_machine_before_it_removes_anything(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "find").write_text(f"#!/bin/sh\necho called >>{tmp_path}/calls\nexit 1\n")  # in the place of the one that would remove
    (tmp_path / "find").chmod(0o755)
    for folder in ("/", "//", "/proc/self/root"):
        done = run("env", f"PATH={tmp_path}:{os.environ['PATH']}", "script/export", folder, cwd=checkout)
        assert (done.returncode, "holds the checkout itself" in done.stderr) == (1, True), folder
    assert not (tmp_path / "calls").exists()


def test_every_script_has_its_run_bit(checkout: Path) -> None:
    scripts = [*(checkout / "script").iterdir(), checkout / ".ci/run"]
    assert [script.name for script in scripts if not os.access(script, os.X_OK)] == []


def test_every_pinned_package_has_a_hash(checkout: Path) -> None:
    for lock in ("runtime", "dev", "sanity"):
        text = (checkout / f"requirements/{lock}.txt").read_text().replace("\\\n", " ")
        pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert pins
        assert [line for line in pins if "--hash=sha256:" not in line or "==" not in line] == []


def test_every_wish_is_pinned(checkout: Path) -> None:
    for lock in ("runtime", "dev", "sanity"):
        wishes = (checkout / f"requirements/{lock}.in").read_text().splitlines()
        names = [line.split("#")[0].split("~")[0].split("=")[0].strip().lower() for line in wishes if line[:1] not in ("#", "-", "")]
        pinned = (checkout / f"requirements/{lock}.txt").read_text().lower()
        assert [name for name in names if f"{name}==" not in pinned.replace("_", "-")] == []


# As root: a user without rights, a machine without a network, and nothing of the labs and cells that may run beside the test.
ALONE = """
mount -t tmpfs none /run && mount -t tmpfs none /var/lib
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""


def test_clean_needs_neither_the_environment_nor_root_nor_a_network(checkout: Path) -> None:
    alone = ["unshare", "--net", "--mount", "sh", "-ec", ALONE, "sh"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as directory:  # not tmp_path, whose parents are closed to others
        copy = Path(directory, "copy")
        assert run(checkout / "script/export", copy, cwd=checkout).returncode == 0
        for name in ("var/demo/report.json", "var/images/node.qcow2", "lab/__pycache__/a.pyc", ".ruff_cache/a", "tests/output/a"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_text("left")
        if alone:
            for path in (Path(directory), copy, *copy.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
        done = run(*alone, "script/clean", cwd=copy)
        assert done.returncode == 0, done.stderr
        left = sorted(str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file() and path.read_bytes() == b"left")
        assert left == ["var/images/node.qcow2"]
        assert run(*alone, "script/clean", "--all", cwd=copy).returncode == 0
        assert not (copy / "var").exists()


def test_clean_refuses_what_it_does_not_know(checkout: Path) -> None:
    done = run("script/clean", "--everything", cwd=checkout)
    assert done.returncode == 1
    assert "unknown argument '--everything'" in done.stderr
