"""The files that describe a deployment: what can be known of them without a container engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from topology import PROXY

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"[a-z0-9./-]+:\S*\d+\S*")  # a tag with a number; no `latest`, no bare name
PROFILES = ("llama", "monitoring")


@cache
def composed() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


SERVICES = tuple(composed()["services"])


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = composed()["services"][name]
    return found


def mounts(name: str) -> list[tuple[str, str]]:
    """(what is mounted, where)"""
    pairs = (one.split(":") for one in service(name).get("volumes", ()))
    return [(pair[0], pair[1]) for pair in pairs]


# -- docker-compose.yml --------------------------------------------------------------------------


@pytest.mark.parametrize("profiles", [(), PROFILES], ids=["plain", "everything"])
def test_docker_compose_takes_the_file(profiles: tuple[str, ...]) -> None:
    command = shutil.which("docker-compose")
    if command is None:
        pytest.skip("docker-compose isn't installed here; Debian's package is `docker-compose`")
    chosen = [word for name in profiles for word in ("--profile", name)]

    done = subprocess.run(
        [command, *chosen, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_can_do_more_than_it_must(name: str) -> None:
    one = service(name)

    assert one["read_only"]
    assert one["cap_drop"] == ["ALL"]
    assert "privileged" not in one
    assert "docker.sock" not in str(one)
    if name == "volumes":  # which ends after it has given folders away
        assert (one["network_mode"], one["cap_add"]) == ("none", ["CHOWN"])
    else:
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one.get("user") != "root"


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_and_ports_are_this_machines_own(name: str) -> None:
    one = service(name)

    assert "build" in one or PINNED.fullmatch(one["image"])
    assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ()))


def test_chromas_server_is_of_its_clients_version() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    version = re.search(r"^chromadb==(\S+)$", lock, re.MULTILINE)

    assert version
    assert service("chroma")["image"] == f"chromadb/chroma:{version[1]}"
    assert service("volumes")["image"] == service("chroma")["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_and_waited_for_exists(name: str) -> None:
    for source, _ in mounts(name):
        there = (ROOT / source).exists() if source.startswith(".") else source in declared()
        assert there, source
    for other, wanted in (service(name).get("depends_on") or {}).items():
        if wanted["condition"] == "service_healthy":
            # the API's image has its own
            assert "healthcheck" in service(other) or "build" in service(other)
        else:
            assert other == "volumes"


def declared() -> set[str]:
    return set(composed()["volumes"])


def test_every_volume_is_used_and_none_that_both_write_but_the_weights() -> None:
    one, two = ({source for source, _ in mounts(name)} for name in ("api", "api-2"))

    assert {source for name in SERVICES for source, _ in mounts(name)} >= declared()
    assert one & two & declared() == {"weights"}  # which are written under a lock


def test_replicas_differ_in_nothing_but_their_volume() -> None:
    one, two = (
        {k: v for k, v in service(name).items() if k not in {"volumes", "depends_on"}}
        for name in ("api", "api-2")
    )

    assert one == two


# -- the proxy -----------------------------------------------------------------------------------


def test_the_proxy_takes_its_configuration() -> None:
    if PROXY is None:
        pytest.skip("no proxy is installed here; Debian's package is `haproxy`")
    own = {"PROXY_BIND": ":8000", "REPLICA_ONE": "127.0.0.1:1", "REPLICA_TWO": "127.0.0.1:2"}

    done = subprocess.run(
        [PROXY, "-c", "-dW", "-f", "deploy/haproxy.cfg"],  # -dW: warnings are errors
        cwd=ROOT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_the_proxys_settings_are_those_that_its_container_gets() -> None:
    given = {line.partition("=")[0] for line in service("proxy")["environment"]}
    used = set(re.findall(r"\$\{(\w+)\}", (ROOT / "deploy" / "haproxy.cfg").read_text()))

    assert given == used


def test_figures_are_read_from_each_replica() -> None:
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    source = yaml.safe_load((ROOT / "deploy" / "grafana" / "datasource.yml").read_text())

    targets = scraped["scrape_configs"][0]["static_configs"][0]["targets"]

    assert targets == ["api:8000", "api-2:8000"]
    assert source["datasources"][0]["url"] == "http://prometheus:9090"


# -- Dockerfile ----------------------------------------------------------------------------------


@cache
def instructions() -> tuple[tuple[str, str], ...]:
    """(instruction, the rest of its line), continued lines joined, comments left out."""
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    told = (line.partition(" ") for line in lines if line.strip() and not line.startswith("#"))
    return tuple((word, rest.strip()) for word, _, rest in told)


def of(word: str) -> list[str]:
    return [rest for one, rest in instructions() if one == word]


def last_stage() -> list[tuple[str, str]]:
    starts = [place for place, (word, _) in enumerate(instructions()) if word == "FROM"]
    return list(instructions()[starts[-1] :])


def test_the_image_is_made_of_pinned_ones_and_runs_without_rights() -> None:
    final = dict(last_stage())

    assert all(PINNED.fullmatch(base.split(" AS ")[0]) for base in of("FROM"))
    assert final["USER"] not in {"root", "0"}
    assert "useradd" in final["RUN"]
    assert final["HEALTHCHECK"].find("/livez") > 0
    assert final["CMD"].startswith("[")  # its process gets the signals itself


def test_the_image_carries_nothing_that_it_does_not_run() -> None:
    final = [rest for word, rest in last_stage() if word == "RUN"]

    assert of("ADD") == []
    for command in of("RUN"):
        assert "--no-install-recommends" in command or "apt-get install" not in command
        assert "--no-cache-dir" in command or "pip install" not in command
        assert "sudo" not in command
    for command in final:
        assert "rm -rf /var/lib/apt/lists/*" in command or "apt-get" not in command
        assert "pip install" not in command
    assert not re.search(r"(?i)password|secret|token", str(of("ENV") + of("ARG")))


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")
    }

    for line in of("COPY"):
        words = [word for word in line.split() if not word.startswith("--")]
        if "--from=" not in line and words[0] != ".":
            assert (ROOT / words[0]).exists()
            assert words[0].split("/")[0] in let_in
