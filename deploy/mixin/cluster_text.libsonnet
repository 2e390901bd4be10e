// Pieces of the texts about a cluster, in each language. What may change while an alert fires, as the name and the owner do, is looked up
// and is no label: an alert with another label is another alert, and would page again.
function(config)
  local cluster = '$labels.' + config.clusterLabel;

  // A query about the alert's cluster: what there is now, or what there was within the look back.
  local newest(metric, matchers='') =
    local one = '%s{%s="%%[1]s",job="%%[2]s"%s}' % [metric, config.clusterLabel, matchers];
    'printf `%s or last_over_time(%s[%s])` %s $labels.job | query' % [one, one, config.lookback, cluster];
  local now(metric, matchers='') =
    'printf `%s{%s="%%s",job="%%s"%s}` %s $labels.job | query' % [metric, config.clusterLabel, matchers, cluster];
  // The same about the alert's node pool.
  local newestOfPool(metric, matchers='') =
    local one = '%s{%s="%%[1]s",job="%%[2]s",node_pool="%%[3]s"%s}' % [metric, config.clusterLabel, matchers];
    'printf `%s or last_over_time(%s[%s])` %s $labels.job $labels.node_pool | query' % [one, one, config.lookback, cluster];

  local first(label) = '{{ . | first | label "%s" }}' % label;
  local time = '{{ . | first | value | humanizeTimestamp }}';
  // What is said if the query has a result, and otherwise.
  local with(query, said, otherwise='') =
    '{{ with %s }}%s%s{{ end }}' % [query, said, if otherwise == '' then '' else '{{ else }}' + otherwise];

  local info = newest('cs_cluster_info');
  local owner = 'or ' + std.join(' ', ['(label "%s" $info)' % label for label in config.ownerLabels]);
  local target = now('cs_upgrade_info', ',target_version!=""');
  local step = 'printf `cs_upgrade_step{%s="%%s",job="%%s"} == 1` %s $labels.job | query' % [config.clusterLabel, cluster];
  local reason = newest('cs_query_failure');
  local updated = newest('cs_upgrade_updated_timestamp_seconds');
  local updatedOfPool = newestOfPool('cs_node_pool_upgrade_updated_timestamp_seconds');
  local message = newest('cs_upgrade_error_info');
  local messageOfPool = newestOfPool('cs_node_pool_upgrade_error_info');

  // Its name and its ID, or its ID alone.
  local subject = '{{ $name := "" }}{{ with %s }}{{ $name = . | first | label "name" }}{{ end }}' % info
                  + '{{ with $name }}{{ . }} ({{ %s }}){{ else }}{{ %s }}{{ end }}' % [cluster, cluster];
  local pool = with(newestOfPool('cs_node_pool_info', ',name!=""'), first('name') + ' ({{ $labels.node_pool }})', '{{ $labels.node_pool }}');

  {
    en: {
      subject: subject,

      // The same with where it is and whose.
      local place = ' in {{ $labels.region }}, account {{ $labels.account }}',
      cluster: 'cluster ' + subject + place + '{{ with %s }}{{ $info := . | first }}{{ with %s }}, owned by {{ . }}{{ end }}{{ end }},' % [info, owner],

      pool: 'node pool ' + pool,

      // ` to 1.31.1-aliyun.1`
      target: with(target, ' to ' + first('target_version')),

      // ` in step upgrading`
      step: with(step, ' in step ' + first('step')),

      // `, reason timeout`
      reason: with(reason, ', reason ' + first('reason')),

      // When the upgrade last changed: ` at 2026-11-28 20:33:45 +0000 UTC`
      changed: with(updated, ' at ' + time),
      poolChanged: with(updatedOfPool, ' at ' + time),

      // The same of one that still runs: `, last at 2026-11-28 20:33:45 +0000 UTC`
      last: with(updated, ', last at ' + time),

      local said = 'Alibaba Cloud says: ' + first('message'),
      local nothing = 'Alibaba Cloud gives no message.',
      message: with(message, said, nothing),
      poolMessage: with(messageOfPool, said, nothing),
    },

    zh: {
      subject: subject,

      local place = '（地域 {{ $labels.region }}，账号 {{ $labels.account }}',
      cluster: '集群 ' + subject + place + '{{ with %s }}{{ $info := . | first }}{{ with %s }}，负责人 {{ . }}{{ end }}{{ end }}）' % [info, owner],

      pool: '节点池 ' + pool,
      target: with(target, '，目标版本 ' + first('target_version')),
      to: with(target, '到 ' + first('target_version') + ' '),
      step: with(step, '，步骤 ' + first('step')),
      reason: with(reason, '，原因 ' + first('reason')),
      changed: with(updated, '，最近更新于 ' + time),
      poolChanged: with(updatedOfPool, '，最近更新于 ' + time),
      last: with(updated, '，最近一次变化 ' + time),

      local said = '阿里云的错误信息：' + first('message'),
      local nothing = '阿里云未给出错误信息。',
      message: with(message, said, nothing),
      poolMessage: with(messageOfPool, said, nothing),
    },
  }
