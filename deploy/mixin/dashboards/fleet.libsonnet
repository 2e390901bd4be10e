// All clusters.
function(config)
  local grafana = (import 'grafana.libsonnet')(config);
  local panels = (import 'panels.libsonnet')(config);
  local queries = (import 'queries.libsonnet')(config);
  local variables = (import 'variables.libsonnet')(config);
  local states = import 'states.libsonnet';
  local colours = states.colours;
  local cluster = config.clusterLabel;
  local joined = queries.joined;
  local of = queries.of;
  local info = queries.info;
  local named = queries.named(info());

  local coloured(mappings) = [
    ['mappings', mappings],
    ['custom.cellOptions', { type: 'color-background', mode: 'basic' }],
  ];
  local statusMapping = panels.mapping(states.named(states.status + [states.down]));
  // A cluster that does not answer has no status.
  local downMapping = {
    type: 'special',
    options: { match: 'null', result: { text: states.down[2], color: states.down[3], index: std.length(states.status) + 1 } },
  };
  local width(pixels) = ['custom.width', pixels];
  local open(title, id) = [{
    title: title,
    url: '/d/ack-upgrade-cluster?%s&var-cluster=${%s}&${__url_time_range}' % [grafana.kept, id],
    targetBlank: false,
  }];
  local clusterColumn(pixels) =
    ['name', 'Cluster', [['links', open('Open ${__value.text}', '__data.fields.%s' % cluster)], width(pixels)]];
  // The ID, to which the name links.
  local idColumn = [cluster, '', [['custom.hidden', true]]];

  local tile(title, description, colour, clusters) = panels.stat(
    title,
    description,
    3,
    panels.instant('count(%s) or vector(0)' % clusters, title),
    { color: { mode: 'thresholds' }, thresholds: panels.steps([[null, colours.zero], [1, colour]]), decimals: 0 }
  );
  local counted(title, description, status, colour) = tile(title, description, colour, 'group by (%s) ((%s == 1) and %s %s)' % [
    cluster,
    of('cs_upgrade_status', 'status="%s"' % status),
    joined,
    info(),
  ]);
  local tiles = [
    counted('Running', 'Clusters whose upgrade is under way.', 'running', colours.running),
    counted('Paused', 'Clusters whose upgrade is paused.', 'pause', colours.paused),
    counted('Failed', 'Clusters whose last upgrade failed.', 'fail', colours.failed),
    counted('Unknown', 'Clusters whose upgrade is in a state that the exporter does not know.', 'unknown', colours.unknown),
    tile(
      'Not answering',
      'Clusters whose last query was not answered: nothing is known of their upgrade.',
      colours.down,
      'max by (%s) (%s and %s %s) == 0' % [cluster, of('cs_up'), joined, info()]
    ),
    counted('Canceled', 'Clusters whose last upgrade was given up.', 'canceled', colours.canceled),
    counted('Success', 'Clusters whose last upgrade ended well.', 'success', colours.success),
    counted('None', 'Clusters that were never upgraded.', 'none', colours.none),
  ];

  // Clusters whose upgrade is under way or needs somebody.
  local pending = '(%s == 1)' % of('cs_upgrade_status', 'status=~"running|pause|fail|unknown"');
  local meant(metric) = '%s and %s %s' % [metric, joined, pending];
  local owners = std.join('', [', ' + label for label in config.ownerLabels]);
  local capital(label) = std.asciiUpper(label[0]) + label[1:];

  local upgrades = panels.table(
    'Upgrading now, or failed',
    'Every upgrade that is under way, paused, failed or in an unknown state, failed and paused ones first, then the latest change: its step, how long it has been there, when it began, from which version to which, whose cluster it is, and what Alibaba Cloud says is wrong. "In this state" is as this exporter saw it: it begins anew with the process.',
    24,
    [
      panels.rows('max by (%s, name, account, region, version, status%s) ((%s) * %s group_left (name, account, region, version%s) %s)' % [
        cluster,
        owners,
        pending,
        joined,
        owners,
        named,
      ]),
      panels.rows('max by (%s, step) (%s)' % [cluster, meant('(%s == 1)' % of('cs_upgrade_step'))]),
      panels.rows('floor(time() - max by (%s) (%s))' % [cluster, meant(of('cs_upgrade_state_since_timestamp_seconds'))]),
      panels.rows('max by (%s) (%s) * 1000' % [cluster, meant(of('cs_upgrade_started_timestamp_seconds'))]),
      panels.rows('max by (%s, target_version) (%s)' % [cluster, meant(of('cs_upgrade_info'))]),
      panels.rows('max by (%s, message) (%s)' % [cluster, meant(of('cs_upgrade_error_info'))]),
    ],
    [
      clusterColumn(160),
      ['status', 'Status', coloured([statusMapping]) + [width(90)]],
      ['step', 'Step', coloured([panels.mapping(states.named(states.step))]) + [width(105)]],
      ['Value #C', 'In this state', [['unit', 'dtdurations'], ['decimals', 0], width(110)]],
      ['Value #D', 'Began', [['unit', 'dateTimeFromNow'], width(145)]],
      ['version', 'From', [width(125)]],
      ['target_version', 'To', [width(125)]],
      ['account', 'Account', [width(80)]],
      ['region', 'Region', [width(120)]],
    ] + [[label, capital(label), [width(90)]] for label in config.ownerLabels] + [
      ['message', 'Error', [['custom.minWidth', 250], ['custom.inspect', true]]],
      idColumn,
    ],
    ['Time', 'Value #A', 'Value #B', 'Value #E', 'Value #F', 'Value'],
    sort=[['Status', false], ['In this state', false]],
    custom={ filterable: false }
  );

  // The 24 clusters that changed last, of those that did anything in the time chosen.
  local namedThen = queries.named(info() + ' @ end()');
  local silent = 'min_over_time(%s[$__range] @ end()) == 0' % of('cs_up');
  local active = 'max_over_time(%s[$__range] @ end()) == 1 or %s @ end() == 1 or %s' % [
    of('cs_upgrade_status', 'status="running"'),
    of('cs_upgrade_status', 'status=~"pause|fail|canceled|unknown"'),
    silent,
  ];
  local latest = 'topk(24, (%s @ end() and %s (%s) or %s) and %s %s)' % [
    of('cs_upgrade_state_since_timestamp_seconds'),
    joined,
    active,
    silent,
    joined,
    namedThen,
  ];
  local number = '%s or (%s == 0) * 0 + %d' % [
    queries.number('cs_upgrade_status', 'status', states.status, queries.chosen),
    of('cs_up'),
    states.down[1],
  ];
  local timeline = panels.timeline(
    'Timeline',
    'The clusters whose upgrade did anything, or that did not answer, in the time chosen: the 24 that changed last. Clusters that were idle all the time have no line.',
    24,
    [panels.range('min by (name, region, %s) (((%s) and %s %s) * %s group_left (name, region) %s)' % [
      cluster,
      number,
      joined,
      latest,
      joined,
      namedThen,
    ], '{{name}} · {{region}}')],
    [panels.mapping(states.numbered(states.status + [states.down]))],
    overrides=[panels.byQuery('A', [['links', open('Open ${__field.labels.name}', '__field.labels.%s' % cluster)]])],
    legend=true
  ) { options+: { perPage: 24 }, maxDataPoints: 200 };

  local message = of('cs_upgrade_error_info');
  local known = '%s %s' % [joined, named];
  local failures = panels.table(
    'Failed lately',
    "What Alibaba Cloud said of upgrades that failed in the time chosen, and what the cluster's upgrade is doing now. Empty if metrics.error_message is off.",
    15,
    [
      panels.rows('max by (%s, name, message) (last_over_time(%s[$__range]) * %s group_left (name) %s)' % [cluster, message, joined, named]),
      panels.rows('max by (%s, message) ((timestamp(%s) or max_over_time(timestamp(%s)[$__range:$__interval])) and %s) * 1000' % [
        cluster,
        message,
        message,
        known,
      ]),
      panels.rows('max by (%s, status) ((%s == 1) and %s last_over_time(%s[$__range]) and %s)' % [
        cluster,
        of('cs_upgrade_status'),
        joined,
        message,
        known,
      ]),
    ],
    [
      clusterColumn(150),
      ['status', 'Now', coloured([statusMapping, downMapping]) + [width(115)]],
      ['Value #B', 'Last seen', [['unit', 'dateTimeFromNow'], width(145)]],
      ['message', 'Error', [['custom.minWidth', 260], ['custom.inspect', true]]],
      idColumn,
    ],
    ['Time', 'Value #A', 'Value #C', 'Value', 'region'],
    empty='No failures',
    sort=[['Last seen', true]]
  );

  local unanswered = 'unless on (%s) %s == 1' % [cluster, of('cs_up')];
  local down = panels.table(
    'Not answering',
    'Clusters whose last query was not answered, why, and how old the last answer is.',
    9,
    [
      panels.rows('max by (%s, name, region, account, reason) ((%s %s) * %s group_left (name, account, region) %s)' % [
        cluster,
        of('cs_query_failure'),
        unanswered,
        joined,
        named,
      ]),
      panels.rows('floor(time() - max by (%s) (%s %s and %s))' % [
        cluster,
        of('cs_last_success_timestamp_seconds'),
        unanswered,
        known,
      ]),
    ],
    [
      clusterColumn(150),
      ['reason', 'Reason', [
        ['custom.cellOptions', { type: 'color-text' }],
        ['color', panels.fixed('#E0526A')],
        width(90),
      ]],
      ['Value #B', 'Last answer', [['unit', 'dtdurations'], ['decimals', 0], ['noValue', 'never'], width(110)]],
      ['region', 'Region', []],
      idColumn,
    ],
    ['Time', 'Value #A', 'Value', 'account'],
    empty='All clusters answer'
  );

  local versions = panels.table(
    'Versions',
    "Clusters by the version that they run, as the account's cluster list has it.",
    8,
    [panels.rows('count by (version) (group by (%s, version) (%s))' % [cluster, info('version!=""')])],
    [
      ['version', 'Version', [width(150)]],
      ['Value', 'Clusters', [
        ['custom.cellOptions', { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' }],
        ['min', 0],
      ]],
    ],
    ['Time'],
    empty="Not known: the account's list is not read",
    sort=[['Clusters', true]],
    defaults={ color: panels.fixed(colours.running) }
  );

  local available = panels.table(
    'Upgrades available',
    'Clusters for which Alibaba Cloud offers a newer version, as the cluster list has it.',
    9,
    [panels.rows('group by (%s, name, account, region, version, next_version) (%s)' % [cluster, queries.named(info('next_version!=""'))])],
    [
      clusterColumn(145),
      ['version', 'Version', [width(120)]],
      ['next_version', 'Available', [width(120)]],
      ['region', 'Region', []],
      idColumn,
    ],
    ['Time', 'Value', 'Value #A', 'account'],
    sort=[['Version', false]],
    custom={ filterable: true },
    options={ footer: { show: false, reducer: ['count'], countRows: true, fields: '' } }
  );

  local series(name, text, colour) = panels.byName(name, [['displayName', text], ['color', panels.fixed(colour)]]);
  local counts = panels.timeseries(
    'In progress, paused, failed',
    'How many clusters were upgrading, paused or failed at a time.',
    7,
    [panels.range('count by (status) (group by (%s, status) ((%s == 1) and %s %s @ end()))' % [
      cluster,
      of('cs_upgrade_status', 'status=~"running|pause|fail"'),
      joined,
      info(),
    ], '{{status}}')],
    'none',
    overrides=[
      series('running', 'Running', colours.running),
      series('pause', 'Paused', colours.paused),
      series('fail', 'Failed', colours.failed),
    ],
    fill=25,
    stack=true,
    defaults={ decimals: 0 }
  ) { maxDataPoints: 200 };

  grafana.dashboard(
    'ack-upgrade-fleet',
    'Fleet',
    'Every cluster on Alibaba Cloud ACK and the state of its upgrade: what is going on, what needs somebody, what could be upgraded.',
    [variables.job, variables.instance, variables.account, variables.region, variables.clusters],
    [grafana.links.cluster, grafana.links.exporter],
    [
      grafana.row(3, tiles),
      grafana.row(9, [upgrades]),
      grafana.row(14, [timeline]),
      grafana.row(9, [failures, down]),
      grafana.row(9, [versions, available, counts]),
    ]
  )
