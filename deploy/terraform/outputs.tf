output "role_name" {
  description = "For the chart's rrsa.roleName."
  value       = alicloud_ram_role.this.role_name
}

output "role_arn" {
  description = "For the chart's rrsa.roleArn and for role_arn in the configuration."
  value       = alicloud_ram_role.this.arn
}
