// The upgrades themselves.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, told) = new(name, 'ack-upgrade-cluster?var-cluster={{ $labels.%s }}' % cluster, told);
  local threshold(name) = promql.number(config.alerts[name].threshold);
  local duration(name) = config.alerts[name]['for'];

  local text = (import '../cluster_text.libsonnet')(config);

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
  alert('AckUpgradeFailed', {
    expr: about('%s\nunless %s\n  %s' % [promql.status('fail'), byCluster, old('AckUpgradeFailed')], attempt=true),
    about: 'The upgrade of a cluster has failed.',
    summary: 'The upgrade of ' + text.subject + ' has failed.',
    description: 'The upgrade' + text.target + ' of ' + text.cluster + ' failed' + text.changed + '. ' + text.message,
  })

  + alert('AckUpgradeFailedLongAgo', {
    expr: about('%s\nand %s\n  %s' % [promql.status('fail'), byCluster, old('AckUpgradeFailedLongAgo')]),
    about: 'The last upgrade of a cluster failed more than a week ago and was never repeated.',
    summary: 'The last upgrade of ' + text.subject + ' failed long ago and was never repeated.',
    description: 'The last upgrade of ' + text.cluster + ' failed' + text.changed + ', and none has been started since. ' + text.message,
  })

  // An upgrade that changes begins its time anew: where the source tells when it last changed, and where its step becomes upgrading; a large
  // cluster may take hours and be well. A step that is unknown or not_start for a moment is no change: such is a response without a step.
  // not_start and unknown too: a response without a step that the exporter knows must not hide an upgrade that hangs.
  + alert('AckUpgradeStuck', {
    expr: about(|||
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
    ]),
    about: 'The upgrade of a cluster runs and does not move.',
    summary: 'The upgrade of ' + text.subject + ' does not move.',
    description: 'The upgrade' + text.target + ' of ' + text.cluster + ' runs' + text.step + ' and has not changed for %s' % duration('AckUpgradeStuck') + text.last
                 + '. Most take less than half an hour.',
  })

  + alert('AckUpgradePrecheckTooLong', {
    expr: about('%s\nand %s\n  %s' % [promql.step('prechecking'), joined, promql.status('running')]),
    about: 'The precheck of an upgrade takes too long.',
    summary: 'The precheck of ' + text.subject + ' takes too long.',
    description: 'The checks before the upgrade' + text.target + ' of ' + text.cluster + ' have been running for more than %s; most take less than five minutes.' % duration('AckUpgradePrecheckTooLong'),
  })

  // Alibaba Cloud pauses an upgrade that breaks. With metrics.error_message: false there are no errors to see; then such a pause is
  // AckUpgradePausedTooLong.
  + alert('AckUpgradePausedOnError', {
    expr: about('%s\nand %s\n(\n  %s\n)' % [paused, joined, promql.indent(2, erroneous)], attempt=true),
    about: 'The upgrade of a cluster is paused on an error.',
    summary: 'The upgrade of ' + text.subject + ' is paused on an error.',
    description: 'The upgrade' + text.target + ' of ' + text.cluster + ' was paused on an error' + text.changed + '. ' + text.message,
  })

  + alert('AckUpgradePausedTooLong', {
    expr: about('%s\nunless %s\n(\n  %s\n)' % [paused, joined, promql.indent(2, erroneous)]),
    about: 'The upgrade of a cluster has been paused for long.',
    summary: 'The upgrade of ' + text.subject + ' is still paused.',
    description: 'The upgrade' + text.target + ' of ' + text.cluster + ' has been paused for more than %s; until it is resumed or canceled, the cluster may run two versions.' % duration('AckUpgradePausedTooLong'),
  })

  // An upgrade that has ended needs no step; only while it is under way does an unknown one hide something.
  + alert('AckUpgradeStateUnknown', {
    expr: about('%s\nor %s\n  (%s and %s %s)' % [
      promql.status('unknown'),
      joined,
      promql.step('unknown'),
      joined,
      promql.status('running|pause'),
    ]),
    about: 'The upgrade of a cluster is in a state that the exporter does not know.',
    summary: 'The upgrade of ' + text.subject + ' is in an unknown state.',
    description: 'Alibaba Cloud describes the upgrade of ' + text.cluster
                 + " in words that the exporter does not know, so other alerts may miss it. The exporter's log has the text.",
  })

  // One response in ten minutes is enough to know the state. The reason may change from query to query, so it is no label.
  + alert('AckUpgradeClusterNotAnswering', {
    expr: |||
      max without (%s) (
        max_over_time(%s[%s])
        * %s group_left (%s)
          %s
      ) == 0
    ||| % [promql.replica, promql.metric('cs_up'), config.lookback, joined, promql.labels, promql.info],
    about: "No query of a cluster's upgrade is answered.",
    summary: 'No query of ' + text.subject + ' is answered.',
    description: 'Not one query of ' + text.cluster + ' has been answered for ten minutes' + text.reason + '. Its upgrade state is not known.',
  })

  // cs_up 0 is AckUpgradeClusterNotAnswering. Idle clusters that the account's list confirms are asked seldom on purpose (scrape.idle_interval).
  + alert('AckUpgradeDataStale', {
    expr: promql.about(
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
    ),
    about: 'The upgrade state of a cluster is old.',
    summary: 'What is known of ' + text.subject + ' is old.',
    description: 'What is known of ' + text.cluster + ' is {{ humanizeDuration $value }} old: the exporter serves it from memory,'
                 + ' since scrape.max_age allows it and the rate limit does not cover all clusters.',
  })

  + alert('AckUpgradeClusterNeverQueried', {
    expr: |||
      group by (%(cluster)s, job, %(labels)s) (
        %(info)s
        unless on (%(cluster)s, job)
          %(up)s
      )
    ||| % { cluster: cluster, labels: promql.labels, info: promql.info, up: promql.last('cs_up') },
    about: 'A cluster has never been queried.',
    summary: '%s has never been queried.' % text.subject,
    description: 'C' + std.substr(text.cluster, 1, std.length(text.cluster))
                 + " has not been queried once in %s: the account's rate limit does not cover all clusters." % duration('AckUpgradeClusterNeverQueried'),
  })
