// Pieces of the texts about a cluster. What may change while an alert fires, as the name and the owner do, is looked up and is no label:
// an alert with another label is another alert, and would page again.
function(config)
  local cluster = '$labels.' + config.clusterLabel;

  // A query about the alert's cluster: what there is now, or what there was within the look back.
  local newest(metric, matchers='') =
    local one = '%s{%s="%%[1]s",job="%%[2]s"%s}' % [metric, config.clusterLabel, matchers];
    'printf `%s or last_over_time(%s[%s])` %s $labels.job | query' % [one, one, config.lookback, cluster];
  local now(metric, matchers='') =
    'printf `%s{%s="%%s",job="%%s"%s}` %s $labels.job | query' % [metric, config.clusterLabel, matchers, cluster];
  local first(label) = '{{ . | first | label "%s" }}' % label;
  local info = newest('cs_cluster_info');

  {
    // Its name and its ID, or its ID alone.
    subject: '{{ $name := "" }}{{ with %s }}{{ $name = . | first | label "name" }}{{ end }}' % info
             + '{{ with $name }}{{ . }} ({{ %s }}){{ else }}{{ %s }}{{ end }}' % [cluster, cluster],

    // The same with where it is and whose.
    cluster: 'cluster ' + self.subject + ' in {{ $labels.region }}, account {{ $labels.account }}'
             + '{{ with %s }}{{ $info := . | first }}{{ with or %s }}, owned by {{ . }}{{ end }}{{ end }},' % [
               info,
               std.join(' ', ['(label "%s" $info)' % label for label in config.ownerLabels]),
             ],

    // ` to 1.31.1-aliyun.1`
    target: '{{ with %s }} to %s{{ end }}' % [now('cs_upgrade_info', ',target_version!=""'), first('target_version')],

    // ` in step upgrading`
    step: '{{ with printf `cs_upgrade_step{%s="%%s",job="%%s"} == 1` %s $labels.job | query }} in step %s{{ end }}' % [
      config.clusterLabel,
      cluster,
      first('step'),
    ],

    // `, reason timeout`
    reason: '{{ with %s }}, reason %s{{ end }}' % [newest('cs_query_failure'), first('reason')],

    // When the upgrade last changed: ` at 2026-11-28 20:33:45 +0000 UTC`
    changed: '{{ with %s }} at {{ . | first | value | humanizeTimestamp }}{{ end }}' % newest('cs_upgrade_updated_timestamp_seconds'),

    // The same of one that still runs: `, last at 2026-11-28 20:33:45 +0000 UTC`
    last: '{{ with %s }}, last at {{ . | first | value | humanizeTimestamp }}{{ end }}' % newest('cs_upgrade_updated_timestamp_seconds'),

    message: '{{ with %s }}Alibaba Cloud says: %s{{ else }}Alibaba Cloud gives no message.{{ end }}' % [newest('cs_upgrade_error_info'), first('message')],
  }
