// PromQL that several panels share. Every metric is limited to the job and the instance that are chosen, and as the configuration says.
function(config) {
  local queries = self,
  local cluster = config.clusterLabel,
  local states = import 'states.libsonnet',
  local both(matchers, others) = std.join(', ', [one for one in [matchers, others] if one != '']),

  metric(name, matchers=''): '%s{%s}' % [name, both('job=~"$job", instance=~"$instance"', both(matchers, config.selector))],

  joined: 'on (%s, job, instance)' % cluster,

  // Matchers of the clusters chosen by variable.
  chosen: '%s=~"$cluster"' % cluster,
  places: 'account=~"$account", region=~"$region"',

  // A metric of the clusters chosen.
  of(name, matchers=''): queries.metric(name, both(matchers, queries.chosen)),

  // What is known of the clusters chosen.
  info(matchers=''): queries.of('cs_cluster_info', both(queries.places, matchers)),

  // The same, where a cluster without a name is called by its ID.
  named(info): 'label_replace(label_join(%s, "key", ",", "name", "%s"), "name", "$1", "key", ",(.+)")' % [info, cluster],

  // A state set as the number of its state, for a timeline.
  number(name, label, states, matchers): std.join(' or ', [
    '(%s == 1) * %d' % [queries.metric(name, '%s="%s", %s' % [label, state[0], matchers]), state[1]]
    for state in states
  ]),

  // The rank of each cluster's status. `at` is a modifier such as `@ end()`. A cluster that one of several replicas has an answer of is not down.
  rank(matchers, at='', statuses='', down=queries.down(matchers, at)):
    local status(state) =
      '(%s%s == 1)' % [queries.metric('cs_upgrade_status', both(both('status="%s"' % state[0], statuses), matchers)), at];
    local ranked(state) = '%s * %d' % [status(state), state[1]];
    std.join(' or ', [
      ranked(states.fail),
      '(%s and %s %s%s) * %d' % [
        status(states.pause),
        queries.joined,
        queries.metric('cs_upgrade_error_info', matchers),
        at,
        states.pausedOnError[1],
      ],
      ranked(states.pause),
      ranked(states.unknown),
      '(%s) * 0 + %d' % [down, states.down[1]],
      ranked(states.running),
      ranked(states.canceled),
      ranked(states.success),
      ranked(states.none),
    ]),
  down(matchers, at=''):
    local up = queries.metric('cs_up', matchers) + at;
    '%s == 0 unless on (%s) %s == 1' % [up, cluster, up],

  // Since when each cluster is in its state: when the upgrade ended or began, where the source tells it, the last answer of a cluster
  // that does not answer, else when this exporter first saw the state.
  since(matchers, at=''):
    local at_(name, more='') = queries.metric(name, both(matchers, more)) + at;
    '%s and %s %s == 1 or %s and %s %s == 1 or %s and %s %s == 0 or %s' % [
      at_('cs_upgrade_updated_timestamp_seconds'),
      queries.joined,
      at_('cs_upgrade_status', 'status!="running"'),
      at_('cs_upgrade_started_timestamp_seconds'),
      queries.joined,
      at_('cs_upgrade_status', 'status="running"'),
      at_('cs_last_success_timestamp_seconds'),
      queries.joined,
      at_('cs_up'),
      at_('cs_upgrade_state_since_timestamp_seconds'),
    ],
}
