// PromQL that several panels share. Every metric is limited to the job and the instance that are chosen, and as the configuration says.
function(config) {
  local queries = self,
  local cluster = config.clusterLabel,

  metric(name, matchers=''):
    '%s{%s}' % [name, std.join(', ', [one for one in ['job=~"$job", instance=~"$instance"', matchers, config.selector] if one != ''])],

  joined: 'on (%s, job, instance)' % cluster,

  // Matchers of the clusters chosen by variable.
  chosen: '%s=~"$cluster"' % cluster,
  places: 'account=~"$account", region=~"$region"',

  // A metric of the clusters chosen.
  of(name, matchers=''): queries.metric(name, std.join(', ', [one for one in [matchers, queries.chosen] if one != ''])),

  // What is known of the clusters chosen, and the same at the end of the time chosen.
  info(matchers=''): queries.of('cs_cluster_info', std.join(', ', [one for one in [queries.places, matchers] if one != ''])),

  // The same, where a cluster without a name is called by its ID.
  named(info): 'label_replace(label_join(%s, "key", ",", "name", "%s"), "name", "$1", "key", ",(.+)")' % [info, cluster],

  // A state set as the number of its state, for a timeline.
  number(name, label, states, matchers): std.join(' or ', [
    '(%s == 1) * %d' % [queries.metric(name, '%s="%s", %s' % [label, state[0], matchers]), state[1]]
    for state in states
  ]),
}
