"""``compose.yaml`` and its images: right by the specification's schema and a linter, and run as plain processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.stated import FILE, Service, document, instructions, stack
from tests.gate.repository import ROOT

DOCKERFILES = sorted([*ROOT.glob("deploy/*Dockerfile"), ROOT / "superset" / "server" / "Dockerfile"])
OURS = [each for each in stack().values() if each.image.startswith("lakehouse-control-room")]
by_path = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))


def validated(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_file_is_what_the_compose_specification_asks_for(tmp_path: Path) -> None:
    assert validated(FILE).returncode == 0, validated(FILE).stdout
    broken = tmp_path / "compose.yaml"
    broken.write_text(FILE.read_text().replace("retries: 30", "retried: 30", 1))
    assert validated(broken).returncode == 1


@by_path
def test_images_pass_the_linter(path: Path) -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, path], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@by_path
def test_images_are_built_from_what_is_here_and_not_as_root(path: Path) -> None:
    stated = instructions(path)
    for name, rest in stated:
        if name == "COPY":
            missing = [one for one in rest.split()[:-1] if not (ROOT / one).exists()]
            assert missing == [], f"{path.name} copies what is not there"
    assert re.fullmatch(r"[1-9]\d{3,}", next(rest for name, rest in reversed(stated) if name == "USER"))


def test_each_service_of_ours_has_a_health_check_or_ends_and_no_rights() -> None:
    services = document({})["services"]
    waited_for = {name for each in stack().values() for name, how in each.needs.items() if "completed" in how}
    for each in OURS:
        stated = services[each.name]
        assert each.check or each.name in waited_for or each.profiles, f"nobody asks how {each.name} is"
        assert stated["cap_drop"] == ["ALL"]
        assert stated["security_opt"] == ["no-new-privileges:true"]


def test_ports_are_published_on_loopback_only() -> None:
    published = [port for each in document({})["services"].values() for port in each.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_secrets_come_as_files_that_the_script_makes(tmp_path: Path) -> None:
    subprocess.run([ROOT / "deploy" / "secrets.sh", tmp_path], check=True, capture_output=True)
    made = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert {Path(each["file"]).name for each in document({})["secrets"].values()} == set(made)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (
        json.loads(made["s3_identities"])["identities"][0]["credentials"][0]["secretKey"] + "\n"
        == made["s3_secret_key"]
    )
    subprocess.run([ROOT / "deploy" / "secrets.sh", tmp_path], check=True, capture_output=True)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == made, "a second time changes nothing"


@pytest.mark.parametrize("service", stack().values(), ids=stack())
def test_a_service_is_given_each_secret_that_it_reads(service: Service) -> None:
    text = json.dumps({**service.environment, "": " ".join(service.command)})
    assert set(re.findall(r"/run/secrets/(\w+)", text)) == set(service.secrets)
    told = {
        name: value
        for name, value in service.environment.items()
        if re.search("(PASSWORD|SECRET|TOKEN|KEY)(_FILE)?$", name)
    }
    assert [
        name for name, value in told.items() if value and not value.startswith(("/run/secrets/", "secret://"))
    ] == []


def test_the_entry_point_turns_files_into_variables(tmp_path: Path) -> None:
    script = (ROOT / "deploy" / "entrypoint.sh").read_text().replace("/run/secrets/", f"{tmp_path}/")
    script = script.replace("\\/run\\/secrets\\/", str(tmp_path).replace("/", "\\/") + "\\/")
    entry = tmp_path / "entrypoint.sh"
    entry.write_text(script)
    (tmp_path / "quiet").write_text("p$(id) 'q' \"r\" \\s\nsecond line\n")

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(entry), sys.executable, "-c", "import os, json; print(json.dumps(dict(os.environ)))"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    seen = json.loads(run(TOKEN_FILE=f"{tmp_path}/quiet", OTHER_FILE="/etc/other").stdout)
    assert seen["TOKEN"] == "p$(id) 'q' \"r\" \\s"
    assert "TOKEN_FILE" not in seen
    assert seen["OTHER_FILE"] == "/etc/other"
    refused = run(TOKEN_FILE=f"{tmp_path}/none")
    assert refused.returncode == 1
    assert "TOKEN_FILE" in refused.stderr


def own_machine() -> str:
    """Why there is none to be had; empty where there is."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return "namespaces need root, unshare and ip"
    if not (ROOT / ".superset-venv" / ".ready").exists():
        return "Apache Superset is not installed: make superset-for-tests"
    tried = subprocess.run(
        ["unshare", "-mnpf", "mount", "-t", "tmpfs", "tmpfs", "/srv"], check=False, capture_output=True
    )
    return "" if tried.returncode == 0 else f"namespaces are refused here: {tried.stderr.decode().strip()}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_service_runs_as_the_file_says_and_the_demo_on_them(tmp_path: Path) -> None:
    if why := own_machine():
        pytest.skip(why)
    command = [
        "unshare",
        "-mnpf",
        "--mount-proc",
        "--kill-child",
        sys.executable,
        "-m",
        "tests.deploy.machine",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=580, check=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    for each in seen["services"]:
        assert each["healthy"], f"{each['name']}: {each['command']} ended with {each['ended']}:\n{each['last_words']}"
    assert [each["name"] for each in seen["services"]] == list(stack())
    demo = (tmp_path / "demo.log").read_text()
    assert len(re.findall(r"^\w+ +yes ", demo, re.M)) == 9, demo
    assert None not in seen["stopped"].values(), f"had to be killed: {seen['stopped']}"
