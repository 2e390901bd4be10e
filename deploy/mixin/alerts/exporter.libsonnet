// The exporter, and its standing with Alibaba Cloud.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local metric = promql.metric;
  local last = promql.last;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, told, variables='?var-job={{ $labels.job }}') = new(name, 'ack-upgrade-exporter' + variables, told);
  local threshold(name) = promql.number(config.alerts[name].threshold);
  local rate(name, matchers='') = 'rate(%s[10m])' % metric(name, matchers);

  // When a job was last seen, and for which accounts and regions. The alerts look a day back, which over all clusters would be too much.
  local seen = 'job:ack_upgrade_exporter:seen_timestamp_seconds';
  local places = 'job_account_region:ack_upgrade_exporter:seen_timestamp_seconds';
  // With /probe a job may have cs_up alone.
  local present = '%s or %s' % [metric('ack_upgrade_exporter_build_info'), metric('cs_up')];

  // The accounts and regions of jobs that are gone.
  local left = 'max_over_time(%s[1d]) unless on (job) %s' % [places, seen];
  // Those of them that another job has, first seen after or at most an hour before the end of the one that is gone. A job that has been
  // there for longer did not take over: it has other clusters of the same account.
  local taken = |||
    (%s) - 3600
    <= on (account, region) group_left ()
      max by (account, region) (min_over_time(%s[1d]) and on (job) %s)
  ||| % [left, places, seen];
  // Jobs that are gone and left nothing that another has not taken over.
  local renamed = |||
    group by (job) (
      %s
    )
    unless on (job)
    (
      %s
      unless on (job, account, region)
        %s
    )
  ||| % [promql.indent(2, taken), left, promql.indent(4, taken)];

  [
    { record: 'job:ack_upgrade_exporter:seen_timestamp_seconds', expr: 'time() * group by (job) (%s)' % present },
    {
      record: 'job_account_region:ack_upgrade_exporter:seen_timestamp_seconds',
      expr: 'time() * group by (job, account, region) (%s or %s)' % [metric('cs_cluster_info'), metric('cs_exporter_source_info')],
    },
  ]

  // Asks for the exporter's own series, so that it does not depend on the job's name. The first half remembers for a day which job it was.
  + alert('AckUpgradeExporterDown', variables='', told={
    expr: |||
      (
        group by (job) (max_over_time(%s[1d]))
        unless on (job)
          %s
        unless on (job)
          (
            %s
          )
      )
      or on ()
        absent(%s)
    ||| % [seen, seen, promql.indent(6, renamed), present],
    about: 'No instance of the exporter is being scraped.',
    summary: 'No instance of {{ with $labels.job }}job {{ . }}{{ else }}ack-upgrade-exporter{{ end }} is being scraped.',
    description: 'Prometheus gets no page from any instance of {{ with $labels.job }}job {{ . }}{{ else }}ack-upgrade-exporter{{ end }}: no upgrade of any of its clusters is being watched.',
  })

  + alert('AckUpgradeJobRenamed', {
    expr: renamed,
    about: 'A job of the exporter is gone, and a new one has its accounts.',
    summary: 'Job {{ $labels.job }} is gone, and a new one has its accounts.',
    description: 'Job {{ $labels.job }} of the exporter is no longer scraped, and another job has the same accounts and regions since. If it was renamed, alerts under the old name end by themselves; silences and routes that name it need the new one.',
  })

  // Without the label every rule about clusters is silent or fails, and everything looks healthy.
  + alert('AckUpgradeClusterLabelLost', {
    expr: |||
      count by (job) (
        %s
        or
        %s
      ) > 0
    ||| % [last('cs_cluster_info', 'exported_%s!=""' % cluster), last('cs_cluster_info', '%s=""' % cluster)],
    about: 'The label with the cluster ID is not where the rules look for it.',
    summary: 'The clusters of job {{ $labels.job }} have no label %s with their ID.' % cluster,
    description: '{{ $value }} clusters of job {{ $labels.job }} have no label %(cluster)s with their ID, so no alert about a cluster works. Either its scrape configuration lacks `honor_labels: true` and the ID is in exported_%(cluster)s, or metrics.cluster_label names another label than these rules.' % { cluster: cluster },
  })

  + alert('AckUpgradeNoClusters', {
    expr: 'sum by (job) (%s) == 0' % last('cs_exporter_clusters'),
    about: 'The exporter has no clusters to watch.',
    summary: 'The exporter of job {{ $labels.job }} has no clusters to watch.',
    description: 'The exporter of job {{ $labels.job }} runs and watches no cluster: none is configured, discovery finds none, or its filters select none.',
  })

  // Against a day ago, so that it lasts long enough to be read.
  + alert('AckUpgradeClustersDropped', {
    local clusters = 'count by (job) (group by (job, %s) (%%s))' % cluster,
    expr: |||
      %s
      < %s *
      %s
    ||| % [clusters % last('cs_cluster_info'), threshold('AckUpgradeClustersDropped'), clusters % (metric('cs_cluster_info') + ' offset 1d')],
    about: 'The exporter watches far fewer clusters than a day ago.',
    summary: 'The exporter of job {{ $labels.job }} watches far fewer clusters than a day ago.',
    description: 'The exporter of job {{ $labels.job }} watches {{ $value }} clusters, less than {{ humanizePercentage %s }} of those of a day ago. A changed filter, a list that is cut off, or a permission that is missing look like this.' % threshold('AckUpgradeClustersDropped'),
  })

  + alert('AckUpgradeScrapeOverBudget', {
    expr: |||
      max without (%s) (
        avg_over_time(%s[15m])
        /
        avg_over_time(%s[15m])
      ) > %s
    ||| % [
      promql.replica,
      metric('cs_exporter_scrape_duration_seconds'),
      metric('cs_exporter_scrape_budget_seconds'),
      threshold('AckUpgradeScrapeOverBudget'),
    ],
    about: 'Scrapes take all the time they have.',
    summary: 'Scrapes of job {{ $labels.job }} take all the time they have.',
    description: 'Scrapes of job {{ $labels.job }} take {{ humanizePercentage $value }} of the time they have. Clusters that are not asked within it are shown from memory or not at all.',
  })

  // A query that has just been answered is dated by the exporter's clock, and its sample by Prometheus's. Where nothing has been answered for
  // five minutes an old date says nothing. With /probe the dates are in one job and the requests in another: then the account joins them.
  + alert('AckUpgradeClockSkew', {
    local success = metric('cs_last_success_timestamp_seconds'),
    local ahead = '%s - timestamp(%s)' % [success, success],
    local answered(labels, requests) = |||
      sum by (%(labels)s) (increase(%(requests)s[5m])%(which)s)
      - (sum by (%(labels)s) (increase(%(failures)s[5m])%(which)s) or sum by (%(labels)s) (increase(%(requests)s[5m])%(which)s) * 0)
      > 1
    ||| % {
      labels: labels,
      which: requests,
      requests: metric('cs_exporter_api_requests_total', 'operation=~"GetUpgradeStatus|DescribeClusterTasks"'),
      failures: metric('cs_exporter_api_request_failures_total', 'operation=~"GetUpgradeStatus|DescribeClusterTasks"'),
    },
    expr: |||
      max by (job) (%(ahead)s) > %(ahead_by)s
      or on (job)
      min by (job) (
        max by (job, instance) ((%(ahead)s) and on (%(cluster)s, job, instance) %(up)s == 1)
        and on (job, instance)
          (
            %(answered)s
          )
      ) < -(300 + %(ahead_by)s)
      or on (job)
      min by (job) (
        max by (job, account) (
          ((%(ahead)s) and %(joined)s %(up)s == 1)
          * %(joined)s group_left (account)
            %(info)s
        )
        unless on (job)
          %(requests)s
        and on (account)
          (
            %(answeredBeside)s
          )
      ) < -(300 + %(ahead_by)s)
    ||| % {
      ahead: ahead,
      ahead_by: threshold('AckUpgradeClockSkew'),
      cluster: cluster,
      up: metric('cs_up'),
      answered: promql.indent(6, answered('job, instance', '')),
      answeredBeside: promql.indent(6, answered('account', ' unless on (job) ' + success)),
      joined: joined,
      info: promql.info,
      requests: 'rate(%s[5m])' % metric('cs_exporter_api_requests_total'),
    },
    about: "The exporter's clock and Prometheus's differ.",
    summary: 'The clocks of job {{ $labels.job }} and of Prometheus differ.',
    description: 'The clock of an instance of job {{ $labels.job }} is {{ if gt $value 0.0 }}ahead of{{ else }}behind{{ end }} that of Prometheus, by {{ humanizeDuration $value | reReplaceAll "-" "" }}. Times and ages are wrong by as much, and from 15 minutes on Alibaba Cloud refuses the signatures.',
  })

  // The first half covers calls about no single cluster, the second credentials that cannot even be fetched, for which no request is sent.
  + alert('AckUpgradeCredentialsRejected', {
    expr: |||
      (
          sum by (job, account, reason) (%(failures)s)
        / on (job, account) group_left
          sum by (job, account) (%(requests)s)
        > %(threshold)s
      )
      or on (job, account, reason)
      (
          count by (job, account, reason) (
            %(rejected)s
            * %(joined)s group_left (account)
            %(info)s
          )
        / on (job, account) group_left
          count by (job, account) (group by (%(cluster)s, job, instance, account) (%(clusters)s))
        > %(threshold)s
      )
    ||| % {
      failures: rate('cs_exporter_api_request_failures_total', 'reason=~"auth|forbidden"'),
      requests: rate('cs_exporter_api_requests_total'),
      threshold: threshold('AckUpgradeCredentialsRejected'),
      rejected: last('cs_query_failure', 'reason=~"auth|forbidden"', '5m'),
      joined: joined,
      info: promql.info,
      cluster: cluster,
      clusters: last('cs_cluster_info'),
    },
    about: 'Alibaba Cloud rejects the credentials or permissions of an account.',
    summary: 'Alibaba Cloud rejects the credentials or permissions of account {{ $labels.account }}.',
    description: '{{ if eq $labels.reason "auth" }}The credentials{{ else }}The RAM permissions{{ end }} of account {{ $labels.account }} have been rejected for ten minutes, for {{ humanizePercentage $value }} of what was asked: its clusters are not being watched. '
                 + "The exporter's log has the code and, if one is missing, the RAM action.",
  })

  + alert('AckUpgradeThrottled', {
    expr: |||
      sum by (job, account) (%s)
      /
      sum by (job, account) (%s)
      > %s
    ||| % [
      rate('cs_exporter_api_request_failures_total', 'reason="throttled"'),
      rate('cs_exporter_api_requests_total'),
      threshold('AckUpgradeThrottled'),
    ],
    about: 'Alibaba Cloud throttles the requests of an account.',
    summary: 'Alibaba Cloud throttles the requests of account {{ $labels.account }}.',
    description: '{{ humanizePercentage $value }} of the requests of account {{ $labels.account }} have been throttled over the last ten minutes. The quota is shared with everything else that uses the account.',
  })

  // The exporter refreshes when a fifth of the lifetime is left, at most 15 minutes ahead, so an eighth is late whatever the lifetime.
  // No look back: a pod that is gone refreshes nothing any more.
  + alert('AckUpgradeCredentialsExpiring', {
    local left = '%s - time()' % metric('cs_exporter_credentials_expiry_timestamp_seconds'),
    expr: |||
      %s < %s
      and
      %s
        < max_over_time((%s)[6h:1m]) / 8
    ||| % [left, threshold('AckUpgradeCredentialsExpiring'), left, left],
    about: 'The credentials of an account run out soon and have not been refreshed.',
    summary: 'The credentials of account {{ $labels.account }} run out soon and have not been refreshed.',
    description: 'The credentials of account {{ $labels.account }} {{ if gt $value 0.0 }}run out in {{ humanizeDuration $value }}{{ else }}have run out{{ end }} and should have been refreshed by now by {{ $labels.instance }}; after that its clusters are no longer watched.',
  })

  + alert('AckUpgradeDiscoveryFailing', {
    expr: 'max without (%s) (max_over_time(%s[15m])) == 0' % [promql.replica, metric('cs_exporter_discovery_success')],
    about: "The list of an account's clusters cannot be read.",
    summary: 'The cluster list of account {{ $labels.account }} in {{ $labels.region }} cannot be read.',
    description: 'The cluster list of account {{ $labels.account }} in {{ $labels.region }} has not been read for 15 minutes: a new cluster is not watched, and a deleted one is still asked for.',
  })

  + alert('AckUpgradeReloadFailed', {
    expr: '%s == 0' % last('cs_exporter_config_last_reload_successful'),
    about: 'The exporter refused its new configuration.',
    summary: '{{ $labels.instance }} refused its new configuration.',
    description: '{{ $labels.instance }} has refused its new configuration and goes on with the one before it. The log and `--config.check` list every mistake.',
  })

  + alert('AckUpgradeShardsMissing', {
    expr: |||
      max by (job) (%s)
      - on (job)
      count by (job) (count_values by (job) ("ordinal", %s))
      > 0
    ||| % [last('cs_exporter_total_shards'), last('cs_exporter_shard_ordinal')],
    about: 'Some shards of the exporter are not being scraped.',
    summary: self.about,
    description: '{{ $value }} of the shards of job {{ $labels.job }} have not been scraped for ten minutes: their part of the clusters is not being watched.',
  })

  + alert('AckUpgradeShardingMismatch', {
    expr: 'count by (job) (count_values by (job) ("total", %s)) > 1' % last('cs_exporter_total_shards', lookback='5m'),
    about: 'Instances of the exporter disagree about the number of shards.',
    summary: self.about,
    description: 'The instances of job {{ $labels.job }} run with {{ $value }} different values of `--shard.total`: some clusters are asked twice and some not at all.',
  })

  // Ends by itself an hour after the switch.
  + alert('AckUpgradeSourceSwitched', {
    expr: |||
      max without (%s) (
        %s
        and on (job, account, region)
          count by (job, account, region) (group by (job, account, region, source) (max_over_time(%s[1h]))) > 1
      )
    ||| % [promql.replica, metric('cs_exporter_source_info'), metric('cs_exporter_source_info')],
    about: 'The exporter reads upgrade states from another source than before.',
    summary: self.about,
    description: 'Account {{ $labels.account }}{{ with $labels.region }} in {{ . }}{{ end }} is now read from source {{ $labels.source }}. Nothing needs to be done if Alibaba Cloud has switched the older operation off there.',
  })
