// One alert for many clusters that have the same trouble at the same time. Alertmanager holds the single ones back meanwhile.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, expr) = new(name, 'ack-upgrade-fleet?var-job={{ $labels.job }}&var-account={{ $labels.account }}', expr);
  local threshold(name) = promql.number(config.alerts[name].threshold);

  // A failure counts for an hour, since a few that nobody mends must not hold back one that comes later.
  alert('AckUpgradeManyFailed',
    |||
      count by (job, account, region) (
        group by (%(cluster)s, job, account, region) (
          %(failed)s
          * %(joined)s group_left (account, region)
            %(info)s
        )
        unless on (%(cluster)s, job)
          %(before)s == 1
      ) >= %(threshold)s
    ||| % {
      cluster: cluster,
      failed: promql.status('fail'),
      joined: promql.joined,
      info: promql.info,
      before: 'last_over_time(%s[%s] offset 1h)' % [promql.metric('cs_upgrade_status', 'status="fail"'), config.lookback],
      threshold: threshold('AckUpgradeManyFailed'),
    }
  )

  + alert('AckUpgradeAccountNotAnswering',
    |||
      (
        count by (job, account) (
          max by (%(cluster)s, job, account) (
            max_over_time(%(up)s[%(lookback)s])
            * %(joined)s group_left (account)
              %(info)s
          ) == 0
        ) >= 3
      )
      / on (job, account)
      count by (job, account) (group by (%(cluster)s, job, account) (%(clusters)s))
      > %(threshold)s
    ||| % {
      cluster: cluster,
      up: promql.metric('cs_up'),
      lookback: config.lookback,
      joined: promql.joined,
      info: promql.info,
      clusters: promql.last('cs_cluster_info'),
      threshold: threshold('AckUpgradeAccountNotAnswering'),
    }
  )
