// The form that every alert has. What people read of it stands in texts.libsonnet.
function(config) function(name, dashboard, expr)
  local settings = { enabled: true } + config.alerts[name];
  assert std.member(['en', 'zh'], config.language) : 'language must be en or zh, not %s' % config.language;
  local texts = (import 'texts.libsonnet')(config)[name];
  if !settings.enabled then [] else [{
    alert: name,
    about:: texts.about,
    expr: std.rstripChars(expr, '\n'),
    'for': settings['for'],
    [if std.objectHas(settings, 'keep_firing_for') then 'keep_firing_for']: settings.keep_firing_for,
    labels: { severity: settings.severity },
    annotations: texts[config.language] {
      runbook_url: '%s/%s' % [(import 'runbooks.libsonnet')(config), name],
      dashboard_url: '%s/d/%s' % [config.grafanaUrl, dashboard],
    },
  }]
