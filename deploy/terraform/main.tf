# A RAM role that the exporter's pods assume by their service account (RRSA), and nothing that it does not need.

locals {
  # The files that the documentation shows are the ones that are applied.
  policies = {
    auto           = "auto.json"
    upgrade_status = "upgrade-status.json"
    tasks          = "tasks.json"
  }
  watch_policies = {
    plans       = "plans.json"
    versions    = "versions.json"
    node_pools  = "node-pools.json"
    addons      = "addons.json"
    prechecks   = "prechecks.json"
    maintenance = "maintenance.json"
  }
}

resource "alicloud_ram_policy" "this" {
  policy_name     = var.name
  description     = "What ack-upgrade-exporter reads"
  policy_document = file("${path.module}/../ram/${local.policies[var.upgrade_source]}")
}

resource "alicloud_ram_policy" "watch" {
  for_each        = var.watch
  policy_name     = "${var.name}-${replace(each.key, "_", "-")}"
  description     = "What ack-upgrade-exporter reads for watch.${each.key}"
  policy_document = file("${path.module}/../ram/${local.watch_policies[each.key]}")
}

resource "alicloud_ram_role" "this" {
  role_name   = var.name
  description = "Assumed by ack-upgrade-exporter in Kubernetes"

  assume_role_policy_document = jsonencode({
    Version = "1"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Federated = [var.oidc_provider_arn] }
      Condition = {
        StringEquals = {
          "oidc:iss" = var.oidc_issuer
          "oidc:aud" = "sts.aliyuncs.com"
          "oidc:sub" = "system:serviceaccount:${var.namespace}:${var.service_account}"
        }
      }
    }]
  })
}

resource "alicloud_ram_role_policy_attachment" "this" {
  policy_name = alicloud_ram_policy.this.policy_name
  policy_type = "Custom"
  role_name   = alicloud_ram_role.this.role_name
}

resource "alicloud_ram_role_policy_attachment" "watch" {
  for_each    = alicloud_ram_policy.watch
  policy_name = each.value.policy_name
  policy_type = "Custom"
  role_name   = alicloud_ram_role.this.role_name
}
