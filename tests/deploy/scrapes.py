"""Checks that promtool does not make: labels that are kept, targets that are set, passwords that are also sent to /sd."""

import sys

import yaml

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
