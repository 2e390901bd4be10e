// The exporter itself, and its standing with Alibaba Cloud.
function(config)
  local grafana = (import 'grafana.libsonnet')(config);
  local panels = (import 'panels.libsonnet')(config);
  local queries = (import 'queries.libsonnet')(config);
  local firing = (import 'firing.libsonnet')(config);
  local annotations = (import 'annotations.libsonnet')(config);
  local variables = (import 'variables.libsonnet')(config);
  local states = import 'states.libsonnet';
  local colours = states.colours;
  local metric = queries.metric;
  local cluster = config.clusterLabel;

  local account = 'account=~"$account"';
  // A metric of the account chosen.
  local of(name, matchers='') = metric(name, std.join(', ', [one for one in [matchers, account] if one != '']));
  local rate(selector) = 'rate(%s[$__rate_interval])' % selector;
  local requests = rate(of('cs_exporter_api_requests_total'));
  local failures(matchers='') = rate(of('cs_exporter_api_request_failures_total', matchers));
  // Of the process alone, since a job may have other pages.
  local process(expression) = 'max by (instance) (%s and on (job, instance) %s)' % [expression, metric('ack_upgrade_exporter_build_info')];
  local quantile(q) =
    'histogram_quantile(%s, sum by (le) (%s))' % [q, rate(of('cs_exporter_api_request_duration_seconds_bucket'))];
  // The part of an account's requests of which something is true.
  local part(which) = 'sum by (account) (%s) / (sum by (account) (%s) > 0)' % [which, requests];
  local colour(name, value) = panels.byName(name, [['color', panels.fixed(value)]]);
  local fixed = { color: panels.fixed(colours.plain), noValue: '–' };
  local judged(steps) = { color: { mode: 'thresholds' }, thresholds: panels.steps(steps) };

  local tiles = [
    panels.stat(
      'Instances scraped',
      'Instances of the exporter that Prometheus gets a page from.',
      4,
      [panels.instant('count(%s) or vector(0)' % metric('ack_upgrade_exporter_build_info'))],
      judged([[null, colours.failed], [1, colours.plain]]) + { noValue: '–' }
    ),
    panels.stat(
      'Clusters',
      'Clusters that the instances are responsible for; replicas count each.',
      4,
      [panels.instant('sum(%s)' % metric('cs_exporter_clusters'))],
      fixed
    ),
    panels.stat(
      'Answering',
      'The part of the clusters whose last query was answered.',
      4,
      [panels.instant('avg(%s)' % metric('cs_up'))],
      judged([[null, colours.failed], [0.9, colours.paused], [0.99, colours.success]])
      + { unit: 'percentunit', decimals: 1, noValue: '–' }
    ),
    panels.stat(
      'Requests failed',
      'The part of the requests to Alibaba Cloud that failed, retries counted.',
      4,
      [panels.instant('sum(%s) / sum(%s)' % [failures(), requests])],
      judged([[null, colours.success], [0.01, colours.paused], [0.1, colours.failed]])
      + { unit: 'percentunit', decimals: 1, noValue: '–' }
    ),
    panels.stat(
      'Credentials expire in',
      'The account whose credentials expire first. They are refreshed when a fifth of their lifetime is left, at most 15 minutes before.',
      4,
      [panels.instant('min(%s) - time()' % of('cs_exporter_credentials_expiry_timestamp_seconds'))],
      judged([[null, colours.failed], [120, colours.paused], [600, colours.plain]]) + {
        unit: 'dtdurations',
        decimals: 0,
        mappings: [{ type: 'special', options: { match: 'null', result: { text: 'Never', color: colours.plain, index: 0 } } }],
      }
    ),
    panels.stat(
      'Configuration',
      'Whether the last load of the configuration was good on every instance.',
      4,
      [panels.instant('min(%s)' % metric('cs_exporter_config_last_reload_successful'))],
      {
        color: { mode: 'thresholds' },
        mappings: [panels.mapping([[1, 'Good', colours.success], [0, 'Refused', colours.failed]])],
        noValue: '–',
      }
    ),
  ];

  local scrapes = panels.timeseries(
    'Scrape duration and budget',
    'How long the collection took, how long the whole scrape took for Prometheus and, dashed, the budget: the scrape timeout less scrape.timeout_offset. A cluster without a response by then has cs_up 0.',
    12,
    [
      panels.range('max by (instance) (%s)' % metric('cs_exporter_scrape_duration_seconds'), 'collection {{instance}}'),
      panels.range(process(metric('scrape_duration_seconds')), 'scrape {{instance}}'),
      panels.range('min by (instance) (%s)' % metric('cs_exporter_scrape_budget_seconds'), 'budget {{instance}}'),
    ],
    's',
    overrides=[panels.byQuery('C', [
      ['color', panels.fixed(colours.failed)],
      ['custom.lineStyle', { fill: 'dash', dash: [10, 10] }],
      ['custom.fillOpacity', 0],
    ])],
    fill=10
  );

  local calls = panels.timeseries(
    'Requests to Alibaba Cloud',
    'Requests a second by operation, each retry counted.',
    12,
    [panels.range('sum by (operation) (%s) > 0' % requests, '{{operation}}')],
    'reqps',
    fill=20,
    stack=true
  );

  local failed = panels.timeseries(
    'Failed requests by reason',
    'Failed requests a second, by reason.',
    8,
    [panels.range('sum by (reason) (%s) > 0' % failures(), '{{reason}}')],
    'reqps',
    overrides=[
      colour('auth', colours.failed),
      colour('forbidden', colours.down),
      colour('not_found', colours.canceled),
      colour('throttled', colours.paused),
      colour('timeout', colours.unknown),
      colour('network', colours.running),
      colour('server', colours.other),
      colour('decode', colours.prechecking),
      colour('other', colours.none),
    ],
    fill=20,
    stack=true,
    defaults={ noValue: 'None failed' }
  );

  local throttled = panels.timeseries(
    'Throttling and retries',
    'The part of the requests that Alibaba Cloud throttled, and the part that was a retry, by account.',
    8,
    [
      panels.range(part(failures('reason="throttled"')), 'throttled, {{account}}'),
      panels.range(part(rate(of('cs_exporter_api_retries_total'))), 'retried, {{account}}'),
    ],
    'percentunit',
    overrides=[
      panels.byQuery('A', [['color', { mode: 'shades', fixedColor: colours.paused }]]),
      panels.byQuery('B', [['color', { mode: 'shades', fixedColor: colours.running }]]),
    ],
    fill=10,
    defaults={ custom+: { axisSoftMax: 0.1 } }
  );

  local latency = panels.timeseries(
    'Request latency',
    'How long requests to Alibaba Cloud took: the median and the 99th percentile.',
    8,
    [panels.range(quantile('0.50'), 'median'), panels.range(quantile('0.99'), '99th percentile')],
    's',
    overrides=[
      panels.byQuery('A', [['color', panels.fixed(colours.running)]]),
      panels.byQuery('B', [['color', panels.fixed(colours.paused)]]),
    ],
    fill=0
  );

  local accounts = panels.table(
    'Accounts',
    'The credentials of each account: their provider, and when they expire.',
    7,
    [
      panels.rows('group by (account, provider) (%s)' % of('cs_exporter_credentials_info')),
      panels.rows('min by (account) (%s) - time()' % of('cs_exporter_credentials_expiry_timestamp_seconds')),
      panels.rows('count by (account) (group by (account, %s) (%s))' % [cluster, of('cs_cluster_info')]),
    ],
    [
      ['account', 'Account', []],
      ['provider', 'Credentials', []],
      ['Value #B', 'Expire in', [['unit', 'dtdurations'], ['decimals', 0], ['noValue', 'never']]],
      ['Value #C', 'Clusters', []],
    ],
    ['Time', 'Value #A', 'Value']
  );

  local sources = panels.table(
    'Sources of upgrade states',
    'The source in use for each account and region: tasks where Alibaba Cloud has switched GetUpgradeStatus off.',
    8,
    [panels.rows('group by (account, region, source) (%s)' % of('cs_exporter_source_info'))],
    [['account', 'Account', []], ['region', 'Region', []], ['source', 'Source', []]],
    ['Time', 'Value', 'Value #A']
  );

  local discovery = panels.table(
    'Discovery',
    'Where clusters are discovered, whether the last read of the cluster list succeeded, and how many clusters it has.',
    9,
    [
      panels.rows('min by (account, region) (%s)' % of('cs_exporter_discovery_success')),
      panels.rows('max by (account, region) (%s)' % of('cs_exporter_discovered_clusters')),
    ],
    [
      ['account', 'Account', []],
      ['region', 'Region', []],
      ['Value #A', 'List', [
        ['mappings', [panels.mapping([[1, 'Good', colours.success], [0, 'Failing', colours.failed]])]],
        ['custom.cellOptions', { type: 'color-background', mode: 'basic' }],
        ['custom.width', 90],
      ]],
      ['Value #B', 'Clusters', [['custom.width', 90]]],
    ],
    ['Time', 'Value']
  );

  local memory = panels.timeseries(
    'Memory',
    'Resident memory by instance.',
    8,
    [panels.range(process(metric('process_resident_memory_bytes')), '{{instance}}')],
    'bytes'
  );

  local cpu = panels.timeseries(
    'CPU',
    'Processor time by instance. 100 % is one core.',
    8,
    [panels.range(process(rate(metric('process_cpu_seconds_total'))), '{{instance}}')],
    'percentunit'
  );

  local inFlight = panels.timeseries(
    'Requests in flight',
    'Requests to Alibaba Cloud that are under way at the moment of the scrape, by account.',
    4,
    [panels.range('sum by (account) (%s)' % of('cs_exporter_api_requests_in_flight'), '{{account}}')],
    'none',
    defaults={ decimals: 0, custom+: { axisSoftMax: 1 } },
    calcs=['max']
  );

  local shared = panels.timeseries(
    'Shared scrapes',
    'Scrapes a second that joined the collection of another, or were served from the cache.',
    4,
    [
      panels.range('sum(%s)' % rate(metric('cs_exporter_coalesced_scrapes_total')), 'joined'),
      panels.range('sum(%s)' % rate(metric('cs_exporter_cached_scrapes_total')), 'cached'),
    ],
    'reqps',
    fill=0,
    defaults={ custom+: { axisSoftMax: 0.1 } },
    calcs=['max']
  );

  local alerts = firing.table(
    'Firing alerts',
    'The alerts about the exporter and its accounts that fire, of the rules that this Prometheus evaluates. The alert opens its runbook.',
    10,
    '%s=""' % cluster,
    ['severity', 'alert', 'account', 'region', 'since']
  );

  local instances = panels.table(
    'Instances',
    'Each instance: its build, when it started, when its configuration was loaded, its shard, and values from Alibaba Cloud that it did not know.',
    14,
    [
      panels.rows('group by (instance, version) (%s)' % metric('ack_upgrade_exporter_build_info')),
      panels.rows(process(metric('process_start_time_seconds')) + ' * 1000'),
      panels.rows('max by (instance) (%s) * 1000' % metric('cs_exporter_config_last_reload_success_timestamp_seconds')),
      panels.rows('max by (instance) (%s)' % metric('cs_exporter_shard_ordinal')),
      panels.rows('max by (instance) (%s)' % metric('cs_exporter_total_shards')),
      panels.rows('sum by (instance) (increase(%s[$__range]))' % metric('cs_exporter_unknown_values_total')),
    ],
    [
      ['instance', 'Instance', [['custom.width', 240]]],
      ['version', 'Version', []],
      ['Value #B', 'Started', [['unit', 'dateTimeFromNow']]],
      ['Value #C', 'Configured', [['unit', 'dateTimeFromNow']]],
      ['Value #D', 'Shard', []],
      ['Value #E', 'of', []],
      ['Value #F', 'Unknown values', [['decimals', 0]]],
    ],
    ['Time', 'Value #A', 'Value']
  );

  grafana.dashboard(
    'ack-upgrade-exporter',
    'Exporter',
    'The exporter itself: whether it is fast enough, whether its requests succeed, and whether they will go on to.',
    [variables.job, variables.instance, variables.account],
    [
      grafana.links.fleet,
      grafana.links.cluster,
      grafana.externalLink('Runbooks', (import '../runbooks.libsonnet')(config), 'What to do about each alert'),
    ],
    [annotations.builtIn, annotations.restarted, annotations.alerts('%s=""' % cluster)],
    [
      grafana.row(4, tiles),
      grafana.row(8, [scrapes, calls]),
      grafana.row(8, [failed, throttled, latency]),
      grafana.row(7, [accounts, sources, discovery]),
      grafana.row(7, [memory, cpu, inFlight, shared]),
      grafana.row(6, [instances, alerts]),
    ]
  )
