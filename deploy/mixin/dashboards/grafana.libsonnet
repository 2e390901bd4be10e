// The parts that every dashboard is made of: classic dashboards, as Grafana 10 writes them.
function(config) {
  local grafana = self,

  source: { type: 'prometheus', uid: '${datasource}' },

  // A variable that is chosen from the answer to a query, or from `[value, text]` pairs that the regular expression finds in it.
  variable(name, label, query, regex='', multi=true): {
    name: name,
    label: label,
    type: 'query',
    datasource: grafana.source,
    query: query,
    definition: query,
    regex: regex,
    refresh: 2,
    sort: 1,
    multi: multi,
    includeAll: multi,
    hide: 0,
    skipUrlSync: false,
    options: [],
    current: if multi then { text: ['All'], value: ['$__all'] } else { text: '', value: '' },
    [if multi then 'allValue']: '.+',
  },

  // A variable with `[value, text]` pairs, of which some are chosen at first.
  choice(name, label, values, chosen): {
    name: name,
    label: label,
    type: 'custom',
    query: std.join(', ', ['%s : %s' % [value[1], value[0]] for value in values]),
    multi: true,
    includeAll: true,
    allValue: '.+',
    hide: 0,
    skipUrlSync: false,
    options: [{ text: value[1], value: value[0], selected: std.member(chosen, value[0]) } for value in values],
    current: { text: [value[1] for value in values if std.member(chosen, value[0])], value: chosen },
  },

  datasourceVariable: {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    regex: '',
    refresh: 1,
    multi: false,
    includeAll: false,
    hide: 0,
    skipUrlSync: false,
    options: [],
    current: { text: 'default', value: 'default' },
  },

  // A link to another dashboard that keeps what the two have in common.
  kept:: '${datasource:queryparam}&${job:queryparam}&${instance:queryparam}',
  dashboardLink(title, uid, tooltip): {
    type: 'link',
    title: title,
    icon: 'dashboard',
    url: '/d/%s?%s' % [uid, grafana.kept],
    tags: [],
    asDropdown: false,
    includeVars: false,
    keepTime: true,
    targetBlank: false,
    tooltip: tooltip,
  },

  links:: {
    fleet: grafana.dashboardLink('Fleet', 'ack-upgrade-fleet', 'All clusters'),
    cluster: grafana.dashboardLink('Cluster', 'ack-upgrade-cluster', 'One cluster'),
    exporter: grafana.dashboardLink('Exporter', 'ack-upgrade-exporter', 'The exporter itself'),
  },

  // A link to a page outside.
  externalLink(title, url, tooltip): grafana.dashboardLink(title, '', tooltip) { icon: 'external link', url: url, keepTime: false, targetBlank: true },

  // Rows of panels from left to right. A panel may be higher than its row; then the next rows leave its place free.
  row(height, panels): [panel { gridPos+: { h: if 'height' in panel then panel.height else height }, rowHeight:: height } for panel in panels],
  placed(rows):
    local place(state, row) =
      local widths = [panel.gridPos.w for panel in row];
      local left(i) = std.foldl(function(sum, w) sum + w, widths[:i], 0);
      {
        y: state.y + row[0].rowHeight,
        panels: state.panels + std.mapWithIndex(function(i, panel) panel { gridPos+: { x: left(i), y: state.y } }, row),
      };
    std.mapWithIndex(
      // A panel that another one links to has an ID of its own.
      function(i, panel) panel { id::: if 'id' in panel then panel.id else i + 1 },
      std.foldl(place, rows, { y: 0, panels: [] }).panels
    ),

  dashboard(uid, title, description, variables, links, annotations, rows): {
    uid: uid,
    title: 'ACK Upgrades / ' + title,
    description: description,
    tags: config.dashboards.tags,
    schemaVersion: 38,
    version: 1,
    editable: false,
    graphTooltip: 1,
    timezone: config.dashboards.timezone,
    refresh: config.dashboards.refresh,
    time: { from: config.dashboards.from, to: 'now' },
    timepicker: {},
    fiscalYearStartMonth: 0,
    liveNow: false,
    weekStart: '',
    links: links,
    annotations: { list: annotations },
    templating: { list: [grafana.datasourceVariable] + variables },
    panels: grafana.placed(rows),
  },
}
