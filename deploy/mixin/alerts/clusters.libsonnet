// The upgrades themselves.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, expr) = new(name, 'ack-upgrade-cluster?var-cluster={{ $labels.%s }}' % cluster, expr);
  local threshold(name) = promql.number(config.alerts[name].threshold);

  // Upgrades whose last change is longer ago than the threshold, where a source has told it.
  local old(name) = '%s > %s' % [promql.sinceChange, threshold(name)];
  local byCluster = 'on (%s, job)' % cluster;

  // A response without a pause in its status may have one in its step.
  local paused = '(%s or %s (%s and %s %s))' % [promql.status('pause'), joined, promql.step('pause'), joined, promql.status('running')];

  // The error of a page with a state, or the last one of a cluster that does not answer.
  local erroneous = |||
    %(now)s
    or %(joined)s
      (%(last)s unless %(joined)s %(seen)s == 1)
  ||| % {
    now: promql.metric('cs_upgrade_error_info'),
    last: promql.last('cs_upgrade_error_info'),
    seen: promql.metric('cs_upgrade_status', 'status=~"running|pause"'),
    joined: joined,
  };

  local about(expression, attempt=false) = promql.about(expression, drop=', status, step', attempt=attempt);

  // A failure that was over a week ago is AckUpgradeFailedLongAgo, so that nobody is paged for history on the day of installation.
  // The older operation tells no time: the runbook says how to silence what is known.
  alert('AckUpgradeFailed',
    about('%s\nunless %s\n  %s' % [promql.status('fail'), byCluster, old('AckUpgradeFailed')], attempt=true)
  )

  + alert('AckUpgradeFailedLongAgo',
    about('%s\nand %s\n  %s' % [promql.status('fail'), byCluster, old('AckUpgradeFailedLongAgo')])
  )

  // An upgrade that changes begins its time anew: where the source tells when it last changed, and where its step becomes upgrading; a large
  // cluster may take hours and be well. A step that is unknown or not_start for a moment is no change: such is a response without a step.
  // not_start and unknown too: a response without a step that the exporter knows must not hide an upgrade that hangs.
  + alert('AckUpgradeStuck',
    about(|||
      %s
      and %s
        %s
      unless %s
        changes(%s[%s]) > 0
      unless %s
        (
          %s
          and %s
            last_over_time(%s[%s])
          unless %s
            last_over_time(%s[%s] offset %s)
        )
    ||| % [
      promql.step('not_start|upgrading|unknown'),
      joined,
      promql.status('running'),
      joined,
      promql.metric('cs_upgrade_updated_timestamp_seconds'),
      config.lookback,
      joined,
      promql.step('upgrading'),
      joined,
      promql.step('not_start'),
      config.lookback,
      joined,
      promql.step('upgrading'),
      config.lookback,
      config.lookback,
    ])
  )

  + alert('AckUpgradePrecheckTooLong',
    about('%s\nand %s\n  %s' % [promql.step('prechecking'), joined, promql.status('running')])
  )

  // Alibaba Cloud pauses an upgrade that breaks. With metrics.error_message: false there are no errors to see; then such a pause is
  // AckUpgradePausedTooLong.
  + alert('AckUpgradePausedOnError',
    about('%s\nand %s\n(\n  %s\n)' % [paused, joined, promql.indent(2, erroneous)], attempt=true)
  )

  + alert('AckUpgradePausedTooLong',
    about('%s\nunless %s\n(\n  %s\n)' % [paused, joined, promql.indent(2, erroneous)])
  )

  // An upgrade that has ended needs no step; only while it is under way does an unknown one hide something.
  + alert('AckUpgradeStateUnknown',
    about('%s\nor %s\n  (%s and %s %s)' % [
      promql.status('unknown'),
      joined,
      promql.step('unknown'),
      joined,
      promql.status('running|pause'),
    ])
  )

  // One response in ten minutes is enough to know the state. The reason may change from query to query, so it is no label.
  + alert('AckUpgradeClusterNotAnswering',
    |||
      max without (%s) (
        max_over_time(%s[%s])
        * %s group_left (%s)
          %s
      ) == 0
    ||| % [promql.replica, promql.metric('cs_up'), config.lookback, joined, promql.labels, promql.info]
  )

  // cs_up 0 is AckUpgradeClusterNotAnswering. Idle clusters that the account's list confirms are asked seldom on purpose (scrape.idle_interval).
  + alert('AckUpgradeDataStale',
    promql.about(
      |||
        time() - %(success)s > %(threshold)s
        and %(joined)s
          %(up)s == 1
        unless %(joined)s
          (%(ended)s == 1 and %(joined)s %(state)s)
      ||| % {
        success: promql.last('cs_last_success_timestamp_seconds'),
        threshold: threshold('AckUpgradeDataStale'),
        joined: joined,
        up: promql.last('cs_up'),
        ended: promql.metric('cs_upgrade_status', 'status=~"none|success|fail|canceled"'),
        state: promql.metric('cs_cluster_state'),
      },
      'min'
    )
  )

  + alert('AckUpgradeClusterNeverQueried',
    |||
      group by (%(cluster)s, job, %(labels)s) (
        %(info)s
        unless on (%(cluster)s, job)
          %(up)s
      )
    ||| % { cluster: cluster, labels: promql.labels, info: promql.info, up: promql.last('cs_up') }
  )
