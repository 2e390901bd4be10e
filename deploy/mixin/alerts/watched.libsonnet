// What accounts watch beside the upgrades of clusters: plans, versions, node pools.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, told) = new(name, 'ack-upgrade-cluster?var-cluster={{ $labels.%s }}' % cluster, told);
  local threshold(name) = promql.number(config.alerts[name].threshold);
  local about = promql.about;
  local text = (import '../cluster_text.libsonnet')(config);

  // Series of the page that there is, or of the last one where the whole page is missing.
  local kept(name, matchers='') = '(%s or (%s unless %s %s))' % [
    promql.metric(name, matchers),
    promql.last(name, matchers),
    joined,
    promql.metric('cs_cluster_info'),
  ];

  // A query about the alert's node pool: what there is now, or what there was within the look back.
  local ofPool(metric, matchers='') =
    local one = '%s{%s="%%[1]s",job="%%[2]s",node_pool="%%[3]s"%s}' % [metric, cluster, matchers];
    'printf `%s or last_over_time(%s[%s])` $labels.%s $labels.job $labels.node_pool | query' % [one, one, config.lookback, cluster];
  // Its name and its ID, or its ID alone.
  local pool = 'node pool {{ with %s }}{{ . | first | label "name" }} ({{ $labels.node_pool }}){{ else }}{{ $labels.node_pool }}{{ end }}'
               % ofPool('cs_node_pool_info', ',name!=""');

  // A plan stays on the page until the next one of its type and target has ended, so it counts for a while only.
  alert('AckUpgradePlanFailed', {
    expr: about('%s\nunless on (%s, job, instance, plan)\n  time() - %s > %s' % [
      kept('cs_plan_info', 'state=~"failed|validating_failed"'),
      cluster,
      promql.last('cs_plan_end_timestamp_seconds'),
      threshold('AckUpgradePlanFailed'),
    ]),
    about: 'A planned operation of a cluster has failed, or its precheck has.',
    summary: 'A planned operation of %s has failed.' % text.subject,
    description: 'The planned operation {{ $labels.type }}{{ with $labels.target }} of {{ . }}{{ end }} of ' + text.cluster
                 + ' failed{{ if eq $labels.state "validating_failed" }} its precheck, so nothing was changed{{ end }}.'
                 + ' Automatic upgrades go on only when the reason is removed. The plan is {{ $labels.plan }}.',
  })

  + alert('AckClusterVersionUnsupported', {
    expr: about('time() - %s > 0' % kept('cs_cluster_version_end_of_support_timestamp_seconds')),
    about: 'The support of the version of a cluster has ended.',
    summary: 'The support of the version of %s has ended.' % text.subject,
    description: 'The support of version {{ $labels.version }} of ' + text.cluster
                 + ' ended {{ humanizeDuration $value }} ago: there are no more fixes, and Alibaba Cloud may upgrade it by itself.',
  })

  + alert('AckClusterVersionEndingSoon', {
    expr: about('%s - time() > 0 < %s' % [
      kept('cs_cluster_version_end_of_support_timestamp_seconds'),
      threshold('AckClusterVersionEndingSoon'),
    ], 'min'),
    about: 'The support of the version of a cluster ends within a month.',
    summary: 'The support of the version of %s ends soon.' % text.subject,
    description: 'The support of version {{ $labels.version }} of ' + text.cluster + ' ends in {{ humanizeDuration $value }}.',
  })

  // A pause without an error is usually planned. A failure that was over a week ago pages nobody, as with clusters.
  + alert('AckNodePoolUpgradeFailed', {
    local status(values) = kept('cs_node_pool_upgrade_status', 'status="%s"' % values),
    local byPool = 'on (%s, job, instance, node_pool)' % cluster,
    expr: about(|||
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
    }, drop=', status'),
    about: 'The upgrade of a node pool has failed, or is paused on an error.',
    summary: 'The upgrade of a node pool of %s has failed.' % text.subject,
    description: 'The upgrade of ' + pool + ' of ' + text.cluster + ' failed or is paused on an error{{ with %s }} at {{ . | first | value | humanizeTimestamp }}{{ end }}. ' % ofPool('cs_node_pool_upgrade_updated_timestamp_seconds')
                 + '{{ with %s }}Alibaba Cloud says: {{ . | first | label "message" }}{{ else }}Alibaba Cloud gives no message.{{ end }}' % ofPool('cs_node_pool_upgrade_error_info'),
  })

  // One version behind is the usual state between the upgrade of the control plane and that of the pools.
  + alert('AckNodePoolBehind', {
    expr: about('%s >= %s' % [kept('cs_node_pool_versions_behind'), threshold('AckNodePoolBehind')]),
    about: 'The kubelets of a node pool are two minor versions or more behind the control plane.',
    summary: 'A node pool of %s is behind the control plane.' % text.subject,
    description: 'The kubelets of ' + pool + ' of ' + text.cluster
                 + ' are {{ $value }} minor versions behind the control plane. Kubernetes allows three, and then the control plane cannot be upgraded.',
  })

  + new('AckUpgradeWatchFailing', 'ack-upgrade-exporter?var-job={{ $labels.job }}', {
    expr: |||
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
    },
    about: 'Plans, versions, node pools, add-ons or prechecks cannot be read.',
    summary: 'The query {{ $labels.query }} of account {{ $labels.account }} in {{ $labels.region }} fails.',
    description: 'The query {{ $labels.query }} of account {{ $labels.account }} in {{ $labels.region }} has failed for %s, for {{ $value }} of the regions or clusters that it is about. After three of its intervals its metrics and alerts are gone. '
                 % config.alerts.AckUpgradeWatchFailing['for']
                 + "The exporter's log has the code and, if one is missing, the RAM action.",
  })
