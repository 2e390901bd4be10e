// The exporter, and its standing with Alibaba Cloud.
function(config)
  local promql = (import '../promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local metric = promql.metric;
  local last = promql.last;
  local new = (import '../alert.libsonnet')(config);
  local alert(name, text, variables='?var-job={{ $labels.job }}') = new(name, 'ack-upgrade-exporter' + variables, text);
  local threshold(name) = config.alerts[name].threshold;
  local rate(name, matchers='') = 'rate(%s[10m])' % metric(name, matchers);

  // Asks for the exporter's own series, so that it does not depend on the job's name. The first half remembers for a day which job it was.
  alert('AckUpgradeExporterDown', variables='', text={
    expr: |||
      group by (job) (%s)
      unless on (job)
      group by (job) (%s)
      or on ()
      absent(%s)
    ||| % [last('ack_upgrade_exporter_build_info', lookback='1d'), metric('ack_upgrade_exporter_build_info'), metric('ack_upgrade_exporter_build_info')],
    about: 'No instance of the exporter is being scraped.',
    summary: self.about,
    description: 'Prometheus gets no page from any instance of {{ with $labels.job }}job {{ . }}{{ else }}ack-upgrade-exporter{{ end }}: no upgrade of any cluster is being watched.',
  })

  // The first half covers calls about no single cluster, the second credentials that cannot even be fetched, for which no request is sent.
  + alert('AckUpgradeCredentialsRejected', {
    expr: |||
      (
          sum by (job, account, reason) (%(failures)s)
        / on (job, account) group_left
          sum by (job, account) (%(requests)s)
        > %(threshold)g
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
        > %(threshold)g
      )
    ||| % {
      failures: rate('cs_exporter_api_request_failures_total', 'reason=~"auth|forbidden"'),
      requests: rate('cs_exporter_api_requests_total'),
      threshold: threshold('AckUpgradeCredentialsRejected'),
      rejected: last('cs_query_failure', 'reason=~"auth|forbidden"', '5m'),
      joined: joined,
      info: promql.indent(6, promql.info),
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
      > %g
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
      %s < %d
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
