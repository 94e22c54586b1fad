# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The checkout as others take it: a built artifact, an AWX project, a part of an execution environment."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml

BIN = Path(sys.executable).parent
MUST_HOLD = (
    "README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "LICENSE",
    "meta/runtime.yml",
    "meta/execution-environment.yml",
    "ee-requirements.txt",
    "bindep.txt",
)
MAY_HOLD = {
    *(
        "CHANGELOG.md",
        "CODE_OF_CONDUCT.md",
        "CONTRIBUTING.md",
        "FILES.json",
        "LICENSE",
        "LICENSES",
        "MANIFEST.json",
        "README.md",
        "REUSE.toml",
    ),
    *("bindep.txt", "changelogs", "docs", "ee-requirements.txt", "meta", "playbooks", "plugins", "roles"),
}


def run(*command: str | Path, cwd: Path, fails: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs one of the environment's tools with no Ansible setting but those given; it must end well, or badly if it `fails`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    clean |= {"PATH": f"{BIN}:{clean['PATH']}", "HOME": str(cwd), **env}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=clean, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode != 0) == fails, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def copy(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout's files as a clone has them, with neither .venv nor var."""
    path = tmp_path_factory.mktemp("clone") / "project"
    run(checkout / "script/export", path, cwd=path.parent)
    return path


@pytest.fixture(scope="module")
def artifact(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection, built from the checkout itself, where .venv, var and whatever else lies about."""
    path = tmp_path_factory.mktemp("artifact")
    run("ansible-galaxy", "collection", "build", checkout, "--output-path", path, cwd=path)
    (built,) = path.glob("ondemand-cluster-*.tar.gz")
    return built


@pytest.fixture(scope="module")
def installed(artifact: Path) -> Path:
    """A collections path that holds the built collection and nothing else."""
    path = artifact.parent / "installed"
    run("ansible-galaxy", "collection", "install", artifact, "-p", path, "--offline", cwd=artifact.parent)
    return path


def modules_of(checkout: Path) -> set[str]:
    return {f"ondemand.cluster.{path.stem}" for path in (checkout / "plugins/modules").glob("*.py") if path.stem != "__init__"}


def test_the_artifact_holds_what_a_controller_needs_and_nothing_else(artifact: Path) -> None:
    with tarfile.open(artifact) as tar:
        names = {member.name.removeprefix("./") for member in tar}
    assert {name.split("/")[0] for name in names} - {""} <= MAY_HOLD
    assert set(MUST_HOLD) <= names
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]


def test_every_module_of_an_installed_artifact_is_documented(checkout: Path, installed: Path, tmp_path: Path) -> None:
    listed = json.loads(run("ansible-doc", "-l", "-j", "ondemand.cluster", cwd=tmp_path, ANSIBLE_COLLECTIONS_PATH=str(installed)).stdout)
    assert set(listed) == modules_of(checkout)
    documented = json.loads(run("ansible-doc", "-j", *sorted(listed), cwd=tmp_path, ANSIBLE_COLLECTIONS_PATH=str(installed)).stdout)
    assert {name for name, parts in documented.items() if parts["doc"]["description"] and parts["return"] and parts["examples"]} == set(
        listed
    )


def test_every_playbook_of_an_installed_artifact_is_found_by_name(checkout: Path, installed: Path, tmp_path: Path) -> None:
    playbooks = sorted((checkout / "playbooks").glob("*.yml"))
    assert playbooks
    for playbook in playbooks:
        name = f"ondemand.cluster.{playbook.stem}"
        run("ansible-playbook", name, "-i", "localhost,", "--list-tasks", cwd=tmp_path, ANSIBLE_COLLECTIONS_PATH=str(installed))


def test_a_checkout_is_an_awx_project_as_it_stands(checkout: Path, copy: Path) -> None:
    # The commands of AWX's project update and job, in the project's root.
    requirements = "requirements_collections"
    run("ansible-galaxy", "collection", "install", "-r", "collections/requirements.yml", "-p", requirements, cwd=copy)
    env = {"ANSIBLE_COLLECTIONS_PATH": str(copy / requirements)}
    listed = json.loads(run("ansible-doc", "-l", "-j", "ondemand.cluster", cwd=copy, **env).stdout)
    assert set(listed) == modules_of(checkout)
    for playbook in sorted((copy / "playbooks").glob("*.yml")):
        run("ansible-playbook", "-i", "localhost,", "--list-tasks", playbook.relative_to(copy), cwd=copy, **env)

    # A job: the playbook picked as a file. Its first task refuses, so nothing but the collection itself is needed.
    wrong = copy.parent / "wrong.yml"
    wrong.write_text("cluster: {name: Shop, hosts: []}\n")
    told = run(
        "ansible-playbook", "-i", "localhost,", "playbooks/scale_out.yml", "-e", f"@{wrong}", "-e", "wanted=2", cwd=copy, fails=True, **env
    )
    assert "cluster.name" in told.stdout
    assert "cluster.hosts" in told.stdout
    assert "failed=1" in told.stdout


def wishes_of(path: Path) -> dict[str, str]:
    """Name -> whole line of a requirements file's wishes."""
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return {name_of(line): line for line in lines if line}


def name_of(wish: str) -> str:
    """The distribution that a line of requirements names, in the one spelling of all that pip takes for the same."""
    return re.sub("[-_.]+", "-", re.split("[^A-Za-z0-9._-]", wish)[0]).lower()


def tops_imported_by(path: Path) -> set[str]:
    """The packages that a file imports, also inside functions, but for its own neighbours."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {name.split(".")[0] for name in names}


def test_what_the_plugins_import_is_asked_for(checkout: Path) -> None:
    # What comes with ansible-core is there wherever a plugin runs.
    given = {"ansible-core", *(name_of(line) for line in metadata.requires("ansible-core") or [])}
    told = given | set(wishes_of(checkout / "meta/ee-requirements.txt"))
    homes = metadata.packages_distributions()
    wanted = {(top, path.name) for path in (checkout / "plugins").rglob("*.py") for top in tops_imported_by(path)}
    foreign = [(top, path) for top, path in wanted if top not in sys.stdlib_module_names and top not in ("ansible", "ansible_collections")]
    assert {top for top, _ in foreign} >= {"libvirt", "jsonschema", "pycdlib"}
    assert [(top, path) for top, path in foreign if not told & {name_of(home) for home in homes.get(top, [])}] == []


def test_the_drivers_wheel_brings_along_what_its_playbooks_need(checkout: Path, tmp_path: Path) -> None:
    shutil.copytree(checkout / "driver", tmp_path / "driver", ignore=shutil.ignore_patterns("*.egg-info", "build"))
    make = "import setuptools.build_meta as b, sys; print(b.prepare_metadata_for_build_wheel(sys.argv[1]))"
    run(BIN / "python", "-c", make, tmp_path, cwd=tmp_path / "driver")
    (made,) = tmp_path.glob("*.dist-info/METADATA")
    told = {line.removeprefix("Requires-Dist: ") for line in made.read_text().splitlines() if line.startswith("Requires-Dist: ")}
    assert [wish for wish in wishes_of(checkout / "meta/ee-requirements.txt").values() if wish not in told] == []


def test_ansible_builder_makes_a_build_context_from_the_definition(copy: Path, tmp_path: Path) -> None:
    run(
        "ansible-builder",
        "create",
        "-f",
        copy / "meta/execution-environment.yml",
        "-c",
        tmp_path / "context",
        "--output-filename",
        "Containerfile",
        cwd=copy,
    )
    assert "ondemand" not in (tmp_path / "context/Containerfile").read_text()
    assert "libvirt-python" in (tmp_path / "context/_build/requirements.txt").read_text()


def test_ansible_builder_sees_what_the_installed_collection_needs(installed: Path, tmp_path: Path) -> None:
    # introspect takes a folder that holds ansible_collections.
    base = tmp_path / "base"
    shutil.copytree(installed, base)
    found = yaml.safe_load(run("ansible-builder", "introspect", base, cwd=tmp_path).stdout)
    python = found["python"]["ondemand.cluster"] if isinstance(found["python"], dict) else found["python"]
    system = found["system"]["ondemand.cluster"] if isinstance(found["system"], dict) else found["system"]
    assert any(line.startswith("libvirt-python") for line in python)
    asked = {(line.split()[0], kind) for line in system for kind in ("rpm", "dpkg") if f"platform:{kind}" in line}
    # Each with what it is for: libvirt's binding is compiled, virsh, qemu-img and ssh-keygen are called when an image is built.
    assert {("libvirt-devel", "rpm"), ("libvirt-client", "rpm"), ("qemu-img", "rpm"), ("openssh-clients", "rpm")} <= asked
    assert {("libvirt-dev", "dpkg"), ("libvirt-clients", "dpkg"), ("qemu-utils", "dpkg"), ("openssh-client", "dpkg")} <= asked
