// One cluster.
function(config)
  local grafana = (import 'grafana.libsonnet')(config);
  local panels = (import 'panels.libsonnet')(config);
  local queries = (import 'queries.libsonnet')(config);
  local firing = (import 'firing.libsonnet')(config);
  local annotations = (import 'annotations.libsonnet')(config);
  local variables = (import 'variables.libsonnet')(config);
  local states = import 'states.libsonnet';
  local colours = states.colours;
  local cluster = config.clusterLabel;
  local joined = queries.joined;

  local chosen = '%s="$cluster"' % cluster;
  local of(name, matchers='') = queries.metric(name, std.join(', ', [one for one in [chosen, matchers] if one != '']));
  local number(name, label, values) = queries.number(name, label, values, chosen);

  local status = 'min(%s)' % queries.rank(chosen);
  local step = 'max(%s)' % number('cs_upgrade_step', 'step', states.step);
  local task = 'max(%s)' % number('cs_upgrade_task_status', 'status', states.task);
  local everything = panels.mapping(states.numbered(states.status + states.step + states.task + states.query));

  // The first and the last time at which a series was seen, in milliseconds.
  local first(by, selector) =
    'max by (%s) (min_over_time(timestamp(%s)[$__range:$__interval]) or timestamp(%s)) * 1000' % [by, selector, selector];
  local last(by, selector) =
    'max by (%s) (timestamp(%s) or max_over_time(timestamp(%s)[$__range:$__interval])) * 1000' % [by, selector, selector];

  local notProvided = 'Not provided by this source';
  local plain = { color: panels.fixed(colours.plain) };
  local state = {
    color: { mode: 'thresholds' },
    mappings: [everything],
    thresholds: panels.steps([[null, colours.plain]]),
    noValue: 'Not known',
  };

  // A duration in two queries, of which one has data: of an upgrade that is going on or broken, which may last too long, and of any other.
  local open = '%s == 1' % of('cs_upgrade_status', 'status=~"running|pause|fail|unknown"');
  local duration = plain { unit: 'dtdurations', decimals: 0 };
  local judged = [panels.byQuery('A', [
    ['color', { mode: 'thresholds' }],
    ['thresholds', panels.durationSteps(colours.plain)],
  ])];
  local since = queries.since(chosen);
  local started = of('cs_upgrade_started_timestamp_seconds');
  local ended = '%s and %s %s == 1' % [
    of('cs_upgrade_updated_timestamp_seconds'),
    joined,
    of('cs_upgrade_status', 'status=~"success|fail|canceled"'),
  ];

  // The value of a label, or a text if it is empty.
  local told(label, metric, otherwise) = 'max by (%s) (%s) or on () label_replace(vector(1), "%s", "%s", "", "")' % [
    label,
    of(metric, '%s!=""' % label),
    label,
    otherwise,
  ];

  local tiles = [
    panels.stat('Status', 'The upgrade as a whole.', 4, [panels.instant(status)], state),
    panels.stat('Step', 'The step that the upgrade has reached.', 4, [panels.instant(step)], state),
    panels.stat(
      'In this state for',
      'The time since the upgrade ended or, while it runs, since it began, where the source provides it, else since this exporter first saw the state: then it starts anew with the process.',
      4,
      [
        panels.instant('time() - min((%s) and %s (%s or %s == 0))' % [since, joined, open, of('cs_up')]),
        panels.instant('time() - min((%s) unless %s (%s or %s == 0))' % [since, joined, open, of('cs_up')]),
      ],
      duration { noValue: 'Not known' },
      overrides=judged
    ),
    panels.stat(
      'Upgrade duration',
      'From the start of the upgrade until now, or until it ended.',
      4,
      [
        panels.instant('time() - max(%s unless %s (%s))' % [started, joined, ended]),
        panels.instant('max(%s) - max(%s)' % [ended, started]),
      ],
      duration { noValue: notProvided },
      overrides=judged
    ),
    panels.stat(
      'Version',
      "The version that the cluster runs, from the account's cluster list.",
      4,
      [panels.instant(told('version', 'cs_cluster_info', 'Not known: the list is not read'), '{{version}}')],
      plain,
      text='name'
    ),
    panels.stat(
      'Target version',
      'The version that the last upgrade leads to.',
      4,
      [panels.instant(told('target_version', 'cs_upgrade_info', notProvided), '{{target_version}}')],
      plain,
      text='name'
    ),
  ];

  // What the account may watch beside the upgrade.
  local watched(name) = 'None, or watch.%s is not set' % name;
  local notWatched = 'None, or not watched';
  local endOfSupport = of('cs_cluster_version_end_of_support_timestamp_seconds');
  local soon = 'time() + %d' % (config.dashboards.supportDays * 86400);
  local date = plain { unit: 'dateTimeFromNow' };
  local colour(refId, value) = panels.byQuery(refId, [['color', panels.fixed(value)]]);
  local watches = [panel { options+: { text: { valueSize: 22 } } } for panel in [
    panels.stat(
      'Support ends',
      'When the support of the Kubernetes version that the cluster runs ends. Needs watch.versions.',
      4,
      [
        panels.instant('max(%s < time()) * 1000' % endOfSupport),
        panels.instant('max(%s > time() < %s) * 1000' % [endOfSupport, soon]),
        panels.instant('max(%s > %s) * 1000' % [endOfSupport, soon]),
      ],
      date { noValue: notWatched },
      overrides=[colour('A', colours.failed), colour('B', colours.paused)]
    ),
    panels.stat(
      'Minor versions behind',
      'Minor versions between the one that the cluster runs and the newest one. Needs watch.versions.',
      4,
      [panels.instant('max(%s)' % of('cs_cluster_versions_behind'))],
      plain { decimals: 0, noValue: notWatched }
    ),
    panels.stat(
      'Automatic upgrades',
      'The channel of automatic upgrades. Needs watch.maintenance.',
      4,
      [panels.instant(
        'max by (channel) (%(auto)s == 1) or on () label_replace(max(%(auto)s == 0), "channel", "Off", "", "") or on () label_replace(vector(1), "channel", "%(notWatched)s", "", "")' % {
          auto: of('cs_cluster_auto_upgrade'),
          notWatched: notWatched,
        },
        '{{channel}}'
      )],
      plain,
      text='name'
    ),
    panels.stat(
      'Maintenance window',
      'When the next maintenance window opens, in which automatic upgrades run. Needs watch.maintenance.',
      4,
      [panels.instant('max(%s) * 1000' % of('cs_maintenance_window_next_start_timestamp_seconds'))],
      date { noValue: notWatched }
    ),
    panels.stat(
      'Next plan',
      'When the next planned operation starts. Needs watch.plans.',
      4,
      [panels.instant('min(%s > time() and on (%s, job, instance, plan) %s) * 1000' % [
        of('cs_plan_start_timestamp_seconds'),
        cluster,
        of('cs_plan_info', 'state=~"scheduled|unknown"'),
      ])],
      date { noValue: notWatched }
    ),
    panels.stat(
      'Precheck',
      'The worst result of the newest checks before upgrades. Needs watch.prechecks.',
      4,
      [panels.instant('min(%s)' % number('cs_precheck_result', 'result', states.precheck))],
      state { mappings: [panels.mapping(states.numbered(states.precheck))], noValue: notWatched }
    ),
  ]];

  local byPool(aggregation, metric, more='') = panels.rows('%s by (node_pool%s) (%s)' % [aggregation, more, metric]);
  local nodes(conditions) = byPool('sum', 'max by (node_pool, condition) (%s)' % of('cs_node_pool_nodes', 'condition=~"%s"' % conditions));
  local pools = panels.table(
    'Node pools',
    'The node pools, with the state of their newest upgrade, the version that new nodes get, and how many minor versions that is behind the control plane. What needs somebody is first. Needs watch.node_pools.',
    24,
    [
      byPool('group', of('cs_node_pool_info'), ', name, type, kubelet_version, runtime, runtime_version'),
      byPool('max', '%s == 1' % of('cs_node_pool_state'), ', state'),
      panels.rows('min by (node_pool) (%s)' % number('cs_node_pool_upgrade_status', 'status', states.pool)),
      byPool('max', of('cs_node_pool_upgrade_updated_timestamp_seconds')) { expr: super.expr + ' * 1000' },
      byPool('max', of('cs_node_pool_versions_behind')),
      nodes('total'),
      nodes('healthy'),
      nodes('failed|offline'),
      byPool('max', of('cs_node_pool_upgrade_error_info'), ', message'),
    ],
    [
      ['name', 'Node pool', [['custom.minWidth', 150]]],
      ['state', 'State', panels.coloured(states.named(states.poolState)) + [['custom.width', 90]]],
      ['Value #C', 'Upgrade', panels.coloured(states.numbered(states.pool)) + [['custom.width', 90]]],
      ['Value #D', 'Last change', [['unit', 'dateTimeFromNow'], ['custom.width', 140]]],
      ['kubelet_version', 'Kubelet', [['custom.width', 140]]],
      ['Value #E', 'Behind', [
        ['decimals', 0],
        ['custom.cellOptions', { type: 'color-text' }],
        ['color', { mode: 'thresholds' }],
        ['thresholds', panels.steps([[null, 'text'], [2, colours.paused], [3, colours.failed]])],
        ['custom.width', 75],
      ]],
      ['runtime_version', 'Runtime', [['custom.width', 85]]],
      ['Value #F', 'Nodes', [['decimals', 0], ['custom.width', 70]]],
      ['Value #G', 'Healthy', [['decimals', 0], ['custom.width', 80]]],
      ['Value #H', 'Failed, offline', [
        ['decimals', 0],
        ['custom.cellOptions', { type: 'color-text' }],
        ['color', { mode: 'thresholds' }],
        ['thresholds', panels.steps([[null, 'text'], [1, colours.failed]])],
        ['custom.width', 115],
      ]],
      ['message', 'Error', [['custom.minWidth', 200], ['custom.inspect', true]]],
    ],
    ['Time', 'Value', 'Value #A', 'Value #B', 'Value #I', 'node_pool', 'type', 'runtime'],
    empty=watched('node_pools'),
    sort=[['Upgrade', false], ['Node pool', false]]
  );

  local addons = panels.table(
    'Add-ons',
    'The installed add-ons, and the newest version on offer for each that lacks it. Needs watch.addons.',
    9,
    [panels.rows('group by (addon, version, available_version, state) (%s)' % of('cs_addon_info'))],
    [
      ['addon', 'Add-on', [['custom.width', 200]]],
      ['version', 'Version', []],
      ['available_version', 'Available', []],
      ['state', 'State', [['custom.width', 90]]],
    ],
    ['Time', 'Value', 'Value #A'],
    empty=watched('addons'),
    sort=[['Available', true], ['Add-on', false]]
  );

  local plans = panels.table(
    'Planned operations',
    'What Alibaba Cloud plans to do, does, and did last of each type and target. Needs watch.plans.',
    9,
    [
      panels.rows('group by (plan, type, state) (%s)' % of('cs_plan_info')),
      panels.rows('max by (plan) (%s) * 1000' % of('cs_plan_start_timestamp_seconds')),
    ],
    [
      ['Value #B', 'Starts', [['unit', 'dateTimeFromNow'], ['custom.width', 130]]],
      ['state', 'State', panels.coloured(states.named(states.plan)) + [['custom.width', 125]]],
      ['type', 'Operation', [['custom.minWidth', 150]]],
    ],
    ['Time', 'Value', 'Value #A', 'plan'],
    empty=watched('plans'),
    sort=[['Starts', true]]
  );

  local prechecks = panels.table(
    'Prechecks',
    'The newest check of each type. Needs watch.prechecks.',
    6,
    [
      panels.rows('min by (type) (%s)' % number('cs_precheck_result', 'result', states.precheck)),
      panels.rows('max by (type) (%s) * 1000' % of('cs_precheck_finished_timestamp_seconds')),
    ],
    [
      ['type', 'Check', [['custom.minWidth', 110]]],
      ['Value #A', 'Result', panels.coloured(states.numbered(states.precheck)) + [['custom.width', 80]]],
      ['Value #B', 'Finished', [['unit', 'dateTimeFromNow'], ['custom.width', 140]]],
    ],
    ['Time', 'Value'],
    empty=watched('prechecks'),
    sort=[['Result', false]]
  );

  local timeline = panels.timeline(
    'Timeline',
    'Status, step and task of the upgrade, and whether queries succeed.',
    24,
    [
      panels.range(status, 'Status'),
      panels.range(step, 'Step'),
      panels.range(task, 'Task'),
      panels.range('max(%s) + 30' % of('cs_up'), 'Query'),
    ],
    [everything]
  ) { maxDataPoints: 400 };

  local message = of('cs_upgrade_error_info');
  local errors = panels.table(
    'Errors',
    "Alibaba Cloud's messages about this cluster's upgrades in the time chosen. Empty if metrics.error_message is off.",
    15,
    [
      panels.rows('max by (message) (last_over_time(%s[$__range]))' % message),
      panels.rows(first('message', message)),
      panels.rows(last('message', message)),
    ],
    [
      ['Value #C', 'Last seen', [['unit', 'dateTimeAsIso'], ['custom.width', 165]]],
      ['Value #B', 'First seen', [['unit', 'dateTimeAsIso'], ['custom.width', 165]]],
      ['message', 'Error', []],
    ],
    ['Time', 'Value #A', 'Value'],
    empty='No errors',
    sort=[['Last seen', true]],
    custom={ cellOptions: { type: 'auto', wrapText: true }, inspect: true }
  );

  local facts = panels.table(
    'Cluster',
    "The cluster as the configuration and the account's cluster list describe it.",
    9,
    [
      panels.rows('group without (job, instance) (%s)' % of('cs_cluster_info')),
      panels.rows('group by (%s, state) (%s == 1)' % [cluster, of('cs_cluster_state')]),
    ],
    [
      ['name', 'Name', []],
      [cluster, 'ID', []],
      ['account', 'Account', []],
      ['region', 'Region', []],
      ['type', 'Type', []],
      ['spec', 'Specification', []],
      ['version', 'Version', []],
      ['next_version', 'Available', []],
      ['state', 'State', []],
    ] + [[label, panels.capital(label), []] for label in config.ownerLabels],
    ['Time', 'Value', 'Value #A', 'Value #B'],
    custom={ inspect: true },
    options={ showHeader: false },
    overrides=[panels.byName('Field', [['custom.width', 120]])]
  ) {
    height:: 12,
    transformations+: [{ id: 'reduce', options: { reducers: ['lastNotNull'], mode: 'seriesToRows', labelsToFields: false } }],
  };

  local info = of('cs_upgrade_info');
  local details = 'target_version, task_id, precheck_report_id, source';
  local upgrades = panels.table(
    'Upgrades',
    'The upgrades of the time chosen: target version, task, precheck report, and the source. What a source does not provide is empty.',
    15,
    [
      panels.rows('max by (%s) (last_over_time(%s[$__range]))' % [details, info]),
      panels.rows(last(details, info)),
    ],
    [
      ['Value #B', 'Last seen', [['unit', 'dateTimeAsIso'], ['custom.width', 180]]],
      ['target_version', 'Target version', []],
      ['task_id', 'Task', []],
      ['precheck_report_id', 'Precheck report', []],
      ['source', 'Source', []],
    ],
    ['Time', 'Value #A', 'Value'],
    empty='No upgrades',
    sort=[['Last seen', true]],
    custom={ inspect: true }
  );

  local bar(name, text, colour) = panels.byName(name, [['displayName', text], ['color', panels.fixed(colour)]]);
  local steps = panels.bars(
    'Time in each step',
    'How long the upgrades of the time chosen have been in each step, as often as it was looked at; the time after a failure is not counted.',
    8,
    [panels.instant('count_over_time(max by (step) ((%s == 1) and %s (%s == 1))[$__range:$__interval]) * $__interval_ms / 1000' % [
      of('cs_upgrade_step', 'step=~"prechecking|upgrading|pause"'),
      joined,
      of('cs_upgrade_status', 'status=~"running|pause"'),
    ], '{{step}}')],
    'dtdurations',
    overrides=[
      bar('prechecking', 'Prechecking', colours.prechecking),
      bar('upgrading', 'Upgrading', colours.running),
      bar('pause', 'Paused', colours.paused),
    ],
    defaults={ color: panels.fixed(colours.running), decimals: 0, noValue: 'No upgrade' }
  );

  local latency = panels.timeseries(
    'Query duration',
    'How long the last query of the cluster took, retries included, by instance of the exporter.',
    8,
    [panels.range('max by (instance) (%s)' % of('cs_query_duration_seconds'), '{{instance}}')],
    's'
  );

  local age = panels.timeseries(
    'Data age',
    'How old the last response is. It grows while queries fail, and while the exporter serves the cluster from its cache.',
    8,
    [panels.range('time() - max(%s)' % of('cs_last_success_timestamp_seconds'), 'age')],
    's',
    defaults={ color: panels.fixed(colours.running) }
  );

  local alerts = firing.table(
    'Firing alerts',
    'The alerts about this cluster that fire, of the rules that this Prometheus evaluates. The alert opens its runbook.',
    12,
    chosen,
    ['severity', 'alert', 'since']
  );

  local reasons = panels.timeline(
    'Failed queries by reason',
    'Why queries of the cluster failed; empty while all succeed.',
    12,
    [panels.range('max by (reason) (%s)' % of('cs_query_failure'), '{{reason}}')],
    [panels.mapping([[1, 'Not answering', colours.down]])],
    showValue='never',
    defaults={ noValue: 'All succeeded' }
  ) { maxDataPoints: 400 };

  grafana.dashboard(
    'ack-upgrade-cluster',
    'Cluster',
    'One cluster on Alibaba Cloud ACK: where its upgrade stands, how it got there, what it says, and how well it answers.',
    [variables.job, variables.instance, variables.account, variables.region, variables.cluster],
    [
      grafana.links.fleet,
      grafana.links.exporter,
      grafana.externalLink('Console', config.consoleUrl % '${cluster}', 'The cluster in the console of Alibaba Cloud'),
      grafana.externalLink('Runbooks', (import '../runbooks.libsonnet')(config), 'What to do about each alert'),
    ],
    [
      annotations.builtIn,
      annotations.began(chosen, true),
      annotations.ended(chosen, true),
      annotations.failed(chosen),
      annotations.alerts(chosen),
      annotations.restarted,
    ],
    [
      grafana.row(4, tiles),
      grafana.row(3, watches),
      grafana.row(8, [timeline]),
      grafana.row(6, [errors, facts]),
      grafana.row(6, [upgrades]),
      grafana.row(7, [pools]),
      grafana.row(8, [addons, plans, prechecks]),
      grafana.row(6, [alerts, reasons]),
      grafana.row(8, [steps, latency, age]),
    ]
  )
