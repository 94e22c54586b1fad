# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What a story of playbooks on real VMs in the lab is told with: a cluster with a file of its own, and runs of playbooks on it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t
import urllib.parse

import yaml

from lab.processes import kill_whole

ROOT = pathlib.Path(__file__).parents[2]
ANSIBLE = str(pathlib.Path(sys.executable).with_name("ansible-playbook"))
POOL = pathlib.Path("/var/lib/libvirt/ondemand")


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run of a playbook: its code, its output, what it handed back, and how long it took."""

    code: int
    output: str
    seconds: float

    @property
    def ondemand(self) -> t.Any:
        """The key that it handed back by set_stats."""
        told = [line for line in self.output.splitlines() if line.strip().startswith("RUN: ")]
        return json.loads(told[-1].strip()[5:])["ondemand"] if told else None

    @property
    def changes(self) -> int:
        """Tasks that changed something, over all hosts."""
        recap = self.output.split("PLAY RECAP")[1]
        return sum(int(word[8:]) for word in recap.split() if word.startswith("changed="))


def inside(space: str, *argv: str) -> list[str]:
    """The command that runs argv in a space of the lab."""
    return [sys.executable, "-m", "lab", "run", space, "--", *argv]


def said(space: str, *argv: str) -> str:
    """What a command in a space printed; it must not fail."""
    done = subprocess.run(inside(space, *argv), cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def command(playbook: str, *files: pathlib.Path, **variables: t.Any) -> list[str]:
    """The command line of a playbook in the lab's operator space."""
    words = [ANSIBLE, "playbooks/%s.yml" % playbook]
    for file in files:
        words += ["-e", "@%s" % file]
    return inside("ctl", *words, "-e", json.dumps(variables))


def environment() -> dict[str, str]:
    return {**os.environ, "ANSIBLE_SHOW_CUSTOM_STATS": "1", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"}


def finished(playbook: str, *files: pathlib.Path, within_s: float = 900, **variables: t.Any) -> Run:
    """Run a playbook to its end."""
    begun = time.monotonic()
    done = subprocess.run(
        command(playbook, *files, **variables), cwd=ROOT, capture_output=True, text=True, timeout=within_s, env=environment()
    )
    return Run(done.returncode, done.stdout + done.stderr, time.monotonic() - begun)


class Tale:
    """One cluster in the lab, with a file of its own, beside whatever else runs there."""

    def __init__(self, directory: pathlib.Path, name: str) -> None:
        self.name = name
        data = yaml.safe_load((ROOT / "examples" / "demo.yml").read_text())
        data["cluster"]["name"] = name
        data["cluster"]["network"]["addresses"] = "10.99.0.60-10.99.0.69"
        data["cluster"]["network"]["dns"] = ["10.99.0.3", "10.99.0.4"]
        data["cluster"]["requirement"]["size"]["disk_gib"] = 9
        # Where everything else is tried at the same time, a login to a hypervisor may take longer than the ten seconds of the default.
        data["cluster"]["deadlines"]["connect_s"] = 30
        data["cluster"]["access"] = {"state_dir": str(directory / "state")}
        for service, address in zip(data["cluster"]["services"], ("10.99.0.12", "10.99.0.13"), strict=True):
            service["address"] = address
        self.data = data["cluster"]
        self.state = directory / "state"
        self.file = directory / "cluster.yml"
        self.file.write_text(yaml.safe_dump(data))

    def changed(self, name: str, **parts: t.Any) -> pathlib.Path:
        """A file of that name beside the cluster's, with these parts in the place of its own."""
        file = self.file.with_name(name + ".yml")
        file.write_text(yaml.safe_dump({"cluster": {**self.data, **parts}}))
        return file

    def play(self, playbook: str, **variables: t.Any) -> Run:
        """Run a playbook with the cluster's file."""
        return finished(playbook, self.file, **variables)

    def done(self, playbook: str, **variables: t.Any) -> Run:
        """Run a playbook that must end well."""
        run = self.play(playbook, **variables)
        assert run.code == 0, run.output
        return run

    def seen(self) -> t.Any:
        """What there is, read back by observe."""
        return self.done("observe").ondemand

    def killed(self, playbook: str, when: t.Callable[[], bool], **variables: t.Any) -> None:
        """Start a playbook and kill it with everything it started, at the moment that `when` names."""
        running = subprocess.Popen(
            command(playbook, self.file, **variables),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        end = time.monotonic() + 300
        while not when():
            assert running.poll() is None and time.monotonic() < end, "the moment to kill %s never came" % playbook
            time.sleep(0.2)
        kill_whole(running.pid)
        running.wait(30)

    def on(self, vm: t.Mapping[str, t.Any], script: str, known: pathlib.Path | None = None) -> str:
        """What a command on a VM printed. known: the file with its host key, where the state directory has forgotten it."""
        files = ["-i", str(self.state / "id_ed25519"), "-o", "UserKnownHostsFile=%s" % (known or self.state / "known_hosts")]
        return said("ctl", "ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", *files, "root@%s" % vm["address"], script)

    def domains(self) -> list[str]:
        """Names of the cluster's domains on both hosts, whether ours by mark or not."""
        return sorted(
            one
            for host in ("hv1", "hv2")
            for one in said(host, "virsh", "-q", "list", "--all", "--name").split()
            if one.startswith(self.name + "-")
        )

    def volumes(self) -> list[str]:
        """Files of the cluster's VMs in the pools of both hosts."""
        return sorted(one for host in ("hv1", "hv2") for one in said(host, "ls", str(POOL)).split() if one.startswith(self.name + "-"))

    def get(self, service: int, path: str) -> str:
        """What a service answers a client."""
        one = self.data["services"][service]
        return said("cli", "curl", "-sf", "--max-time", "20", "http://%s:%d%s" % (one["address"], one["port"], urllib.parse.quote(path)))


def begun(directory: pathlib.Path, name: str) -> Tale:
    """The lab with prepared hosts and the image, and a cluster's file."""
    subprocess.run([sys.executable, "-m", "lab", "up"], cwd=ROOT, check=True, timeout=600)
    story = Tale(directory, name)
    prepared = finished("prepare_host", story.file)
    assert prepared.code == 0, prepared.output
    image = finished(
        "build_image", story.file, ROOT / "lab/testbed/hypervisors/lab.yml", ROOT / "lab/workload/services/image.yml", within_s=1800
    )
    assert image.code == 0, image.output
    return story
