// Series for long ranges: reports over months, and dashboards over more clusters than one wants to join at each look.
// Nothing else that ships here needs them. Replicas of the exporter count once.
function(config)
  local promql = (import 'promql.libsonnet')(config);
  local metric = promql.metric;
  local names = {
    cluster: config.clusterLabel,
    joined: promql.joined,
    info: metric('cs_cluster_info'),
    status: metric('cs_upgrade_status'),
    up: metric('cs_up'),
    updated: metric('cs_upgrade_updated_timestamp_seconds'),
    started: metric('cs_upgrade_started_timestamp_seconds'),
    success: metric('cs_upgrade_status', 'status="success"'),
    requests: metric('cs_exporter_api_requests_total'),
    failures: metric('cs_exporter_api_request_failures_total'),
  };
  local record(name, expr) = { record: name, expr: std.rstripChars(expr % names, '\n') };
  [
    // Clusters by the status of their upgrade. A cluster that does not answer has none and is not counted.
    record('account_region_status:cs_upgrade_status:count', |||
      count by (job, account, region, status) (
        group by (job, %(cluster)s, account, region, status) (
          (%(status)s == 1)
          * %(joined)s group_left (account, region)
            %(info)s
        )
      )
    |||),

    // Clusters that do not answer.
    record('account_region:cs_up:count_down', |||
      count by (job, account, region) (
        max by (job, %(cluster)s, account, region) (
          %(up)s
          * %(joined)s group_left (account, region)
            %(info)s
        ) == 0
      )
    |||),

    // Clusters by the version they run; without a version where the account's list is not read.
    record('account_region_version:cs_cluster_info:count', |||
      count by (job, account, region, version) (group by (job, %(cluster)s, account, region, version) (%(info)s))
    |||),

    // How long the last upgrade that ended well took, where the source tells its times.
    record('cluster:cs_upgrade_duration_seconds:last', |||
      max by (job, %(cluster)s, name, account, region) (
        (
          (%(updated)s - %(started)s)
          and %(joined)s
            %(success)s == 1
        )
        * %(joined)s group_left (name, account, region)
          %(info)s
      )
    |||),

    // What is asked of Alibaba Cloud, and the part of it that fails.
    record('account_operation:cs_exporter_api_requests:rate5m', 'sum by (job, account, operation) (rate(%(requests)s[5m]))'),
    record('account_operation:cs_exporter_api_request_failures:ratio_rate5m', |||
      sum by (job, account, operation) (rate(%(failures)s[5m]))
      /
      (sum by (job, account, operation) (rate(%(requests)s[5m])) > 0)
    |||),
  ]
