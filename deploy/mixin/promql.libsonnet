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

  // What records.libsonnet makes for every alert about clusters. The selector has been applied there.
  records: {
    info: 'job_cluster_instance:cs_cluster_info:last',
    status: 'job_cluster_instance:cs_upgrade_status:open',
    step: 'job_cluster_instance:cs_upgrade_step:open',
    attempts: 'job_cluster_source:ack_upgrade_attempt:updated_timestamp_seconds',
    attempt: 'job_cluster:ack_upgrade_attempt:updated_timestamp_seconds',
  },

  // The clusters whose upgrade is in one of these states.
  local state(record, label, values) =
    '%s{%s%s"%s"}' % [record, label, if std.length(std.findSubstr('|', values)) > 0 then '=~' else '=', values],
  status(values):: state(promql.records.status, 'status', values),
  step(values):: state(promql.records.step, 'step', values),

  // What is known of each cluster: the identity labels.
  info: promql.records.info,

  // What an alert about a cluster carries of it: by these it is grouped and routed, and if one of them changes it is another alert.
  labels: std.join(', ', config.identityLabels),

  // The time since an upgrade that stands last changed, where a source has told it.
  sinceChange: 'time() - (%s != 0)' % promql.records.attempt,

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
      info: promql.info,
      // Without the record the alert still fires, without the label.
      attempt: if attempt then '\n  * on (%s, job) group_left (attempt)\n    (%s ^ 0 or on (%s, job) group by (%s, job) (%s))' % [
        cluster,
        promql.records.attempt,
        cluster,
        cluster,
        promql.last('cs_cluster_info'),
      ] else '',
    },
}
