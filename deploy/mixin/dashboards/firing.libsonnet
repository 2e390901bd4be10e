// The alerts that fire, as Prometheus itself records them. With Thanos, Mimir and others that evaluate rules it is the same.
function(config) {
  local firing = self,
  local panels = (import 'panels.libsonnet')(config),
  local queries = (import 'queries.libsonnet')(config),
  local states = import 'states.libsonnet',
  local cluster = config.clusterLabel,
  local runbooks = (import '../runbooks.libsonnet')(config),

  // The job is empty in the one alert that nothing is scraped at all.
  selector(name, matchers): '%s{%s}' % [name, std.join(', ', [one for one in [
    'alertname=~"Ack.+"',
    if name == 'ALERTS' then 'alertstate="firing"' else '',
    'job=~"$job|"',
    matchers,
  ] if one != ''])],

  table(title, description, width, matchers, columns):
    local severity(state) = std.join(', ', [one for one in ['severity="%s"' % state[0], matchers] if one != '']);
    local alerts = firing.selector('ALERTS', matchers);
    local key = 'alertname, severity, %s, account, region' % cluster;
    local names = 'topk by (%s, job) (1, group by (%s, job, name) (%s))' % [cluster, cluster, queries.named(queries.metric('cs_cluster_info'))];
    local ranked = std.join(' or ', [
      '%s * %d' % [firing.selector('ALERTS', severity(state)), state[1]]
      for state in states.severity
      if state[0] != ''
    ] + ['%s * %d' % [alerts, states.severity[std.length(states.severity) - 1][1]]]);
    local all = {
      severity: ['Value #A', 'Severity', [
        ['mappings', [panels.mapping(states.numbered(states.severity))]],
        ['custom.cellOptions', { type: 'color-background', mode: 'basic' }],
        ['custom.width', 80],
      ]],
      alert: ['alertname', 'Alert', [
        ['links', [panels.link('Runbook of ${__value.text}', runbooks + '/${__value.text}', true)]],
        ['custom.minWidth', 200],
      ]],
      cluster: ['name', 'Cluster', [['links', [panels.clusterLink('Open ${__value.text}', '__data.fields.%s' % cluster)]], ['custom.minWidth', 120]]],
      account: ['account', 'Account', [['custom.width', 90]]],
      region: ['region', 'Region', [['custom.width', 120]]],
      since: ['Value #B', 'Since', [['unit', 'dateTimeFromNow'], ['custom.width', 130]]],
      id: [cluster, '', [['custom.hidden', true]]],
    };
    panels.table(
      title,
      description,
      width,
      [
        panels.rows('min by (%s, name) (((%s) * on (%s, job) group_left (name) %s) or on (alertname, severity, %s, job, account, region) (%s))' % [
          key,
          ranked,
          cluster,
          names,
          cluster,
          ranked,
        ]),
        panels.rows('max by (%s) (%s and ignoring (alertstate) %s) * 1000' % [key, firing.selector('ALERTS_FOR_STATE', matchers), alerts]),
      ],
      [all[column] for column in columns] + [all.id],
      ['Time', 'Value', 'severity'] + [all[column][0] for column in std.objectFields(all) if !std.member(columns + ['id'], column)],
      empty='No alert fires',
      sort=[['Severity', false], ['Since', false]]
    ),
}
