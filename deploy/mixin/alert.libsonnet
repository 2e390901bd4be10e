// The form that every alert has. `told` holds the expression and what people read.
function(config) function(name, dashboard, told)
  local settings = { enabled: true } + config.alerts[name];
  if !settings.enabled then [] else [{
    alert: name,
    // What the table of alerts says of it, where no cluster can be named.
    about:: told.about,
    expr: std.rstripChars(told.expr, '\n'),
    'for': settings['for'],
    [if std.objectHas(settings, 'keep_firing_for') then 'keep_firing_for']: settings.keep_firing_for,
    labels: { severity: settings.severity },
    annotations: {
      summary: told.summary,
      description: std.join(' ', std.split(std.rstripChars(told.description, '\n'), '\n')),
      runbook_url: '%s/%s' % [config.runbookUrl, name],
      dashboard_url: '%s/d/%s' % [config.grafanaUrl, dashboard],
    },
  }]
