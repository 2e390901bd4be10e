// What happened, drawn over every panel with a time axis.
function(config) {
  local annotations = self,
  local grafana = (import 'grafana.libsonnet')(config),
  local queries = (import 'queries.libsonnet')(config),
  local states = import 'states.libsonnet',
  local cluster = config.clusterLabel,

  // Each series is an event for as long as it is there, or at the time that its value is.
  local annotation(name, colour, expr, title, enabled=true, valueIsTime=false) = {
    name: name,
    datasource: grafana.source,
    enable: enabled,
    hide: false,
    iconColor: colour,
    expr: expr,
    step: '60s',
    titleFormat: title,
    textFormat: '',
    tagKeys: '',
    useValueForTime: valueIsTime,
  },

  // Grafana's own, which shows what people wrote down.
  builtIn: {
    builtIn: 1,
    datasource: { type: 'grafana', uid: '-- Grafana --' },
    enable: true,
    hide: true,
    iconColor: 'rgba(0, 211, 255, 1)',
    name: 'Annotations & Alerts',
    type: 'dashboard',
  },

  // The moment at which the upgrades of these clusters enter a status. One that was not queried a moment before may have been in it for long.
  local entered(status, matchers) = '%(now)s == 1 unless %(now)s offset $__interval == 1 and %(joined)s %(up)s offset $__interval == 1' % {
    now: queries.metric('cs_upgrade_status', 'status="%s", %s' % [status, matchers]),
    joined: queries.joined,
    up: queries.metric('cs_up', matchers),
  },
  began(matchers, enabled):
    annotation('Upgrade began', states.colours.running, entered('running', matchers), 'Upgrade of {{%s}} began' % cluster, enabled),
  ended(matchers, enabled):
    annotation('Upgrade ended', states.colours.success, entered('success', matchers), 'Upgrade of {{%s}} ended' % cluster, enabled),
  failed(matchers):
    annotation('Upgrade failed', states.colours.failed, entered('fail', matchers), 'Upgrade of {{%s}} failed' % cluster),

  restarted: annotation(
    'Exporter restarted',
    states.colours.none,
    '(%s and on (job, instance) %s) * 1000' % [
      queries.metric('process_start_time_seconds'),
      queries.metric('ack_upgrade_exporter_build_info'),
    ],
    'Exporter {{instance}} started',
    valueIsTime=true
  ),

  alerts(matchers, enabled=true): annotation(
    'Alerts',
    states.colours.paused,
    (import 'firing.libsonnet')(config).selector('ALERTS', matchers),
    '{{alertname}} {{%s}}' % cluster,
    enabled
  ),
}
