#!/usr/bin/env python3
"""Unit tests of the chart: what it renders with some values, and what it refuses. HELM is the path of Helm."""

import itertools
import json
import os
import pathlib
import subprocess
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/ack-upgrade-exporter"
BASE = {"config": {"accounts": [{"name": "prod", "discovery": {"regions": ["cn-hangzhou"]}}]}}
LABELLED = {"config": BASE["config"] | {"metrics": {"cluster_label": "ack_cluster"}}}
SCRAPES = {
    "serviceMonitor": {"enabled": True},
    "probe": {"enabled": True, "targets": ["shop"]},
    "scrapeConfig": {"enabled": True},
    "podMonitoring": {"enabled": True},
}
ON = {"enabled": True}


def helm(values):
    command = [os.environ.get("HELM", "helm"), "template", "test", CHART, "--namespace", "monitoring", "--values", "-"]
    return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)


class Rendered:
    """The manifests that the chart makes of BASE and these values."""

    def __init__(self, **values):
        ended = helm(BASE | values)
        assert ended.returncode == 0, ended.stderr
        self.text = ended.stdout
        self.documents = [document for document in yaml.safe_load_all(ended.stdout) if document]

    def all(self, kind):
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, kind, name=None):
        (found,) = [document for document in self.all(kind) if name in (None, document["metadata"]["name"])]
        return found

    def pod(self):
        (workload,) = self.all("Deployment") + self.all("StatefulSet")
        return workload["spec"]["template"]["spec"]


class Chart(unittest.TestCase):
    def refused(self, message, **values):
        ended = helm(BASE | values)
        self.assertNotEqual(ended.returncode, 0, f"{values} is rendered")
        self.assertIn(message, ended.stderr)


class Services(Chart):
    NAME = "test-ack-upgrade-exporter"

    def test_kind_can_change_because_the_service_stays_the_same(self):
        deployment = Rendered().one("Service", self.NAME)
        statefulset = Rendered(kind="StatefulSet", shards=3).one("Service", self.NAME)
        self.assertEqual(deployment, statefulset)

    def test_statefulset_has_a_headless_service_of_its_own_name(self):
        rendered = Rendered(kind="StatefulSet", shards=3)
        headless = rendered.one("Service", f"{self.NAME}-headless")
        self.assertEqual(headless["spec"]["clusterIP"], "None")
        self.assertEqual(rendered.one("StatefulSet")["spec"]["serviceName"], f"{self.NAME}-headless")
        self.assertEqual(len(Rendered().all("Service")), 1)

    def test_each_shard_is_asked_under_its_own_name(self):
        configs = Rendered(kind="StatefulSet", shards=2, scrapeConfig=ON, service={"port": 80}).all("ScrapeConfig")
        urls = [config["spec"]["httpSDConfigs"][0]["url"] for config in configs]
        self.assertEqual(urls, [f"http://{self.NAME}-{i}.{self.NAME}-headless.monitoring.svc:10525/sd" for i in range(2)])

    def test_node_port_and_load_balancer_are_left_out_of_a_cluster_ip(self):
        values = {"nodePort": 30525, "loadBalancerClass": "nlb", "loadBalancerIP": "192.0.2.1", "loadBalancerSourceRanges": ["10.0.0.0/8"]}
        plain = Rendered(service=values).one("Service")["spec"]
        self.assertNotIn("nodePort", plain["ports"][0])
        self.assertFalse({"loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges"} & plain.keys())
        balanced = Rendered(service=values | {"type": "LoadBalancer"}).one("Service")["spec"]
        self.assertEqual(balanced["ports"][0]["nodePort"], 30525)
        self.assertEqual(balanced["loadBalancerSourceRanges"], ["10.0.0.0/8"])


class Scrapes(Chart):
    def test_two_ways_of_asking_for_the_same_clusters_are_refused(self):
        for one, other in itertools.combinations(SCRAPES, 2):
            with self.subTest(one=one, other=other):
                message = f"{one} and {other} each query the same clusters, so that every alert would fire twice: enable one of them"
                self.refused(message, **LABELLED | {one: SCRAPES[one], other: SCRAPES[other]})

    def test_own_metrics_are_scraped_beside_probe_and_scrape_config_only(self):
        for way, values in SCRAPES.items():
            with self.subTest(way=way):
                rendered = Rendered(**LABELLED | {way: values})
                self_monitors = [monitor for monitor in rendered.all("ServiceMonitor") if monitor["metadata"]["name"].endswith("-self")]
                self.assertEqual(len(self_monitors), way in ("probe", "scrapeConfig"))
                for monitor in self_monitors:
                    (step,) = monitor["spec"]["endpoints"][0]["metricRelabelings"]
                    self.assertEqual((step["action"], step["sourceLabels"]), ("keep", ["__name__", "region"]))

    def test_self_monitor_can_be_switched_off(self):
        self.assertEqual(Rendered(scrapeConfig=ON, selfMonitor={"enabled": False}).all("ServiceMonitor"), [])

    def test_timeout_longer_than_the_interval_is_refused(self):
        self.refused("serviceMonitor.scrapeTimeout 1m30s is longer than its interval 1m", serviceMonitor=ON | {"interval": "1m", "scrapeTimeout": "1m30s"})
        Rendered(serviceMonitor=ON | {"interval": "1m30s", "scrapeTimeout": "90s"})

    def test_limits_of_zero_are_no_limits(self):
        limits = {"sampleLimit", "targetLimit", "keepDroppedTargets", "labelLimit", "labelNameLengthLimit", "labelValueLengthLimit", "bodySizeLimit", "scrapeClass"}
        self.assertFalse(limits & Rendered(serviceMonitor=ON).one("ServiceMonitor")["spec"].keys())
        self.assertEqual(Rendered(serviceMonitor=ON | {"labelLimit": 40}).one("ServiceMonitor")["spec"]["labelLimit"], 40)

    def test_formats_and_labels_of_the_node_are_asked_for_if_named(self):
        asked = {"scrapeProtocols": ["PrometheusText0.0.4"], "attachMetadata": {"node": True}}
        self.assertLessEqual(asked.items(), Rendered(serviceMonitor=ON | asked).one("ServiceMonitor")["spec"].items())
        self.assertFalse(asked.keys() & Rendered(serviceMonitor=ON).one("ServiceMonitor")["spec"].keys())
        self.refused("serviceMonitor.scrapeProtocols.0", serviceMonitor=ON | {"scrapeProtocols": ["text"]})

    def test_enable_http2_can_be_false(self):
        endpoint = Rendered(serviceMonitor=ON | {"enableHttp2": False}).one("ServiceMonitor")["spec"]["endpoints"][0]
        self.assertIs(endpoint["enableHttp2"], False)
        self.assertNotIn("enableHttp2", Rendered(serviceMonitor=ON).one("ServiceMonitor")["spec"]["endpoints"][0])

    def test_pod_monitoring_needs_a_cluster_label_of_its_own(self):
        self.refused("Google's collector sets a label cluster of its own", podMonitoring=ON)
        Rendered(podMonitoring=ON, clusterLabel="ack_cluster")

    def test_cluster_label_is_that_of_the_configuration_everywhere(self):
        rendered = Rendered(**LABELLED, scrapeConfig=ON, prometheusRule=ON, dashboards=ON)
        labels = [step["targetLabel"] for step in rendered.one("ScrapeConfig")["spec"]["relabelings"]]
        self.assertIn("ack_cluster", labels)
        self.assertNotIn("cluster", labels)
        self.assertIn("on (ack_cluster, job, instance)", rendered.text)
        self.assertNotIn("on (cluster, job, instance)", rendered.text)
        self.assertNotIn("<cluster>", rendered.text)

    def test_alerts_in_chinese_are_those_of_the_chinese_file(self):
        rendered = Rendered(prometheusRule=ON | {"language": "zh"}, dashboards=ON)
        shipped = [yaml.safe_load((ROOT / "deploy/prometheus" / name).read_text()) for name in ("zh-CN/alerts.yml", "recording.yml")]
        self.assertEqual(rendered.one("PrometheusRule")["spec"]["groups"], [group for one in shipped for group in one["groups"]])

    def test_language_chooses_the_runbooks_under_any_address(self):
        for language, folder in (("en", ""), ("zh", "/zh-CN")):
            values = {"language": language, "runbookUrl": "https://runbooks.test/ack/"}
            rendered = Rendered(prometheusRule=ON | values, dashboards=ON)
            self.assertIn(f"https://runbooks.test/ack{folder}/AckUpgradeFailed", rendered.text)
            self.assertIn(f"https://runbooks.test/ack{folder}/${{__value.text}}", rendered.text)
            self.assertNotIn("example.com/runbooks", rendered.text)
            self.assertEqual("runbooks.test/ack/zh-CN" in rendered.text, language == "zh")


class Pods(Chart):
    def test_node_network_keeps_the_names_of_the_cluster(self):
        self.assertEqual((Rendered(hostNetwork=True).pod()["hostNetwork"], Rendered(hostNetwork=True).pod()["dnsPolicy"]), (True, "ClusterFirstWithHostNet"))
        self.assertEqual(Rendered(hostNetwork=True, dnsPolicy="Default").pod()["dnsPolicy"], "Default")
        self.assertFalse({"hostNetwork", "dnsPolicy"} & Rendered().pod().keys())

    def test_global_pull_secrets_join_those_of_the_chart(self):
        values = {"global": {"imagePullSecrets": [{"name": "one"}]}, "imagePullSecrets": [{"name": "two"}, {"name": "one"}]}
        self.assertEqual(Rendered(**values).pod()["imagePullSecrets"], [{"name": "one"}, {"name": "two"}])

    def test_lifecycle_and_annotations(self):
        rendered = Rendered(lifecycle={"preStop": {"sleep": {"seconds": 5}}}, annotations={"note": "yes"})
        self.assertEqual(rendered.pod()["containers"][0]["lifecycle"], {"preStop": {"sleep": {"seconds": 5}}})
        self.assertEqual(rendered.one("Deployment")["metadata"]["annotations"], {"note": "yes"})

    def test_scheduler_runtime_and_users_are_those_of_the_cluster_unless_named(self):
        named = {"schedulerName": "own", "runtimeClassName": "sandboxed", "hostUsers": False}
        self.assertLessEqual(named.items(), Rendered(**named).pod().items())
        self.assertFalse(named.keys() & Rendered().pod().keys())

    def test_both_workloads_wait_before_the_next_pod_if_asked(self):
        for kind in ("Deployment", "StatefulSet"):
            with self.subTest(kind=kind):
                self.assertEqual(Rendered(kind=kind, minReadySeconds=5).one(kind)["spec"]["minReadySeconds"], 5)
                self.assertNotIn("minReadySeconds", Rendered(kind=kind).one(kind)["spec"])

    def test_reason_of_an_exporter_that_stopped_is_in_the_status_of_its_pod(self):
        self.assertEqual(Rendered().pod()["containers"][0]["terminationMessagePolicy"], "FallbackToLogsOnError")

    def test_annotations_of_the_configuration_in_either_kind(self):
        for kind, values in (("ConfigMap", {}), ("Secret", {"secretConfig": True})):
            with self.subTest(kind=kind):
                rendered = Rendered(**values, configAnnotations={"note": "yes"})
                self.assertEqual(rendered.one(kind)["metadata"]["annotations"], {"note": "yes"})

    def test_openshift_can_choose_the_user(self):
        context = Rendered(podSecurityContext={"runAsUser": None, "runAsGroup": None, "fsGroup": None}).pod()["securityContext"]
        self.assertEqual(context, {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})

    def test_config_of_another_values_file_is_cleared_with_null(self):
        self.refused("config: null", configExistingSecret={"name": "own"})
        Rendered(config=None, configExistingSecret={"name": "own"})


class Access(Chart):
    def test_monitoring_namespace_is_let_in_beside_others(self):
        others = {"podSelector": {}}
        policy = Rendered(networkPolicy=ON | {"allowMonitoringNamespace": True, "from": [others]}).one("NetworkPolicy")
        namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
        self.assertEqual(policy["spec"]["ingress"][0]["from"], [namespace, others])
        self.assertNotIn("from", Rendered(networkPolicy=ON).one("NetworkPolicy")["spec"]["ingress"][0])

    def test_redirecting_route_has_no_backend(self):
        (rule,) = Rendered(route=ON | {"parentRefs": [{"name": "public"}], "httpsRedirect": True}).one("HTTPRoute")["spec"]["rules"]
        self.assertNotIn("backendRefs", rule)
        self.assertEqual(rule["filters"], [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}])

    def test_additional_rules_come_before_the_chart_s_own(self):
        own = {"matches": [{"path": {"type": "PathPrefix", "value": "/config"}}]}
        rules = Rendered(route=ON | {"parentRefs": [{"name": "public"}], "additionalRules": [own]}).one("HTTPRoute")["spec"]["rules"]
        self.assertEqual([rules[0], len(rules)], [own, 2])

    def test_autoscaler_sets_requests_alone_if_asked(self):
        def policy(**values):
            (policy,) = Rendered(verticalPodAutoscaler=ON | values).one("VerticalPodAutoscaler")["spec"]["resourcePolicy"]["containerPolicies"]
            return policy

        self.assertEqual(policy(controlledValues="RequestsOnly")["controlledValues"], "RequestsOnly")
        self.assertNotIn("controlledValues", policy())

    def test_unhealthy_pods_may_go_if_asked(self):
        budget = Rendered(podDisruptionBudget=ON | {"unhealthyPodEvictionPolicy": "AlwaysAllow"}).one("PodDisruptionBudget")
        self.assertEqual(budget["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow")


class Metadata(Chart):
    def test_test_pod_asks_the_service_and_is_behind_none(self):
        rendered = Rendered(web={"tls": True, "routePrefix": "/ack"}, service={"port": 443})
        pod = rendered.one("Pod")
        self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook"], "test")
        self.assertEqual(pod["spec"]["containers"][0]["args"], ["https://test-ack-upgrade-exporter.monitoring.svc:443/ack/-/ready"])
        selector = rendered.one("Service")["spec"]["selector"]
        self.assertFalse(selector.items() <= pod["metadata"]["labels"].items())

    def test_chart_has_what_chart_testing_wants(self):
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        self.assertLessEqual({"name", "home", "version", "apiVersion", "appVersion", "description", "sources", "maintainers"}, chart.keys())
        for maintainer in chart["maintainers"]:
            self.assertLessEqual({"name", "email", "url"}, maintainer.keys())


unittest.main()
