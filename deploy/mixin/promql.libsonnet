// PromQL and templates that several alerts share.
function(config) {
  local promql = self,
  local cluster = config.clusterLabel,

  // Within one exporter, so that replicas do not break a join.
  joined: 'on (%s, job, instance)' % cluster,
  replica: std.join(', ', config.replicaLabels),

  // A threshold as PromQL has it. The chart puts its values in later and has a placeholder here.
  number(threshold):: if std.isString(threshold) then threshold else '%g' % threshold,

  // A selector, `name{matchers}`, limited as the configuration says.
  metric(name, matchers='')::
    local all = std.join(', ', [one for one in [matchers, config.selector] if one != '']);
    if all == '' then name else '%s{%s}' % [name, all],

  // The last sample within the look back.
  last(name, matchers='', lookback=config.lookback):: 'last_over_time(%s[%s])' % [promql.metric(name, matchers), lookback],

  // All lines but the first get this many spaces more.
  indent(spaces, text):: std.join('\n' + std.repeat(' ', spaces), std.split(std.rstripChars(text, '\n'), '\n')),

  // The clusters whose state set has one of these values. A cluster that does not answer keeps the state it had; one that is seen in another
  // state is let go at once, which also serves state_sets: active, where a state that is over just leaves the page.
  state(name, label, values)::
    local several = std.length(std.findSubstr('|', values)) > 0;
    local equal = if several then '=~' else '=';
    local other = if several then '!~' else '!=';
    |||
      %(last)s == 1
      unless %(joined)s
        %(other)s == 1
    ||| % {
      last: promql.last(name, '%s%s"%s"' % [label, equal, values]),
      joined: promql.joined,
      other: promql.metric(name, '%s%s"%s"' % [label, other, values]),
    },
  status(values):: promql.state('cs_upgrade_status', 'status', values),
  step(values):: promql.state('cs_upgrade_step', 'step', values),

  // Series whose label with the ID was lost (AckUpgradeClusterLabelLost) are one for all clusters: a join with them would fail for every job.
  identified(name):: promql.metric(name, '%(c)s!="", exported_%(c)s=""' % { c: cluster }),

  // What is known of each cluster. A cluster that an exporter no longer has while it has others was removed; only where a whole page is missing is
  // the last one looked up. A change of version leaves two series within the look back, and a join would fail: topk keeps one.
  info:
    |||
      topk by (%(cluster)s, job, instance) (1,
        %(now)s
        or on (%(cluster)s, job, instance)
          (%(last)s unless on (job, instance) %(now)s)
      )
    ||| % {
      cluster: cluster,
      now: promql.identified('cs_cluster_info'),
      last: 'last_over_time(%s[%s])' % [promql.identified('cs_cluster_info'), config.lookback],
    },

  // What an alert about a cluster carries of it: by these it is grouped and routed, and if one of them changes it is another alert.
  labels: std.join(', ', config.identityLabels),

  // Which attempt an upgrade is: the task, or the report of its precheck where the older operation tells no task. Of several within the look
  // back the newest counts, and a cluster of which neither is known stays.
  attempt:
    |||
      label_replace(
        label_replace(
          (
            %(now)s
            or %(joined)s
              topk by (%(cluster)s, job, instance) (1, max_over_time(timestamp(%(now)s)[%(lookback)s:1m])) ^ 0
            or %(joined)s
              %(info)s
          ),
          "attempt", "$1", "precheck_report_id", "(.+)"
        ),
        "attempt", "$1", "task_id", "(.+)"
      )
    ||| % {
      now: promql.identified('cs_upgrade_info'),
      joined: promql.joined,
      cluster: cluster,
      lookback: config.lookback,
      info: promql.indent(8, promql.info),
    },

  // Clusters, with what an alert about them is to carry. What changes when a pod is replaced is dropped, so that neither a second replica
  // nor a new pod pages again.
  about(expression, aggregation='max', drop='', attempt=false)::
    |||
      %(aggregation)s without (%(replica)s%(drop)s) (
        (
          %(expression)s
        )
        * %(joined)s group_left (%(labels)s)
          %(info)s%(attempt)s
      )
    ||| % {
      aggregation: aggregation,
      replica: promql.replica,
      drop: drop,
      expression: promql.indent(4, expression),
      joined: promql.joined,
      labels: promql.labels,
      info: promql.indent(4, promql.info),
      attempt: if attempt then '\n  * %s group_left (attempt)\n    %s' % [promql.joined, promql.indent(4, promql.attempt)] else '',
    },
}
