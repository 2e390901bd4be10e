// All clusters.
function(config)
  local grafana = (import 'grafana.libsonnet')(config);
  local panels = (import 'panels.libsonnet')(config);
  local queries = (import 'queries.libsonnet')(config);
  local variables = (import 'variables.libsonnet')(config);
  local annotations = (import 'annotations.libsonnet')(config);
  local firing = (import 'firing.libsonnet')(config);
  local states = import 'states.libsonnet';
  local colours = states.colours;
  local cluster = config.clusterLabel;
  local joined = queries.joined;
  local chosen = queries.chosen;
  local of = queries.of;
  local info = queries.info;
  local named = queries.named(info());

  local coloured = panels.coloured;
  local width(pixels) = ['custom.width', pixels];
  local clusterColumn = ['name', 'Cluster', [['links', [panels.clusterLink('Open ${__value.text}', '__data.fields.%s' % cluster)]], ['custom.width', 190]]];
  // The ID, to which the name links, as a link to the console.
  local consoleColumn = [cluster, 'Console', [
    ['links', [panels.link('The cluster in the console', config.consoleUrl % '${__value.raw}', true)]],
    ['mappings', [{ type: 'regex', options: { pattern: '.+', result: { text: 'Open', index: 0 } } }]],
    width(90),
  ]];

  // Clusters in a state, and a link to a table of them.
  local with(status) = 'group by (%s) ((%s == 1) and %s %s)' % [cluster, of('cs_upgrade_status', 'status="%s"' % status), joined, info()];
  local withoutResponse = '(%s) and %s %s' % [queries.down(chosen), joined, info()];
  local list(status) = ['links', [panels.link(
    'List them',
    '/d/ack-upgrade-fleet?%s&${account:queryparam}&${region:queryparam}&${cluster:queryparam}&var-status=%s&${__url_time_range}' % [
      grafana.kept,
      status,
    ]
  )]];
  local tile(width, state, description, clusters=with(state[0])) = panels.stat(
    state[2],
    description,
    width,
    [panels.instant('count(%s) or vector(0)' % clusters, state[2])],
    { color: { mode: 'thresholds' }, thresholds: panels.steps([[null, colours.zero], [1, state[3]]]), decimals: 0 },
    overrides=[panels.byQuery('A', [list(state[0])])]
  );
  // What accounts may watch beside the upgrades. Without a series of the family the tile says so.
  local watched(width, title, description, colour, clusters, family, panel) = panels.stat(
    title,
    description,
    width,
    [panels.instant('count(%s) or count(%s) * 0' % [clusters, family], title)],
    {
      color: { mode: 'thresholds' },
      thresholds: panels.steps([[null, colours.zero], [1, colour]]),
      decimals: 0,
      noValue: 'Not watched',
    },
    overrides=[panels.byQuery('A', [['links', [panels.link(
      'List them',
      '/d/ack-upgrade-fleet?%s&${account:queryparam}&${region:queryparam}&${cluster:queryparam}&viewPanel=%d&${__url_time_range}' % [
        grafana.kept,
        panel,
      ]
    )]]])]
  );
  local plansPanel = 101;
  local supportPanel = 102;
  local support = of('cs_cluster_version_end_of_support_timestamp_seconds');
  local tiles = [
    tile(3, states.fail, 'Clusters whose last upgrade failed.'),
    tile(3, states.pause, 'Clusters whose upgrade is paused. With an error it is a failure.'),
    tile(4, states.down, 'Clusters whose last query failed: the state of their upgrade is not known.', withoutResponse),
    tile(3, states.unknown, 'Clusters whose upgrade is in a state that the exporter does not know.'),
    tile(3, states.running, 'Clusters whose upgrade is in progress.'),
    watched(
      4,
      'Planned, 24 h',
      'Clusters for which an operation starts in the next 24 hours, or runs. Needs watch.plans.',
      colours.prechecking,
      'group by (%s) ((%s or %s and on (%s, job, instance, plan) (%s > time() < time() + 86400)) and %s %s)' % [
        cluster,
        of('cs_plan_info', 'state="executing"'),
        of('cs_plan_info', 'state=~"scheduled|unknown"'),
        cluster,
        of('cs_plan_start_timestamp_seconds'),
        joined,
        info(),
      ],
      queries.metric('cs_query_up', 'query="plans"'),
      plansPanel
    ),
    watched(
      4,
      'Support ended',
      'Clusters whose Kubernetes version has no support any more. Needs watch.versions.',
      colours.failed,
      'group by (%s) (%s < time() and %s %s)' % [cluster, support, joined, info()],
      support,
      supportPanel
    ),
  ];

  // The clusters in one of the statuses chosen. `down` is no value of the metric's label, so a series with it as a label is held against
  // the choice.
  local statuses = 'status=~"$status"';
  local downChosen = '(label_replace(label_replace(vector(1), "word", "down", "", ""), "hit", "1", "word", "$status") and on (hit) label_replace(vector(1), "hit", "1", "", ""))';
  local down = '(%s) and on () %s' % [queries.down(chosen), downChosen];
  local listed(metric) = '(%s) and %s %s == 1' % [metric, joined, of('cs_upgrade_status', statuses)];
  local listedOrDown(metric) = '(%s) and %s (%s == 1 or %s)' % [metric, joined, of('cs_upgrade_status', statuses), down];
  local owners = std.join('', [', ' + label for label in config.ownerLabels]);

  local upgrades = panels.table(
    'Upgrades',
    'The clusters in the states chosen above. What needs somebody is first: failed, paused, unknown, not answering; then what is running; the longest first. "For" is the time since the upgrade ended or, while it runs, since it began, where the source provides it, else since this exporter first saw the state. The name opens the cluster\'s dashboard.',
    24,
    [
      panels.rows('min by (%s, name, account, region, version%s) ((%s) * %s group_left (name, account, region, version%s) %s)' % [
        cluster,
        owners,
        queries.rank(chosen, statuses=statuses, down=down),
        joined,
        owners,
        named,
      ]),
      panels.rows('max by (%s, step) (%s)' % [cluster, listed('%s == 1' % of('cs_upgrade_step'))]),
      panels.rows('floor(time() - min by (%s) (%s))' % [cluster, listedOrDown(queries.since(chosen))]),
      panels.rows('max by (%s, target_version) (%s)' % [cluster, listed(of('cs_upgrade_info'))]),
      panels.rows('max by (%s, message) (%s or (%s) and %s (%s))' % [
        cluster,
        listed(of('cs_upgrade_error_info')),
        'label_replace(%s, "message", "no response: $1", "reason", "(.+)")' % of('cs_query_failure'),
        joined,
        down,
      ]),
    ],
    [
      clusterColumn,
      consoleColumn,
      ['Value #A', 'Status', coloured(states.numbered(states.status)) + [width(120)]],
      ['step', 'Step', coloured(states.named(states.step)) + [width(105)]],
      ['Value #C', 'For', [
        ['unit', 'dtdurations'],
        ['decimals', 0],
        ['custom.cellOptions', { type: 'color-text' }],
        ['color', { mode: 'thresholds' }],
        ['thresholds', panels.durationSteps('text')],
        width(120),
      ]],
      ['version', 'From', [width(130)]],
      ['target_version', 'To', [width(130)]],
      ['account', 'Account', [width(90)]],
      ['region', 'Region', [width(120)]],
    ] + [[label, panels.capital(label), [width(90)]] for label in config.ownerLabels] + [
      ['message', 'Error', [['custom.minWidth', 250], ['custom.inspect', true]]],
    ],
    ['Time', 'Value #B', 'Value #D', 'Value #E', 'Value'],
    empty='No cluster is in one of the states chosen',
    sort=[['Status', false], ['For', true]],
    custom={ filterable: false }
  );

  // The 24 clusters that most need somebody, in that order: their rank, and then since when. The state at the end of the time chosen
  // counts. The order is a label, by which Prometheus sorts.
  local end = ' @ end()';
  local rank = 'min by (%s) (%s)' % [cluster, queries.rank(chosen, end)];
  local active = '%s < %d or %s and on (%s) max_over_time(%s[$__range]%s) == 1' % [
    rank,
    states.canceled[1],
    rank,
    cluster,
    of('cs_upgrade_status', 'status="running"'),
    end,
  ];
  local order = 'floor((%s) * 1e10 + (min by (%s) (%s) or %s * 0))' % [active, cluster, queries.since(chosen, end), rank];
  local placed = '(%s) * on (%s) group_left (name, region) topk by (%s) (1, group by (%s, name, region) (%s))' % [
    order,
    cluster,
    cluster,
    cluster,
    queries.named(info() + end),
  ];
  local timeline = panels.timeline(
    'Timeline',
    'The 24 clusters that most need somebody now, in the order of the table above, and those that were upgraded in the time chosen. Clusters that were idle all the time have no line.',
    24,
    [panels.range('min by (_order, name, region, %(c)s) ((%(rank)s) * on (%(c)s) group_left (_order, name, region) count_values by (%(c)s, name, region) ("_order", bottomk(24, %(placed)s)))' % {
      c: cluster,
      rank: queries.rank(chosen),
      placed: placed,
    }, '{{name}} · {{region}}')],
    [panels.mapping(states.numbered(states.status))],
    overrides=[panels.byQuery('A', [['links', [panels.clusterLink('Open ${__field.labels.name}', '__field.labels.%s' % cluster)]]])],
    legend=true
  ) { options+: { perPage: 24 }, maxDataPoints: 200 };

  local message = of('cs_upgrade_error_info');
  local known = '%s %s' % [joined, named];
  local failures = panels.table(
    'Recent failures',
    "Alibaba Cloud's messages about upgrades that failed in the time chosen, and the state of the cluster now. Empty if metrics.error_message is off.",
    13,
    [
      panels.rows('max by (%s, name, message) (last_over_time(%s[$__range]) * %s group_left (name) %s)' % [cluster, message, joined, named]),
      panels.rows('max by (%s, message) ((timestamp(%s) or max_over_time(timestamp(%s)[$__range:$__interval])) and %s) * 1000' % [
        cluster,
        message,
        message,
        known,
      ]),
      panels.rows('min by (%s) ((%s) and %s last_over_time(%s[$__range]) and %s)' % [
        cluster,
        queries.rank(chosen),
        joined,
        message,
        known,
      ]),
    ],
    [
      clusterColumn,
      ['Value #C', 'Now', coloured(states.numbered(states.status)) + [width(120)]],
      ['Value #B', 'Last seen', [['unit', 'dateTimeFromNow'], width(145)]],
      ['message', 'Error', [['custom.minWidth', 260], ['custom.inspect', true]]],
      [cluster, '', [['custom.hidden', true]]],
    ],
    ['Time', 'Value #A', 'Value', 'region'],
    empty='No failures',
    sort=[['Last seen', true]]
  );

  local alerts = firing.table(
    'Firing alerts',
    'The alerts of this exporter that fire, of the rules that this Prometheus evaluates, the most severe first. The alert opens its runbook.',
    11,
    '',
    ['severity', 'alert', 'cluster', 'since', 'account']
  );

  local versions = panels.table(
    'Versions',
    "Clusters by the version that they run, from the account's cluster list.",
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
    empty='Not known: the cluster list is not read',
    sort=[['Clusters', true]],
    defaults={ color: panels.fixed(colours.running) }
  );

  local available = panels.table(
    'Upgrades available',
    "Clusters that Alibaba Cloud offers a newer version, from the account's cluster list.",
    16,
    [panels.rows('group by (%s, name, account, region, version, next_version) (%s)' % [cluster, queries.named(info('next_version!=""'))])],
    [
      clusterColumn,
      consoleColumn,
      ['version', 'Version', [width(150)]],
      ['next_version', 'Available', [width(150)]],
      ['account', 'Account', []],
      ['region', 'Region', []],
    ],
    ['Time', 'Value', 'Value #A'],
    empty='None, or the cluster list is not read',
    sort=[['Version', false]],
    custom={ filterable: true },
    options={ footer: { show: false, reducer: ['count'], countRows: true, fields: '' } }
  );

  local plans = panels.table(
    'Planned operations',
    'What Alibaba Cloud plans to do, does, or failed to do: automatic upgrades of clusters and node pools. Needs watch.plans.',
    12,
    [
      panels.rows('group by (%s, name, plan, type, state) (%s * %s group_left (name) %s)' % [
        cluster,
        of('cs_plan_info', 'state!~"executed|canceled"'),
        joined,
        named,
      ]),
      panels.rows('max by (%s, plan) (%s and on (%s, job, instance, plan) %s) * 1000' % [
        cluster,
        of('cs_plan_start_timestamp_seconds'),
        cluster,
        of('cs_plan_info', 'state!~"executed|canceled"'),
      ]),
    ],
    [
      clusterColumn,
      ['state', 'State', coloured(states.named(states.plan)) + [width(125)]],
      ['Value #B', 'Starts', [['unit', 'dateTimeFromNow'], width(140)]],
      ['type', 'Operation', [['custom.minWidth', 150]]],
      [cluster, '', [['custom.hidden', true]]],
    ],
    ['Time', 'Value #A', 'Value', 'plan'],
    empty='None, or watch.plans is not set',
    sort=[['Starts', false]]
  ) { id:: plansPanel };

  local ending = panels.table(
    'Support ends',
    'The clusters whose Kubernetes version loses its support within half a year, or has lost it, and how many minor versions they are behind. Needs watch.versions.',
    12,
    [
      panels.rows('max by (%s, name, version) ((%s < time() + 15552000) * %s group_left (name) %s) * 1000' % [cluster, support, joined, named]),
      panels.rows('max by (%s) (%s and %s %s < time() + 15552000)' % [cluster, of('cs_cluster_versions_behind'), joined, support]),
      panels.rows('(max by (%s) (%s < time() + 15552000) - time()) / 86400' % [cluster, support]),
    ],
    [
      clusterColumn,
      ['Value #A', 'Support ends', [['unit', 'dateTimeFromNow'], width(140)]],
      ['Value #C', 'In', [
        ['unit', 'd'],
        ['decimals', 0],
        ['custom.cellOptions', { type: 'color-text' }],
        ['color', { mode: 'thresholds' }],
        ['thresholds', panels.steps([[null, colours.failed], [0, colours.paused], [config.dashboards.supportDays, 'text']])],
        width(100),
      ]],
      ['version', 'Version', [['custom.minWidth', 130]]],
      ['Value #B', 'Behind', [['decimals', 0], width(80)]],
      [cluster, '', [['custom.hidden', true]]],
    ],
    ['Time', 'Value'],
    empty='None within half a year, or watch.versions is not set',
    sort=[['In', false]]
  ) { id:: supportPanel };

  local series(state) = panels.byName(state[0], [['displayName', state[2]], ['color', panels.fixed(state[3])], list(state[0])]);
  local shares = panels.bars(
    'Clusters by state',
    'How many clusters are in each state now.',
    7,
    [
      panels.instant('count by (status) (group by (%s, status) ((%s == 1) and %s %s))' % [cluster, of('cs_upgrade_status'), joined, info()], '{{status}}'),
      panels.instant('count(%s)' % withoutResponse, 'down'),
    ],
    'none',
    overrides=[series(state) for state in states.status if state != states.pausedOnError],
    defaults={ decimals: 0, noValue: 'No clusters' }
  );
  local counts = panels.timeseries(
    'Upgrades over time',
    'How many clusters were upgrading, paused, failed or did not answer at a time.',
    17,
    [
      panels.range('count by (status) (group by (%s, status) ((%s == 1) and %s %s @ end()))' % [
        cluster,
        of('cs_upgrade_status', 'status=~"running|pause|fail"'),
        joined,
        info(),
      ], '{{status}}'),
      panels.range('count(group by (%s) ((%s) and %s %s @ end()))' % [cluster, queries.down(chosen), joined, info()], 'down'),
    ],
    'none',
    overrides=[series(states.fail), series(states.pause), series(states.down), series(states.running)],
    fill=25,
    stack=true,
    defaults={ decimals: 0 }
  ) { maxDataPoints: 200 };

  grafana.dashboard(
    'ack-upgrade-fleet',
    'Fleet',
    'Every cluster on Alibaba Cloud ACK and the state of its upgrade: what needs somebody, what is running, what could be upgraded.',
    [variables.job, variables.instance, variables.account, variables.region, variables.clusters, variables.status],
    [grafana.links.cluster, grafana.links.exporter],
    [
      annotations.builtIn,
      annotations.failed(chosen),
      annotations.began(chosen, false),
      annotations.ended(chosen, false),
      annotations.alerts('severity="critical"', false),
      annotations.restarted,
    ],
    [
      grafana.row(3, tiles),
      grafana.row(10, [upgrades]),
      grafana.row(14, [timeline]),
      grafana.row(9, [failures, alerts]),
      grafana.row(9, [plans, ending]),
      grafana.row(9, [shares, counts]),
      grafana.row(9, [versions, available]),
    ]
  )
