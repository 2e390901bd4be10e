// The upgrades themselves.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local template = '$labels.' + cluster;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, text) = new(name, 'ack-upgrade-cluster?var-cluster={{ %s }}' % template, text);
  local threshold(name) = config.alerts[name].threshold;

  // Pieces of the texts.
  local query(metric, matchers='') = '{{ with printf `%s{%s="%%s",job="%%s"%s}` %s $labels.job | query }}' % [metric, cluster, matchers, template];
  local newest(metric) =
    local one = '%s{%s="%%[1]s",job="%%[2]s"}' % [metric, cluster];
    '{{ with printf `%s or last_over_time(%s[%s])` %s $labels.job | query }}' % [one, one, config.lookback, template];
  local owner = '{{ with or %s }}, owned by {{ . }}{{ end }}' % std.join(' ', ['$labels.' + label for label in config.ownerLabels]);
  local named =
    'cluster {{ with $labels.name }}{{ . }} ({{ %s }}){{ else }}{{ %s }}{{ end }} in {{ $labels.region }} of account {{ $labels.account }}%s' % [template, template, owner];
  local target = query('cs_upgrade_info', ',target_version!=""') + ' to {{ . | first | label "target_version" }}{{ end }}';
  local message = newest('cs_upgrade_error_info') + 'Alibaba Cloud says: {{ . | first | label "message" }}{{ else }}Alibaba Cloud gives no message.{{ end }}';

  // Upgrades whose last change is longer ago than the threshold, where the source tells it.
  local old(name) = 'time() - (%s or %s) > %d' % [
    promql.last('cs_upgrade_updated_timestamp_seconds'),
    promql.last('cs_upgrade_started_timestamp_seconds'),
    threshold(name),
  ];

  // A response without a pause in its status may have one in its step.
  local paused = |||
    (
      %s
    )
    or %s
    (
      %s
      and %s
        %s
    )
  ||| % [
    promql.indent(2, promql.status('pause')),
    joined,
    promql.indent(2, promql.step('pause')),
    joined,
    promql.indent(2, promql.status('running')),
  ];

  // An error that a page with a state no longer has is over, whatever the look back says.
  local erroneous = |||
    %s
    unless %s
      (%s == 1 unless %s %s)
  ||| % [
    promql.last('cs_upgrade_error_info'),
    joined,
    promql.metric('cs_upgrade_status'),
    joined,
    promql.metric('cs_upgrade_error_info'),
  ];

  local about(expression) = promql.about(expression, drop=', status, step');

  // A failure that was over a week ago is AckUpgradeFailedLongAgo, so that nobody is paged for history on the day of installation.
  // The older operation tells no time: the runbook says how to silence what is known.
  alert('AckUpgradeFailed', {
    expr: about('%sunless %s\n  %s' % [promql.status('fail'), joined, old('AckUpgradeFailed')]),
    summary: 'The upgrade of a cluster has failed.',
    description: 'The upgrade' + target + ' of ' + named + ' has failed. ' + message,
  })

  + alert('AckUpgradeFailedLongAgo', {
    expr: about('%sand %s\n  %s' % [promql.status('fail'), joined, old('AckUpgradeFailedLongAgo')]),
    summary: 'The last upgrade of a cluster failed more than a week ago and was never repeated.',
    description: 'The last upgrade of ' + named + ' failed more than a week ago, and none has been started since. ' + message,
  })

  // not_start and unknown too: a response without a step that the exporter knows must not hide an upgrade that hangs.
  + alert('AckUpgradeStuck', {
    expr: about('%sand %s\n  %s' % [promql.step('not_start|upgrading|unknown'), joined, promql.status('running')]),
    summary: 'The upgrade of a cluster has been in the same step for more than an hour.',
    description: 'The upgrade' + target + ' of ' + named + ' has been running'
                 + '{{ with printf `cs_upgrade_step{%s="%%s",job="%%s"} == 1` %s $labels.job | query }}' % [cluster, template]
                 + ' in step {{ . | first | label "step" }}{{ end }} for more than an hour; most take less than half of that.',
  })

  + alert('AckUpgradePrecheckTooLong', {
    expr: about('%sand %s\n  %s' % [promql.step('prechecking'), joined, promql.status('running')]),
    summary: 'The precheck of an upgrade has been running for more than 20 minutes.',
    description: 'The checks before the upgrade' + target + ' of ' + named + ' have been running for more than 20 minutes; most take less than five.',
  })

  // Alibaba Cloud pauses an upgrade that breaks. With metrics.error_message: false there are no errors to see; then such a pause is
  // AckUpgradePausedTooLong.
  + alert('AckUpgradePausedOnError', {
    expr: about('(\n  %s\n)\nand %s\n(\n  %s\n)' % [promql.indent(2, paused), joined, promql.indent(2, erroneous)]),
    summary: 'The upgrade of a cluster is paused on an error.',
    description: 'The upgrade' + target + ' of ' + named + ' is paused on an error. ' + message,
  })

  + alert('AckUpgradePausedTooLong', {
    expr: about('(\n  %s\n)\nunless %s\n(\n  %s\n)' % [promql.indent(2, paused), joined, promql.indent(2, erroneous)]),
    summary: 'The upgrade of a cluster has been paused for more than an hour.',
    description: 'The upgrade' + target + ' of ' + named
                 + ' has been paused for more than an hour; until it is resumed or canceled, the cluster may run two versions.',
  })

  // An upgrade that has ended needs no step; only while it is under way does an unknown one hide something.
  + alert('AckUpgradeStateUnknown', {
    expr: about('(\n  %s\n)\nor %s\n(\n  %sand %s\n    %s\n)' % [
      promql.indent(2, promql.status('unknown')),
      joined,
      promql.indent(2, promql.step('unknown')) + '\n  ',
      joined,
      promql.indent(4, promql.status('running|pause')),
    ]),
    summary: 'The upgrade of a cluster is in a state that the exporter does not know.',
    description: 'Alibaba Cloud describes the upgrade of ' + named
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
    summary: "No query of a cluster's upgrade has been answered for ten minutes.",
    description: 'Not one query of ' + named + ' has been answered for ten minutes' + newest('cs_query_failure')
                 + ', reason {{ . | first | label "reason" }}{{ end }}. Its upgrade state is not known.',
  })

  // cs_up 0 is AckUpgradeClusterNotAnswering. Idle clusters that the account's list confirms are asked seldom on purpose (scrape.idle_interval).
  + alert('AckUpgradeDataStale', {
    expr: promql.about(
      |||
        time() - %(success)s > %(threshold)d
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
    summary: 'The upgrade state of a cluster has been served from memory for more than half an hour.',
    description: 'What is known of ' + named + ' is {{ humanizeDuration $value }} old: the exporter serves it from memory,'
                 + ' since scrape.max_age allows it and the rate limit does not cover all clusters.',
  })

  + alert('AckUpgradeClusterNeverQueried', {
    expr: |||
      max without (%s, type, spec, version, next_version) (
        %s
        unless on (%s, job)
          %s
      )
    ||| % [promql.replica, promql.info, cluster, promql.last('cs_up')],
    summary: 'A cluster has not been queried once in half an hour.',
    description: 'C' + std.substr(named, 1, std.length(named))
                 + " has not been queried once in half an hour: the account's rate limit does not cover all clusters.",
  })
