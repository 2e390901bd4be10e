// The variables that choose what a dashboard shows.
function(config) {
  local grafana = (import 'grafana.libsonnet')(config),
  local queries = (import 'queries.libsonnet')(config),
  local states = import 'states.libsonnet',
  local cluster = config.clusterLabel,
  local limited(name, matchers) = '%s{%s}' % [name, std.join(', ', [one for one in [matchers, config.selector] if one != ''])],

  local build = 'ack_upgrade_exporter_build_info',
  local jobs = if config.selector == '' then build else limited(build, ''),
  job: grafana.variable('job', 'Job', 'label_values(%s, job)' % jobs),
  instance: grafana.variable('instance', 'Instance', 'label_values(%s, instance)' % limited(build, 'job=~"$job"')),
  account: grafana.variable('account', 'Account', 'label_values(%s, account)' % queries.metric('cs_cluster_info')),
  region: grafana.variable('region', 'Region', 'label_values(%s, region)' % queries.metric('cs_cluster_info', 'account=~"$account"')),

  // Shown by name, kept by ID.
  local clusters(multi) = grafana.variable(
    'cluster',
    'Cluster',
    'query_result(%s)' % queries.named('group by (%s, name) (%s)' % [cluster, queries.metric('cs_cluster_info', queries.places)]),
    '/%s="(?<value>[^"]+)".*name="(?<text>[^"]+)"/' % cluster,
    multi
  ),
  clusters: clusters(true),
  cluster: clusters(false),

  // Of the clusters that a table lists: those with nothing going on are many.
  status: grafana.choice(
    'status',
    'Status',
    [[state[0], state[2]] for state in states.status if state != states.pausedOnError],
    ['fail', 'pause', 'unknown', 'down', 'running']
  ),
}
