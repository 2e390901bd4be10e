variable "name" {
  description = "Name of the role and of its policy."
  type        = string
  default     = "ack-upgrade-exporter"
}

variable "upgrade_source" {
  description = "The `source` of the exporter's configuration: auto, upgrade_status or tasks. Decides which actions are allowed."
  type        = string
  default     = "auto"

  validation {
    condition     = contains(["auto", "upgrade_status", "tasks"], var.upgrade_source)
    error_message = "Must be auto, upgrade_status or tasks."
  }
}

variable "watch" {
  description = "The keys of `watch` in the exporter's configuration: plans, versions, node_pools, addons, prechecks, maintenance. Each allows more actions."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.watch, ["plans", "versions", "node_pools", "addons", "prechecks", "maintenance"])) == 0
    error_message = "Each must be plans, versions, node_pools, addons, prechecks or maintenance."
  }
}

variable "oidc_provider_arn" {
  description = "ARN of the OIDC provider of the cluster in which the exporter runs: acs:ram::<account>:oidc-provider/ack-rrsa-<cluster ID>."
  type        = string

  validation {
    condition     = can(regex("^acs:ram::[0-9]+:oidc-provider/.+$", var.oidc_provider_arn))
    error_message = "Must look like acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789."
  }
}

variable "oidc_issuer" {
  description = "Issuer of that provider, as the cluster's page shows it."
  type        = string

  validation {
    condition     = startswith(var.oidc_issuer, "https://")
    error_message = "Must start with https://."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the exporter."
  type        = string
  default     = "monitoring"
}

variable "service_account" {
  description = "Kubernetes service account of the exporter."
  type        = string
  default     = "ack-upgrade-exporter"
}
