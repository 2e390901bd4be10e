// The exporter, and its standing with Alibaba Cloud.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local metric = promql.metric;
  local last = promql.last;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, expr, variables='?var-job={{ $labels.job }}') = new(name, 'ack-upgrade-exporter' + variables, expr);
  local threshold(name) = promql.number(config.alerts[name].threshold);
  local rate(name, matchers='') = 'rate(%s[10m])' % metric(name, matchers);

  // When a job was last seen, and for which accounts and regions. The alerts look a day back, which over all clusters would be too much.
  local seen = 'job:ack_upgrade_exporter:seen_timestamp_seconds';
  local places = 'job_account_region:ack_upgrade_exporter:seen_timestamp_seconds';
  // With /probe a job may have cs_up alone.
  local present = '%s or %s' % [metric('ack_upgrade_exporter_build_info'), metric('cs_up')];

  // The accounts and regions of jobs that are gone.
  local left = 'max_over_time(%s[1d]) unless on (job) %s' % [places, seen];
  // Those of them that another job has, first seen after or at most an hour before the end of the one that is gone. A job that has been
  // there for longer did not take over: it has other clusters of the same account.
  local taken = |||
    (%s) - 3600
    <= on (account, region) group_left ()
      max by (account, region) (min_over_time(%s[1d]) and on (job) %s)
  ||| % [left, places, seen];
  // Jobs that are gone and left nothing that another has not taken over.
  local renamed = |||
    group by (job) (
      %s
    )
    unless on (job)
    (
      %s
      unless on (job, account, region)
        %s
    )
  ||| % [promql.indent(2, taken), left, promql.indent(4, taken)];

  [
    { record: 'job:ack_upgrade_exporter:seen_timestamp_seconds', expr: 'time() * group by (job) (%s)' % present },
    {
      record: 'job_account_region:ack_upgrade_exporter:seen_timestamp_seconds',
      expr: 'time() * group by (job, account, region) (%s or %s)' % [metric('cs_cluster_info'), metric('cs_exporter_source_info')],
    },
  ]

  // Asks for the exporter's own series, so that it does not depend on the job's name. The first half remembers for a day which job it was.
  + alert('AckUpgradeExporterDown', variables='', expr=|||
    (
      group by (job) (max_over_time(%s[1d]))
      unless on (job)
        %s
      unless on (job)
        (
          %s
        )
    )
    or on ()
      absent(%s)
  ||| % [seen, seen, promql.indent(6, renamed), present])

  + alert('AckUpgradeJobRenamed',
    renamed
  )

  // Without the label every rule about clusters is silent or fails, and everything looks healthy.
  + alert('AckUpgradeClusterLabelLost',
    |||
      count by (job) (
        %s
        or
        %s
      ) > 0
    ||| % [last('cs_cluster_info', 'exported_%s!=""' % cluster), last('cs_cluster_info', '%s=""' % cluster)]
  )

  + alert('AckUpgradeNoClusters',
    'sum by (job) (%s) == 0' % last('cs_exporter_clusters')
  )

  // Against a day ago, so that it lasts long enough to be read.
  + alert('AckUpgradeClustersDropped',
    local clusters = 'count by (job) (group by (job, %s) (%%s))' % cluster;
    |||
      %s
      < %s *
      %s
    ||| % [clusters % last('cs_cluster_info'), threshold('AckUpgradeClustersDropped'), clusters % (metric('cs_cluster_info') + ' offset 1d')]
  )

  + alert('AckUpgradeScrapeOverBudget',
    |||
      max without (%s) (
        avg_over_time(%s[15m])
        /
        avg_over_time(%s[15m])
      ) > %s
    ||| % [
      promql.replica,
      metric('cs_exporter_scrape_duration_seconds'),
      metric('cs_exporter_scrape_budget_seconds'),
      threshold('AckUpgradeScrapeOverBudget'),
    ]
  )

  // A query that has just been answered is dated by the exporter's clock, and its sample by Prometheus's. Where nothing has been answered for
  // five minutes an old date says nothing. With /probe the dates are in one job and the requests in another: then the account joins them.
  + alert('AckUpgradeClockSkew',
    local success = metric('cs_last_success_timestamp_seconds');
    local ahead = '%s - timestamp(%s)' % [success, success];
    local answered(labels, requests) = |||
      sum by (%(labels)s) (increase(%(requests)s[5m])%(which)s)
      - (sum by (%(labels)s) (increase(%(failures)s[5m])%(which)s) or sum by (%(labels)s) (increase(%(requests)s[5m])%(which)s) * 0)
      > 1
    ||| % {
      labels: labels,
      which: requests,
      requests: metric('cs_exporter_api_requests_total', 'operation=~"GetUpgradeStatus|DescribeClusterTasks"'),
      failures: metric('cs_exporter_api_request_failures_total', 'operation=~"GetUpgradeStatus|DescribeClusterTasks"'),
    };
    |||
      max by (job) (%(ahead)s) > %(ahead_by)s
      or on (job)
      min by (job) (
        max by (job, instance) ((%(ahead)s) and on (%(cluster)s, job, instance) %(up)s == 1)
        and on (job, instance)
          (
            %(answered)s
          )
      ) < -(300 + %(ahead_by)s)
      or on (job)
      min by (job) (
        max by (job, account) (
          ((%(ahead)s) and %(joined)s %(up)s == 1)
          * %(joined)s group_left (account)
            %(info)s
        )
        unless on (job)
          %(requests)s
        and on (account)
          (
            %(answeredBeside)s
          )
      ) < -(300 + %(ahead_by)s)
    ||| % {
      ahead: ahead,
      ahead_by: threshold('AckUpgradeClockSkew'),
      cluster: cluster,
      up: metric('cs_up'),
      answered: promql.indent(6, answered('job, instance', '')),
      answeredBeside: promql.indent(6, answered('account', ' unless on (job) ' + success)),
      joined: joined,
      info: promql.info,
      requests: 'rate(%s[5m])' % metric('cs_exporter_api_requests_total'),
    }
  )

  // The first half covers calls about no single cluster, the second credentials that cannot even be fetched, for which no request is sent.
  + alert('AckUpgradeCredentialsRejected',
    |||
      (
          sum by (job, account, reason) (%(failures)s)
        / on (job, account) group_left
          sum by (job, account) (%(requests)s)
        > %(threshold)s
      )
      or on (job, account, reason)
      (
          count by (job, account, reason) (
            %(rejected)s
            * %(joined)s group_left (account)
            %(info)s
          )
        / on (job, account) group_left
          count by (job, account) (group by (%(cluster)s, job, instance, account) (%(clusters)s))
        > %(threshold)s
      )
    ||| % {
      failures: rate('cs_exporter_api_request_failures_total', 'reason=~"auth|forbidden"'),
      requests: rate('cs_exporter_api_requests_total'),
      threshold: threshold('AckUpgradeCredentialsRejected'),
      rejected: last('cs_query_failure', 'reason=~"auth|forbidden"', '5m'),
      joined: joined,
      info: promql.info,
      cluster: cluster,
      clusters: last('cs_cluster_info'),
    }
  )

  + alert('AckUpgradeThrottled',
    |||
      sum by (job, account) (%s)
      /
      sum by (job, account) (%s)
      > %s
    ||| % [
      rate('cs_exporter_api_request_failures_total', 'reason="throttled"'),
      rate('cs_exporter_api_requests_total'),
      threshold('AckUpgradeThrottled'),
    ]
  )

  // The exporter refreshes when a fifth of the lifetime is left, at most 15 minutes ahead, so an eighth is late whatever the lifetime.
  // No look back: a pod that is gone refreshes nothing any more.
  + alert('AckUpgradeCredentialsExpiring',
    local left = '%s - time()' % metric('cs_exporter_credentials_expiry_timestamp_seconds');
    |||
      %s < %s
      and
      %s
        < max_over_time((%s)[6h:1m]) / 8
    ||| % [left, threshold('AckUpgradeCredentialsExpiring'), left, left]
  )

  + alert('AckUpgradeDiscoveryFailing',
    'max without (%s) (max_over_time(%s[15m])) == 0' % [promql.replica, metric('cs_exporter_discovery_success')]
  )

  + alert('AckUpgradeReloadFailed',
    '%s == 0' % last('cs_exporter_config_last_reload_successful')
  )

  + alert('AckUpgradeShardsMissing',
    |||
      max by (job) (%s)
      - on (job)
      count by (job) (count_values by (job) ("ordinal", %s))
      > 0
    ||| % [last('cs_exporter_total_shards'), last('cs_exporter_shard_ordinal')]
  )

  + alert('AckUpgradeShardingMismatch',
    'count by (job) (count_values by (job) ("total", %s)) > 1' % last('cs_exporter_total_shards', lookback='5m')
  )

  // Ends by itself an hour after the switch.
  + alert('AckUpgradeSourceSwitched',
    |||
      max without (%s) (
        %s
        and on (job, account, region)
          count by (job, account, region) (group by (job, account, region, source) (max_over_time(%s[1h]))) > 1
      )
    ||| % [promql.replica, metric('cs_exporter_source_info'), metric('cs_exporter_source_info')]
  )
