"""Checks that promtool does not make: labels that are kept, targets that are set, passwords that are also sent to /sd."""

import re
import sys

import yaml

# As `name;region`: what the scrape beside the probes has to keep, since no probe has it, and what would be there twice.
OWN = ["cs_exporter_clusters;", "ack_upgrade_exporter_build_info;", "process_open_fds;", "cs_query_up;cn-hangzhou"]
PROBED = ["cs_up;", "cs_cluster_info;cn-hangzhou", "cs_query_up;"]


def keeps(step, series):
    values = dict(zip(("__name__", "region"), series.split(";")))
    return re.fullmatch(step["regex"], ";".join(values[label] for label in step["source_labels"])) is not None


mistakes = []
for name in sys.argv[1:]:
    with open(name) as file:
        jobs = yaml.safe_load(file)["scrape_configs"]
    for job in jobs:
        where = f"{name}: {job['job_name']}"
        if job.get("honor_labels") is not True:
            mistakes.append(f"{where}: honor_labels is off")
        if not {"scrape_interval", "scrape_timeout"} <= job.keys():
            mistakes.append(f"{where}: has no interval or timeout of its own")
        for step in job.get("metric_relabel_configs", ()):
            kept = [series for series in OWN + PROBED if keeps(step, series)]
            if kept != OWN:
                mistakes.append(f"{where}: keeps {', '.join(kept)} and not {', '.join(OWN)}")
        if job.get("metrics_path") != "/probe":
            continue
        steps = [(tuple(step.get("source_labels", ())), step["target_label"]) for step in job["relabel_configs"]]
        for step in [(("__address__",), "__param_target"), (("__param_target",), "instance"), ((), "__address__")]:
            if step not in steps:
                mistakes.append(f"{where}: lacks the relabelling {step}")
        address = [step["replacement"] for step in job["relabel_configs"] if step["target_label"] == "__address__"][0]
        for discovery in job["http_sd_configs"]:
            if discovery["url"] != f"{job.get('scheme', 'http')}://{address}/sd":
                mistakes.append(f"{where}: asks one exporter for what another one lists")
            for key in ("basic_auth", "tls_config"):
                if job.get(key) != discovery.get(key):
                    mistakes.append(f"{where}: {key} of the scrape and of the discovery differ")
if mistakes:
    sys.exit("\n".join(mistakes))
