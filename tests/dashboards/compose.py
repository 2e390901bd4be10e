#!/usr/bin/env python3
"""Checks deploy/compose without a container engine: every mounted file exists, each program finds the files of its configuration
under the mounts, and promtool and amtool accept the configurations."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/compose"

mistakes = []


def mistake(what):
    mistakes.append(what)


def mounts(service):
    """Paths in the container, with the files of this repository."""
    found = {}
    for volume in service.get("volumes", []):
        source, target, mode = volume.split(":")
        source = (FOLDER / source).resolve()
        if not source.exists():
            mistake(f"{volume}: there is no {source.relative_to(ROOT)}")
            continue
        if mode != "ro":
            mistake(f"{volume}: can be written")
        found[target] = source
    return found


def here(mounted, path):
    """The file of this repository for a path in the container."""
    for target, source in mounted.items():
        if path == target or path.startswith(f"{target}/"):
            return source / path[len(target) :].lstrip("/")
    mistake(f"{path} is not mounted")
    return None


def loaded(mounted, path):
    source = here(mounted, path)
    return yaml.safe_load(source.read_text()) if source else {}


def flag(service, name):
    return next(one.removeprefix(f"{name}=") for one in service["command"] if one.startswith(f"{name}="))


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        mistake(f"{' '.join(map(str, command))}:\n{result.stdout}{result.stderr}")
    return result.stdout


def check_address(services, address, port_of):
    """An address that one program uses for another is that service's."""
    host, port = address.rsplit(":", 1)
    if host not in services or int(port) != port_of[host]:
        mistake(f"{address} is no service, or not its port")


def check_prometheus(services, port_of):
    service = services["prometheus"]
    mounted = mounts(service)
    config = loaded(mounted, flag(service, "--config.file"))
    for alertmanager in config["alerting"]["alertmanagers"]:
        for target in alertmanager["static_configs"][0]["targets"]:
            check_address(services, target, port_of)
    for job in config["scrape_configs"]:
        if not job.get("honor_labels"):
            mistake(f"{job['job_name']} does not honour labels")
        for target in job["static_configs"][0]["targets"]:
            check_address(services, target, port_of)
    # The container's files where they would lie, below a folder of ours.
    with tempfile.TemporaryDirectory() as folder:
        for target, source in mounted.items():
            copy = pathlib.Path(folder) / target.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(source.read_text().replace(" [/etc/", f" [{folder}/etc/"))
        said = run("promtool", "check", "config", f"{folder}{flag(service, '--config.file')}")
        if said.count(" rules found") != 2:
            mistake(f"Prometheus would not find both files of rules:\n{said}")


def check_alertmanager(services):
    service = services["alertmanager"]
    run("amtool", "check-config", here(mounts(service), flag(service, "--config.file")))


def check_grafana(services, port_of):
    service = services["grafana"]
    mounted = mounts(service)
    sources = loaded(mounted, "/etc/grafana/provisioning/datasources/ack-upgrade.yml")["datasources"]
    if [(one["uid"], one["type"], one["isDefault"]) for one in sources] != [("prometheus", "prometheus", True)]:
        mistake("the data source is not the one that the dashboards begin with")
    check_address(services, sources[0]["url"].removeprefix("http://"), port_of)
    for provider in loaded(mounted, "/etc/grafana/provisioning/dashboards/ack-upgrade.yml")["providers"]:
        folder = here(mounted, provider["options"]["path"])
        if folder and len(list(folder.glob("*.json"))) != 3:
            mistake(f"{folder} does not hold the three dashboards")
    home = here(mounted, service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    if home and json.loads(home.read_text())["uid"] != "ack-upgrade-fleet":
        mistake("the first page is not Fleet")


def main():
    for program in ("promtool", "amtool"):
        if not shutil.which(program):
            sys.exit(f"needs {program}")
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    port_of = {}
    for name, service in services.items():
        for port in service["ports"]:
            port_of[name] = int(port.split(":")[-1])
            if not port.startswith("127.0.0.1:"):
                mistake(f"{name} can be reached from other machines")
        if ":" not in service["image"]:
            mistake(f"{name} runs whatever is newest")
        for other in service.get("depends_on", []):
            if other not in services:
                mistake(f"{name} waits for {other}, which is not there")
    build = services["exporter"]["build"]
    context = (FOLDER / build["context"]).resolve()
    if context != ROOT or not (context / build["dockerfile"]).is_file():
        mistake("the image is not built from the top of the repository")
    check_prometheus(services, port_of)
    check_alertmanager(services)
    check_grafana(services, port_of)
    for one in mistakes:
        print(one, file=sys.stderr)
    sys.exit(1 if mistakes else 0)


main()
