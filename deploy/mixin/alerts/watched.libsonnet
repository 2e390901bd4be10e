// What accounts watch beside the upgrades of clusters: plans, versions, node pools.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, expr) = new(name, 'ack-upgrade-cluster?var-cluster={{ $labels.%s }}' % cluster, expr);
  local threshold(name) = promql.number(config.alerts[name].threshold);
  local about = promql.about;

  // Series of the page that there is, or of the last one where the whole page is missing.
  local kept(name, matchers='') = '(%s or (%s unless %s %s))' % [
    promql.metric(name, matchers),
    promql.last(name, matchers),
    joined,
    promql.metric('cs_cluster_info'),
  ];

  // A plan stays on the page until the next one of its type and target has ended, so it counts for a while only.
  alert('AckUpgradePlanFailed',
    about('%s\nunless on (%s, job, instance, plan)\n  time() - %s > %s' % [
      kept('cs_plan_info', 'state=~"failed|validating_failed"'),
      cluster,
      promql.last('cs_plan_end_timestamp_seconds'),
      threshold('AckUpgradePlanFailed'),
    ])
  )

  + alert('AckClusterVersionUnsupported',
    about('time() - %s > 0' % kept('cs_cluster_version_end_of_support_timestamp_seconds'))
  )

  + alert('AckClusterVersionEndingSoon',
    about('%s - time() > 0 < %s' % [
      kept('cs_cluster_version_end_of_support_timestamp_seconds'),
      threshold('AckClusterVersionEndingSoon'),
    ], 'min')
  )

  // A pause without an error is usually planned. A failure that was over a week ago pages nobody, as with clusters.
  + alert('AckNodePoolUpgradeFailed',
    local status(values) = kept('cs_node_pool_upgrade_status', 'status="%s"' % values);
    local byPool = 'on (%s, job, instance, node_pool)' % cluster;
    about(|||
      (
        %(failed)s == 1
        or %(byPool)s
          (%(paused)s == 1 and %(byPool)s %(message)s)
      )
      unless %(byPool)s
        time() - %(updated)s > %(threshold)s
    ||| % {
      failed: status('fail'),
      paused: status('pause'),
      byPool: byPool,
      message: kept('cs_node_pool_upgrade_error_info'),
      updated: promql.last('cs_node_pool_upgrade_updated_timestamp_seconds'),
      threshold: threshold('AckNodePoolUpgradeFailed'),
    }, drop=', status')
  )

  // One version behind is the usual state between the upgrade of the control plane and that of the pools.
  + alert('AckNodePoolBehind',
    about('%s >= %s' % [kept('cs_node_pool_versions_behind'), threshold('AckNodePoolBehind')])
  )

  + new('AckUpgradeWatchFailing', 'ack-upgrade-exporter?var-job={{ $labels.job }}', |||
    count by (job, query, account, region) (
      max without (%(replica)s) (
        max_over_time(%(ofRegions)s[%(lookback)s])
        or
        max_over_time(%(ofClusters)s[%(lookback)s])
        * %(joined)s group_left (account, region)
          %(info)s
      ) == 0
    )
  ||| % {
    replica: promql.replica,
    ofRegions: promql.metric('cs_query_up', '%s=""' % cluster),
    ofClusters: promql.metric('cs_query_up', '%s!=""' % cluster),
    lookback: config.lookback,
    joined: joined,
    info: promql.info,
  })
