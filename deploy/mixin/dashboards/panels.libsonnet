// Panels. Each is made of its title, what it shows, its width, its queries and what it has beside them.
function(config) {
  local panels = self,
  local grafana = (import 'grafana.libsonnet')(config),
  local colours = (import 'states.libsonnet').colours,

  // A query of the newest values, of values over time, or of rows for a table.
  instant(expr, legend=''): { expr: expr, instant: true, range: false, legendFormat: legend },
  range(expr, legend=''): { expr: expr, instant: false, range: true, legendFormat: legend },
  rows(expr): { expr: expr, instant: true, range: false, format: 'table' },

  steps(colours): { mode: 'absolute', steps: [{ color: one[1], value: one[0] } for one in colours] },
  fixed(colour): { mode: 'fixed', fixedColor: colour },
  // Texts and colours for `[value, text, colour]`.
  mapping(values): {
    type: 'value',
    options: { [std.toString(values[i][0])]: { text: values[i][1], color: values[i][2], index: i } for i in std.range(0, std.length(values) - 1) },
  },
  byName(name, properties): { matcher: { id: 'byName', options: name }, properties: panels.properties(properties) },
  byQuery(refId, properties): { matcher: { id: 'byFrameRefID', options: refId }, properties: panels.properties(properties) },
  // Properties in the order in which they stand: `[id, value]`.
  properties(pairs): [{ id: pair[0], value: pair[1] } for pair in pairs],

  // A link to a cluster's dashboard; `id` is the field that has its ID. And one to a page outside.
  clusterLink(title, id): panels.link(title, '/d/ack-upgrade-cluster?%s&var-cluster=${%s}&${__url_time_range}' % [grafana.kept, id]),
  link(title, url, newTab=false): { title: title, url: url, targetBlank: newTab },

  // A column whose values have texts and a coloured background.
  coloured(values): [
    ['mappings', [panels.mapping(values)]],
    ['custom.cellOptions', { type: 'color-background', mode: 'basic' }],
  ],

  // Longer than an upgrade should take.
  durationSteps(short): panels.steps([[null, short], [config.dashboards.long, colours.paused], [config.dashboards.tooLong, colours.failed]]),

  local panel(type, title, description, width, queries, defaults, options, overrides=[]) = {
    type: type,
    title: title,
    description: description,
    datasource: grafana.source,
    gridPos: { w: width },
    pluginVersion: '10.0.0',
    fieldConfig: {
      defaults: { color: { mode: 'palette-classic' }, mappings: [], thresholds: panels.steps([[null, 'text']]) } + defaults,
      overrides: overrides,
    },
    options: options,
    targets: std.mapWithIndex(
      function(i, query) query { refId: std.char(std.codepoint('A') + i), datasource: grafana.source, editorMode: 'code' },
      queries
    ),
  },

  // A label as the title of a column.
  capital(label):: std.asciiUpper(label[0]) + label[1:],

  stat(title, description, width, queries, defaults, text='value', overrides=[]):
    panel('stat', title, description, width, queries, { unit: 'none' } + defaults, {
      colorMode: 'background_solid',
      graphMode: 'none',
      justifyMode: 'center',
      orientation: 'auto',
      textMode: text,
      wideLayout: true,
      text: { valueSize: 32 },
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    }, overrides),

  timeseries(title, description, width, queries, unit, overrides=[], fill=15, stack=false, defaults={}, calcs=['lastNotNull', 'max']):
    panel('timeseries', title, description, width, queries, {
      unit: unit,
      min: 0,
      custom: {
        drawStyle: 'line',
        lineWidth: 1,
        fillOpacity: fill,
        showPoints: 'never',
        spanNulls: false,
        stacking: { mode: if stack then 'normal' else 'none', group: 'A' },
        axisPlacement: 'auto',
        lineInterpolation: 'linear',
        gradientMode: 'none',
      },
    } + defaults, {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: calcs },
      tooltip: { mode: 'multi', sort: 'desc' },
    }, overrides),

  timeline(title, description, width, queries, mappings, overrides=[], showValue='auto', legend=false, defaults={}):
    panel('state-timeline', title, description, width, queries, {
      color: { mode: 'thresholds' },
      mappings: mappings,
      unit: 'none',
      custom: { lineWidth: 0, fillOpacity: 100, spanNulls: false },
    } + defaults, {
      mergeValues: true,
      showValue: showValue,
      alignValue: 'left',
      rowHeight: 0.85,
      legend: { displayMode: 'list', placement: 'bottom', showLegend: legend },
      tooltip: { mode: 'single', sort: 'none' },
    }, overrides),

  bars(title, description, width, queries, unit, overrides=[], defaults={}):
    panel('bargauge', title, description, width, queries, { unit: unit, min: 0 } + defaults, {
      displayMode: 'basic',
      orientation: 'horizontal',
      showUnfilled: true,
      valueMode: 'text',
      minVizHeight: 16,
      minVizWidth: 8,
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      text: { titleSize: 14, valueSize: 16 },
      sizing: 'manual',
      maxVizHeight: 36,
    }, overrides),

  // A table of `[field, name, properties]`, from left to right. Without a name a column keeps that of its field. Several queries become
  // one table: rows of equal labels are merged.
  table(title, description, width, queries, columns, drop, empty='–', sort=[], overrides=[], custom={}, options={}, defaults={}):
    local organize = {
      id: 'organize',
      options: {
        excludeByName: { [name]: true for name in drop },
        indexByName: { [columns[i][0]]: i for i in std.range(0, std.length(columns) - 1) },
        renameByName: { [column[0]]: column[1] for column in columns if column[1] != '' },
      },
    };
    // The text for a table without rows is none for a cell without a value.
    local blank(properties) = if std.length([one for one in properties if one[0] == 'noValue']) > 0 then [] else [['noValue', '–']];
    panel('table', title, description, width, queries, {
      custom: { align: 'left', cellOptions: { type: 'auto' }, inspect: false } + custom,
      noValue: empty,
    } + defaults, {
      showHeader: true,
      cellHeight: 'sm',
      footer: { show: false, reducer: ['sum'], countRows: false, fields: '' },
      [if sort != [] then 'sortBy']: [{ displayName: one[0], desc: one[1] } for one in sort],
    } + options, [
      panels.byName(if column[1] == '' then column[0] else column[1], column[2] + blank(column[2]))
      for column in columns
    ] + overrides) {
      transformations: (if std.length(queries) > 1 then [{ id: 'merge', options: {} }] else []) + [organize],
    },
}
