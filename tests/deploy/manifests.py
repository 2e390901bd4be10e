"""Checks rendered manifests: custom resources against their definitions, all of them against the rules of this project.

The groups of every PrometheusRule are written to the folder of --rules, for promtool.
"""

import argparse
import json
import pathlib
import re
import sys

import jsonschema
import yaml

CUSTOM = {
    ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler"): "verticalpodautoscaler_v1",
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): "httproute_v1",
    ("monitoring.coreos.com/v1", "Probe"): "probe_v1",
    ("monitoring.coreos.com/v1", "PrometheusRule"): "prometheusrule_v1",
    ("monitoring.coreos.com/v1", "ServiceMonitor"): "servicemonitor_v1",
    ("monitoring.coreos.com/v1alpha1", "ScrapeConfig"): "scrapeconfig_v1alpha1",
    ("monitoring.googleapis.com/v1", "PodMonitoring"): "podmonitoring_v1",
}
# The kinds that kubernetes-validate has checked before.
NATIVE = {"v1", "apps/v1", "policy/v1", "networking.k8s.io/v1"}
LABELS = {f"app.kubernetes.io/{label}" for label in ("name", "component", "part-of")}
RELABELINGS = ("relabelings", "metricRelabelings", "relabelingConfigs", "metricRelabeling")
# What a scrape beside /probe keeps, as `name;region`, and what it must not.
OWN_METRICS = ["cs_exporter_clusters;", "cs_exporter_discovery_success;cn-hangzhou", "ack_upgrade_exporter_build_info;", "process_open_fds;", "cs_query_up;cn-hangzhou"]
CLUSTER_METRICS = ["cs_up;", "cs_cluster_info;cn-hangzhou", "cs_upgrade_status;", "cs_query_up;", "cs_query_failure;"]
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def keeps(step, series):
    """Whether a relabeling with `action: keep` leaves a series, given as `name;region`."""
    values = dict(zip(("__name__", "region"), series.split(";")))
    return re.fullmatch(step["regex"], ";".join(values[label] for label in step["sourceLabels"])) is not None


class Checker:
    def __init__(self, file, documents):
        self.file, self.documents, self.mistakes = file, documents, []

    def expect(self, condition, document, message):
        if not condition:
            self.mistakes.append(f"{self.file}: {document['kind']} {document['metadata']['name']}: {message}")

    def of(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    def all(self):
        names = [(d["kind"], d["metadata"]["name"]) for d in self.documents]
        for document in self.documents:
            self.expect(names.count((document["kind"], document["metadata"]["name"])) == 1, document, "is there twice")
            version = document["apiVersion"]
            known = version in NATIVE or (version, document["kind"]) in CUSTOM
            self.expect(known, document, f"{version} has no schema to check it against")
            self.metadata(document)
            self.relabelings(document, document.get("spec"))
        workloads = self.of("Deployment", "StatefulSet")
        if len(workloads) != 1:
            self.mistakes.append(f"{self.file}: {len(workloads)} workloads")
        for workload in workloads:
            self.workload(workload)
        for service in self.of("Service"):
            self.service(service, workloads[0])
        for monitor in self.of("ServiceMonitor"):
            endpoint = monitor["spec"]["endpoints"][0]
            self.scrape(monitor, endpoint["interval"], endpoint["scrapeTimeout"])
            self.expect(endpoint["honorLabels"] is True, monitor, "honorLabels is off")
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            matched = [s for s in self.of("Service") if wanted <= s["metadata"]["labels"].items()]
            self.expect(len(matched) == 1, monitor, f"selects {len(matched)} services, so pods are scraped as often")
            self.expect(endpoint["port"] in [p["name"] for p in matched[0]["spec"]["ports"]], monitor, "names no port of the service")
            keeping = [step for step in endpoint.get("metricRelabelings", []) if step["action"] == "keep"]
            kept = [one for one in OWN_METRICS + CLUSTER_METRICS if all(keeps(step, one) for step in keeping)]
            beside = bool(self.of("Probe", "ScrapeConfig"))
            wanted = OWN_METRICS if beside else OWN_METRICS + CLUSTER_METRICS
            self.expect(kept == wanted, monitor, f"keeps {', '.join(kept)} and not {', '.join(wanted)}")
        for monitoring in self.of("PodMonitoring"):
            endpoint = monitoring["spec"]["endpoints"][0]
            self.scrape(monitoring, endpoint["interval"], endpoint["timeout"])
        ways = len(self.of("Probe")) + len({s["spec"]["jobName"] for s in self.of("ScrapeConfig")}) + len(self.of("PodMonitoring"))
        if ways > 1:
            self.mistakes.append(f"{self.file}: {ways} ways of asking for the same clusters")
        for probe in self.of("Probe"):
            self.scrape(probe, probe["spec"]["interval"], probe["spec"]["scrapeTimeout"])
        for scrape in self.of("ScrapeConfig"):
            spec = scrape["spec"]
            self.scrape(scrape, spec["scrapeInterval"], spec["scrapeTimeout"])
            self.expect(spec["honorLabels"] is True, scrape, "honorLabels is off")
            steps = [(step.get("sourceLabels"), step["targetLabel"]) for step in spec["relabelings"]]
            for step in [(["__address__"], "__param_target"), (["__param_target"], "instance"), (None, "__address__")]:
                self.expect(step in steps, scrape, f"lacks the relabelling {step}")
            address = [step["replacement"] for step in spec["relabelings"] if step["targetLabel"] == "__address__"][0]
            self.expect(f"//{address}/" in spec["httpSDConfigs"][0]["url"], scrape, "asks one exporter for what another one lists")
        if self.of("ScrapeConfig"):
            shards = workloads[0]["spec"]["replicas"] if workloads[0]["kind"] == "StatefulSet" else 1
            scrape = self.of("ScrapeConfig")
            self.expect(len(scrape) == shards, scrape[0], f"{len(scrape)} for {shards} shards")
        return self.mistakes

    def metadata(self, document):
        # The schemas of custom resources leave it out. A name of digits is text, too.
        metadata = document["metadata"]
        texts = [metadata["name"], metadata.get("namespace", "")]
        for part in ("labels", "annotations"):
            texts += metadata.get(part, {}).values()
        for text in texts:
            self.expect(isinstance(text, str), document, f"{text} is no text")

    def relabelings(self, document, part):
        # A field that the API server adds is a permanent difference for tools that compare.
        if isinstance(part, dict):
            for key, value in part.items():
                for step in value if key in RELABELINGS else ():
                    self.expect("action" in step, document, f"{key} without an action: {step}")
                self.relabelings(document, value)
        elif isinstance(part, list):
            for value in part:
                self.relabelings(document, value)

    def scrape(self, document, interval, timeout):
        self.expect(seconds(timeout) <= seconds(interval), document, f"the timeout {timeout} is longer than the interval {interval}")

    def workload(self, workload):
        def expect(condition, message):
            self.expect(condition, workload, message)

        spec, pod = workload["spec"], workload["spec"]["template"]["spec"]
        labels = spec["template"]["metadata"]["labels"]
        selector = spec["selector"]["matchLabels"]
        expect(LABELS <= labels.keys(), "the pods lack recommended labels")
        expect(selector.items() <= labels.items(), "the selector does not match its own pods")
        expect(not {"helm.sh/chart", "app.kubernetes.io/version"} & selector.keys(), "the selector changes with the version")
        expect(not any("checksum" in key for key in spec["template"]["metadata"].get("annotations", {})), "restarts for what is reloaded")
        expect(pod["automountServiceAccountToken"] is False, "mounts a token of the API")
        security = pod["securityContext"]
        expect(security["runAsNonRoot"] is True and security["runAsUser"] == 65532, "may run as root")
        expect(security["seccompProfile"] == {"type": "RuntimeDefault"}, "has no seccomp profile")
        container = pod["containers"][0]
        security = container["securityContext"]
        expect(security["readOnlyRootFilesystem"] is True, "may write to its file system")
        expect(security["allowPrivilegeEscalation"] is False, "may escalate")
        expect(security["capabilities"] == {"drop": ["ALL"]}, "has capabilities")
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        args = container["args"]
        listens = [arg for arg in args if arg.startswith("--web.listen-address=:")] or ["--web.listen-address=:10525"]
        expect(listens == [f"--web.listen-address=:{ports['http']}"], "listens elsewhere than its port says")
        prefix = next((arg.partition("=")[2] for arg in args if arg.startswith("--web.route-prefix=")), "")
        for probe, path in (("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready")):
            http = container[probe].get("httpGet")
            expect(http is None or (http["path"], http["port"]) == (prefix + path, "http"), f"{probe} asks elsewhere")
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        volumes = [volume["name"] for volume in pod["volumes"]]
        expect(mounts == set(volumes) and len(volumes) == len(mounts), "volumes and their mounts differ")
        expect(any(arg.startswith("--config.auto-reload-interval=") for arg in args), "does not reload by itself")
        config = next(arg.partition("=")[2] for arg in args if arg.startswith("--config.file="))
        folders = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("subPath")]
        expect(any(config.startswith(folder + "/") for folder in folders), "the configuration is in no volume that follows changes")
        sharding = [arg for arg in args if arg.startswith("--shard.")]
        if workload["kind"] == "StatefulSet":
            expect(sharding == ["--shard.ordinal-from-hostname", f"--shard.total={spec['replicas']}"], f"replicas differ from {sharding}")
            services = [s for s in self.of("Service") if s["metadata"]["name"] == spec["serviceName"]]
            expect([s["spec"].get("clusterIP") for s in services] == ["None"], "has no headless service")
            # A Deployment's service must not become headless: the API server refuses that.
            others = [s for s in self.of("Service") if s not in services]
            expect([s["spec"].get("clusterIP") for s in others] == [None], "has no service with an address")
        else:
            expect(not sharding, "shards without ordinals")
        known = [account["metadata"]["name"] for account in self.of("ServiceAccount")]
        expect(not known or known == [pod["serviceAccountName"]], "runs as another service account")
        for volume in pod["volumes"]:
            own = volume.get("configMap", {}).get("name")
            if volume["name"] == "config" and own in [d["metadata"]["name"] for d in self.of("ConfigMap")]:
                data = [d for d in self.of("ConfigMap") if d["metadata"]["name"] == own][0]["data"]
                expect(config.rpartition("/")[2] in data, f"{config} is not in its ConfigMap")

    def service(self, service, workload):
        template = workload["spec"]["template"]
        # The API server rejects this; the schema does not.
        self.expect(re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", str(service["metadata"]["name"])), service, "does not begin with a letter")
        selector = service["spec"]["selector"].items()
        self.expect(selector <= template["metadata"]["labels"].items(), service, "selects no pod")
        names = [port["name"] for port in template["spec"]["containers"][0]["ports"]]
        for port in service["spec"]["ports"]:
            self.expect(port["targetPort"] in names, service, f"sends to {port['targetPort']}")


def seconds(duration):
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"([0-9]+)(ms|[smhdw])", duration))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--schemas", type=pathlib.Path, required=True)
    parser.add_argument("--rules", type=pathlib.Path, required=True)
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    args.rules.mkdir(exist_ok=True)
    mistakes = []
    for file in args.files:
        documents = [document for document in yaml.safe_load_all(file.read_text()) if document]
        for document in documents:
            name = CUSTOM.get((document["apiVersion"], document["kind"]))
            if name:
                schema = json.loads((args.schemas / f"{name}.json").read_text())
                for error in jsonschema.Draft7Validator(schema).iter_errors(document):
                    mistakes.append(f"{file}: {document['kind']}: {error.json_path}: {error.message}")
            if document["kind"] == "PrometheusRule":
                (args.rules / f"{file.stem}.yml").write_text(yaml.safe_dump(document["spec"]))
        mistakes += Checker(file.name, documents).all()
        print(f"{file.stem}: {len(documents)} manifests")
    if mistakes:
        sys.exit("\n".join(mistakes))


main()
