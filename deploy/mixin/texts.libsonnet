// What people read of each alert: `about` in the table of alerts, where no cluster can be named, and the annotations in each language.
// Both languages look up the same values; deploy/mixin/build compares them.
function(config)
  local pieces = (import 'cluster_text.libsonnet')(config);
  local en = pieces.en;
  local zh = pieces.zh;
  local cluster = config.clusterLabel;
  local duration(name) = config.alerts[name]['for'];
  local threshold(name) = (import 'promql.libsonnet')(config).number(config.alerts[name].threshold);

  local job = '{{ with $labels.job }}job {{ . }}{{ else }}ack-upgrade-exporter{{ end }}';

  {
    AckUpgradeFailed: {
      about: 'The upgrade of a cluster has failed.',
      en: {
        summary: 'The upgrade of ' + en.subject + ' has failed.',
        description: 'The upgrade' + en.target + ' of ' + en.cluster + ' failed' + en.changed + '. ' + en.message,
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 升级失败。',
        description: zh.cluster + '升级失败' + zh.target + zh.changed + '。' + zh.message,
      },
    },

    AckUpgradeFailedLongAgo: {
      about: 'The last upgrade of a cluster failed more than a week ago and was never repeated.',
      en: {
        summary: 'The last upgrade of ' + en.subject + ' failed long ago and was never repeated.',
        description: 'The last upgrade of ' + en.cluster + ' failed' + en.changed + ', and none has been started since. ' + en.message,
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 最近一次升级早已失败，一直没有重试。',
        description: zh.cluster + '上次升级失败' + zh.changed + '，此后没有再次升级。' + zh.message,
      },
    },

    AckUpgradeStuck: {
      about: 'The upgrade of a cluster runs and does not move.',
      en: {
        summary: 'The upgrade of ' + en.subject + ' does not move.',
        description: 'The upgrade' + en.target + ' of ' + en.cluster + ' runs' + en.step
                     + ' and has not changed for ' + duration('AckUpgradeStuck') + en.last + '. Most take less than half an hour.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的升级没有进展。',
        description: zh.cluster + '正在升级' + zh.target + zh.step
                     + '，已有 ' + duration('AckUpgradeStuck') + ' 没有变化' + zh.last + '。大多数升级不到半小时。',
      },
    },

    AckUpgradePrecheckTooLong: {
      about: 'The precheck of an upgrade takes too long.',
      en: {
        summary: 'The precheck of ' + en.subject + ' takes too long.',
        description: 'The checks before the upgrade' + en.target + ' of ' + en.cluster
                     + ' have been running for more than ' + duration('AckUpgradePrecheckTooLong') + '; most take less than five minutes.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的前置检查用时过长。',
        description: zh.cluster + '升级' + zh.to + '的前置检查已运行超过 ' + duration('AckUpgradePrecheckTooLong') + '。大多数前置检查不到五分钟。',
      },
    },

    AckUpgradePausedOnError: {
      about: 'The upgrade of a cluster is paused on an error.',
      en: {
        summary: 'The upgrade of ' + en.subject + ' is paused on an error.',
        description: 'The upgrade' + en.target + ' of ' + en.cluster + ' was paused on an error' + en.changed + '. ' + en.message,
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的升级因错误暂停。',
        description: zh.cluster + '的升级因错误暂停' + zh.target + zh.changed + '。' + zh.message,
      },
    },

    AckUpgradePausedTooLong: {
      about: 'The upgrade of a cluster has been paused for long.',
      en: {
        summary: 'The upgrade of ' + en.subject + ' is still paused.',
        description: 'The upgrade' + en.target + ' of ' + en.cluster + ' has been paused for more than ' + duration('AckUpgradePausedTooLong')
                     + '; until it is resumed or canceled, the cluster may run two versions.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的升级仍处于暂停状态。',
        description: zh.cluster + '的升级已暂停超过 ' + duration('AckUpgradePausedTooLong') + zh.target
                     + '；在恢复或取消之前，集群可能同时运行两个版本。',
      },
    },

    AckUpgradeStateUnknown: {
      about: 'The upgrade of a cluster is in a state that the exporter does not know.',
      en: {
        summary: 'The upgrade of ' + en.subject + ' is in an unknown state.',
        description: 'Alibaba Cloud describes the upgrade of ' + en.cluster
                     + " in words that the exporter does not know, so other alerts may miss it. The exporter's log has the text.",
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的升级状态未知。',
        description: '阿里云对' + zh.cluster + '升级状态的描述，Exporter 无法识别，其他告警可能因此漏报。原文见 Exporter 的日志。',
      },
    },

    AckUpgradeClusterNotAnswering: {
      about: "No query of a cluster's upgrade is answered.",
      en: {
        summary: 'No query of ' + en.subject + ' is answered.',
        description: 'Not one query of ' + en.cluster + ' has been answered for ten minutes' + en.reason + '. Its upgrade state is not known.',
      },
      zh: {
        summary: '对集群 ' + zh.subject + ' 的查询均未成功。',
        description: '十分钟内对' + zh.cluster + '的查询没有一次成功' + zh.reason + '。其升级状态未知。',
      },
    },

    AckUpgradeDataStale: {
      about: 'The upgrade state of a cluster is old.',
      en: {
        summary: 'What is known of ' + en.subject + ' is old.',
        description: 'What is known of ' + en.cluster + ' is {{ humanizeDuration $value }} old: the exporter serves it from memory,'
                     + ' since scrape.max_age allows it and the rate limit does not cover all clusters.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的升级状态已过时。',
        description: zh.cluster + '的升级状态来自 {{ humanizeDuration $value }} 之前的查询：速率限制不足以查询所有集群，'
                     + '而 scrape.max_age 允许 Exporter 由缓存提供。',
      },
    },

    AckUpgradeClusterNeverQueried: {
      about: 'A cluster has never been queried.',
      en: {
        summary: en.subject + ' has never been queried.',
        description: 'C' + en.cluster[1:] + ' has not been queried once in ' + duration('AckUpgradeClusterNeverQueried')
                     + ": the account's rate limit does not cover all clusters.",
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 从未被查询过。',
        description: zh.cluster + '在 ' + duration('AckUpgradeClusterNeverQueried') + ' 内一次也没有被查询：账号的速率限制不足以查询所有集群。',
      },
    },

    AckUpgradeManyFailed: {
      about: 'The upgrades of many clusters of one account and region have failed within an hour.',
      en: {
        local failed = 'The upgrades of {{ $value }} clusters in {{ $labels.region }}, account {{ $labels.account }}, have failed within an hour',
        summary: failed + '.',
        description: failed + ', probably for one cause. No other failure in that region pages meanwhile; the Fleet dashboard lists them with their messages.',
      },
      zh: {
        local failed = '账号 {{ $labels.account }} 在地域 {{ $labels.region }} 有 {{ $value }} 个集群在一小时内升级失败',
        summary: failed + '。',
        description: failed + '，可能出于同一原因。在此期间，该地域的其他升级失败不再单独通知；Fleet 大盘列出了这些集群及其错误信息。',
      },
    },

    AckUpgradeAccountNotAnswering: {
      about: 'No query of most clusters of an account is answered.',
      en: {
        summary: 'No query of {{ humanizePercentage $value }} of the clusters of account {{ $labels.account }} is answered.',
        description: 'Not one query of {{ humanizePercentage $value }} of the clusters of account {{ $labels.account }} has been answered for ten minutes: '
                     + 'the network, the endpoint or the API itself. Their upgrades are not being watched.',
      },
      zh: {
        summary: '账号 {{ $labels.account }} 中 {{ humanizePercentage $value }} 的集群查询均未成功。',
        description: '十分钟内，对账号 {{ $labels.account }} 中 {{ humanizePercentage $value }} 的集群的查询没有一次成功：'
                     + '可能是网络、接入点或 API 本身的问题。这些集群的升级目前未被监控。',
      },
    },

    AckUpgradePlanFailed: {
      about: 'A planned operation of a cluster has failed, or its precheck has.',
      en: {
        summary: 'A planned operation of ' + en.subject + ' has failed.',
        description: 'The planned operation {{ $labels.type }}{{ with $labels.target }} of {{ . }}{{ end }} of ' + en.cluster
                     + ' failed{{ if eq $labels.state "validating_failed" }} its precheck, so nothing was changed{{ end }}.'
                     + ' Automatic upgrades go on only when the reason is removed. The plan is {{ $labels.plan }}.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的计划操作失败。',
        description: zh.cluster + '的计划操作失败：类型 {{ $labels.type }}{{ with $labels.target }}，目标 {{ . }}{{ end }}'
                     + '{{ if eq $labels.state "validating_failed" }}，未通过前置检查，没有做任何变更{{ end }}。'
                     + '消除原因之前，自动升级不会继续。计划 ID：{{ $labels.plan }}。',
      },
    },

    AckClusterVersionUnsupported: {
      about: 'The support of the version of a cluster has ended.',
      en: {
        summary: 'The support of the version of ' + en.subject + ' has ended.',
        description: 'The support of version {{ $labels.version }} of ' + en.cluster
                     + ' ended {{ humanizeDuration $value }} ago: there are no more fixes, and Alibaba Cloud may upgrade it by itself.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的版本已停止支持。',
        description: zh.cluster + '的版本 {{ $labels.version }} 在 {{ humanizeDuration $value }} 前已停止支持：不再有修复，阿里云可能自行升级该集群。',
      },
    },

    AckClusterVersionEndingSoon: {
      about: 'The support of the version of a cluster ends within a month.',
      en: {
        summary: 'The support of the version of ' + en.subject + ' ends soon.',
        description: 'The support of version {{ $labels.version }} of ' + en.cluster + ' ends in {{ humanizeDuration $value }}.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的版本即将停止支持。',
        description: zh.cluster + '的版本 {{ $labels.version }} 将在 {{ humanizeDuration $value }} 后停止支持。',
      },
    },

    AckNodePoolUpgradeFailed: {
      about: 'The upgrade of a node pool has failed, or is paused on an error.',
      en: {
        summary: 'The upgrade of a node pool of ' + en.subject + ' has failed.',
        description: 'The upgrade of ' + en.pool + ' of ' + en.cluster + ' failed or is paused on an error' + en.poolChanged + '. ' + en.poolMessage,
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的节点池升级失败。',
        description: zh.cluster + '的' + zh.pool + ' 升级失败，或因错误暂停' + zh.poolChanged + '。' + zh.poolMessage,
      },
    },

    AckNodePoolBehind: {
      about: 'The kubelets of a node pool are two minor versions or more behind the control plane.',
      en: {
        summary: 'A node pool of ' + en.subject + ' is behind the control plane.',
        description: 'The kubelets of ' + en.pool + ' of ' + en.cluster
                     + ' are {{ $value }} minor versions behind the control plane. Kubernetes allows three, and then the control plane cannot be upgraded.',
      },
      zh: {
        summary: '集群 ' + zh.subject + ' 的节点池落后于控制面。',
        description: zh.cluster + '的' + zh.pool
                     + ' 的 kubelet 比控制面落后 {{ $value }} 个次要版本。Kubernetes 最多允许落后三个，此后控制面无法升级。',
      },
    },

    AckUpgradeWatchFailing: {
      about: 'Plans, versions, node pools, add-ons, prechecks or maintenance windows cannot be read.',
      en: {
        summary: 'The query {{ $labels.query }} of account {{ $labels.account }} in {{ $labels.region }} fails.',
        description: 'The query {{ $labels.query }} of account {{ $labels.account }} in {{ $labels.region }} has failed for ' + duration('AckUpgradeWatchFailing')
                     + ', for {{ $value }} of the regions or clusters that it is about. After three of its intervals its metrics and alerts are gone. '
                     + "The exporter's log has the code and, if one is missing, the RAM action.",
      },
      zh: {
        summary: '账号 {{ $labels.account }} 在地域 {{ $labels.region }} 的查询 {{ $labels.query }} 失败。',
        description: '账号 {{ $labels.account }} 在地域 {{ $labels.region }} 的查询 {{ $labels.query }} 已失败 ' + duration('AckUpgradeWatchFailing')
                     + '，涉及 {{ $value }} 个地域或集群。超过三个查询间隔后，其指标和告警都会消失。'
                     + 'Exporter 的日志中有错误码；缺少权限时还有 RAM 操作名。',
      },
    },

    AckUpgradeExporterDown: {
      about: 'No instance of the exporter is being scraped.',
      en: {
        summary: 'No instance of ' + job + ' is being scraped.',
        description: 'Prometheus gets no page from any instance of ' + job + ': no upgrade of any of its clusters is being watched.',
      },
      zh: {
        summary: 'Prometheus 没有抓取到 ' + job + ' 的任何实例。',
        description: 'Prometheus 从 ' + job + ' 的任何实例都得不到指标：其所有集群的升级都未被监控。',
      },
    },

    AckUpgradeJobRenamed: {
      about: 'A job of the exporter is gone, and a new one has its accounts.',
      en: {
        summary: 'Job {{ $labels.job }} is gone, and a new one has its accounts.',
        description: 'Job {{ $labels.job }} of the exporter is no longer scraped, and another job has the same accounts and regions since. '
                     + 'If it was renamed, alerts under the old name end by themselves; silences and routes that name it need the new one.',
      },
      zh: {
        summary: 'job {{ $labels.job }} 已消失，其账号由一个新的 job 接管。',
        description: 'Exporter 的 job {{ $labels.job }} 不再被抓取，另一个 job 随后开始上报相同的账号和地域。'
                     + '如果是改名，旧名称下的告警会自行结束；写有旧名称的静默和路由需要改为新名称。',
      },
    },

    AckUpgradeClusterLabelLost: {
      about: 'The label with the cluster ID is not where the rules look for it.',
      en: {
        summary: 'The clusters of job {{ $labels.job }} have no label %s with their ID.' % cluster,
        description: '{{ $value }} clusters of job {{ $labels.job }} have no label %(cluster)s with their ID, so no alert about a cluster works. Either its scrape configuration lacks `honor_labels: true` and the ID is in exported_%(cluster)s, or metrics.cluster_label names another label than these rules.' % { cluster: cluster },
      },
      zh: {
        summary: 'job {{ $labels.job }} 的集群缺少标明集群 ID 的标签 %s。' % cluster,
        description: 'job {{ $labels.job }} 有 {{ $value }} 个集群缺少标明集群 ID 的标签 %(cluster)s，因此所有关于集群的告警都不起作用。原因可能是抓取配置缺少 `honor_labels: true`，ID 在标签 exported_%(cluster)s 中；也可能是 metrics.cluster_label 与规则使用的标签不同。' % { cluster: cluster },
      },
    },

    AckUpgradeNoClusters: {
      about: 'The exporter has no clusters to watch.',
      en: {
        summary: 'The exporter of job {{ $labels.job }} has no clusters to watch.',
        description: 'The exporter of job {{ $labels.job }} runs and watches no cluster: none is configured, discovery finds none, or its filters select none.',
      },
      zh: {
        summary: 'job {{ $labels.job }} 的 Exporter 没有可监控的集群。',
        description: 'job {{ $labels.job }} 的 Exporter 正常运行，但没有监控任何集群：没有配置集群，自动发现没有找到集群，或过滤条件排除了所有集群。',
      },
    },

    AckUpgradeClustersDropped: {
      about: 'The exporter watches far fewer clusters than a day ago.',
      en: {
        summary: 'The exporter of job {{ $labels.job }} watches far fewer clusters than a day ago.',
        description: 'The exporter of job {{ $labels.job }} watches {{ $value }} clusters, less than {{ humanizePercentage %s }} of those of a day ago. A changed filter, a list that is cut off, or a permission that is missing look like this.' % threshold('AckUpgradeClustersDropped'),
      },
      zh: {
        summary: 'job {{ $labels.job }} 的 Exporter 监控的集群比一天前少得多。',
        description: 'job {{ $labels.job }} 的 Exporter 监控 {{ $value }} 个集群，不到一天前的 {{ humanizePercentage %s }}。可能的原因：过滤条件有变更，集群列表不完整，或缺少权限。' % threshold('AckUpgradeClustersDropped'),
      },
    },

    AckUpgradeScrapeOverBudget: {
      about: 'Scrapes take all the time they have.',
      en: {
        summary: 'Scrapes of job {{ $labels.job }} take all the time they have.',
        description: 'Scrapes of job {{ $labels.job }} take {{ humanizePercentage $value }} of the time they have. Clusters that are not asked within it are shown from memory or not at all.',
      },
      zh: {
        summary: '抓取 job {{ $labels.job }} 几乎用尽了时间预算。',
        description: '抓取 job {{ $labels.job }} 用掉了时间预算的 {{ humanizePercentage $value }}。在预算内来不及查询的集群由缓存提供，或没有数据。',
      },
    },

    AckUpgradeClockSkew: {
      about: "The exporter's clock and Prometheus's differ.",
      en: {
        summary: 'The clocks of job {{ $labels.job }} and of Prometheus differ.',
        description: 'The clock of an instance of job {{ $labels.job }} is {{ if gt $value 0.0 }}ahead of{{ else }}behind{{ end }} that of Prometheus, by {{ humanizeDuration $value | reReplaceAll "-" "" }}. Times and ages are wrong by as much, and from 15 minutes on Alibaba Cloud refuses the signatures.',
      },
      zh: {
        summary: 'job {{ $labels.job }} 的时钟与 Prometheus 的时钟不一致。',
        description: 'job {{ $labels.job }} 有实例的时钟比 Prometheus {{ if gt $value 0.0 }}快{{ else }}慢{{ end }} {{ humanizeDuration $value | reReplaceAll "-" "" }}。时间和时长的误差同样大；相差 15 分钟以上时，阿里云拒绝签名。',
      },
    },

    AckUpgradeCredentialsRejected: {
      about: 'Alibaba Cloud rejects the credentials or permissions of an account.',
      en: {
        summary: 'Alibaba Cloud rejects the credentials or permissions of account {{ $labels.account }}.',
        description: '{{ if eq $labels.reason "auth" }}The credentials{{ else }}The RAM permissions{{ end }} of account {{ $labels.account }} have been rejected for ten minutes, for {{ humanizePercentage $value }} of what was asked: its clusters are not being watched. '
                     + "The exporter's log has the code and, if one is missing, the RAM action.",
      },
      zh: {
        summary: '账号 {{ $labels.account }} 的凭证无效或 RAM 权限不足，请求被阿里云拒绝。',
        description: '十分钟以来，阿里云因{{ if eq $labels.reason "auth" }}凭证{{ else }} RAM 权限{{ end }}拒绝了账号 {{ $labels.account }} 的 {{ humanizePercentage $value }} 的请求：其集群未被监控。'
                     + 'Exporter 的日志中有错误码；缺少权限时还有 RAM 操作名。',
      },
    },

    AckUpgradeThrottled: {
      about: 'Alibaba Cloud throttles the requests of an account.',
      en: {
        summary: 'Alibaba Cloud throttles the requests of account {{ $labels.account }}.',
        description: '{{ humanizePercentage $value }} of the requests of account {{ $labels.account }} have been throttled over the last ten minutes. The quota is shared with everything else that uses the account.',
      },
      zh: {
        summary: '阿里云对账号 {{ $labels.account }} 的请求限流。',
        description: '最近十分钟，账号 {{ $labels.account }} 有 {{ humanizePercentage $value }} 的请求被限流。配额由使用该账号的所有程序共用。',
      },
    },

    AckUpgradeCredentialsExpiring: {
      about: 'The credentials of an account run out soon and have not been refreshed.',
      en: {
        summary: 'The credentials of account {{ $labels.account }} run out soon and have not been refreshed.',
        description: 'The credentials of account {{ $labels.account }} {{ if gt $value 0.0 }}run out in {{ humanizeDuration $value }}{{ else }}have run out{{ end }} and should have been refreshed by now by {{ $labels.instance }}; after that its clusters are no longer watched.',
      },
      zh: {
        summary: '账号 {{ $labels.account }} 的凭证即将过期，且没有刷新。',
        description: '账号 {{ $labels.account }} 的凭证{{ if gt $value 0.0 }}将在 {{ humanizeDuration $value }} 后过期{{ else }}已过期{{ end }}，{{ $labels.instance }} 本应已将其刷新；过期之后，该账号的集群不再被监控。',
      },
    },

    AckUpgradeDiscoveryFailing: {
      about: "The list of an account's clusters cannot be read.",
      en: {
        summary: 'The cluster list of account {{ $labels.account }} in {{ $labels.region }} cannot be read.',
        description: 'The cluster list of account {{ $labels.account }} in {{ $labels.region }} has not been read for 15 minutes: a new cluster is not watched, and a deleted one is still asked for.',
      },
      zh: {
        summary: '无法读取账号 {{ $labels.account }} 在地域 {{ $labels.region }} 的集群列表。',
        description: '15 分钟以来无法读取账号 {{ $labels.account }} 在地域 {{ $labels.region }} 的集群列表：新集群未被监控，已删除的集群仍被查询。',
      },
    },

    AckUpgradeReloadFailed: {
      about: 'The exporter refused its new configuration.',
      en: {
        summary: '{{ $labels.instance }} refused its new configuration.',
        description: '{{ $labels.instance }} has refused its new configuration and goes on with the one before it. The log and `--config.check` list every mistake.',
      },
      zh: {
        summary: '{{ $labels.instance }} 拒绝了新的配置。',
        description: '{{ $labels.instance }} 拒绝了新的配置，旧配置继续生效。日志和 `--config.check` 列出所有错误。',
      },
    },

    AckUpgradeShardsMissing: {
      about: 'Some shards of the exporter are not being scraped.',
      en: {
        summary: 'Some shards of the exporter are not being scraped.',
        description: '{{ $value }} of the shards of job {{ $labels.job }} have not been scraped for ten minutes: their part of the clusters is not being watched.',
      },
      zh: {
        summary: 'Exporter 的部分分片没有被抓取。',
        description: 'job {{ $labels.job }} 有 {{ $value }} 个分片十分钟没有被抓取：这些分片上的集群未被监控。',
      },
    },

    AckUpgradeShardingMismatch: {
      about: 'Instances of the exporter disagree about the number of shards.',
      en: {
        summary: 'Instances of the exporter disagree about the number of shards.',
        description: 'The instances of job {{ $labels.job }} run with {{ $value }} different values of `--shard.total`: some clusters are asked twice and some not at all.',
      },
      zh: {
        summary: 'Exporter 各实例的分片总数不一致。',
        description: 'job {{ $labels.job }} 的实例使用了 {{ $value }} 个不同的 `--shard.total`：有些集群被查询两次，有些完全没有。',
      },
    },

    AckUpgradeSourceSwitched: {
      about: 'The exporter reads upgrade states from another source than before.',
      en: {
        summary: 'The exporter reads upgrade states from another source than before.',
        description: 'Account {{ $labels.account }}{{ with $labels.region }} in {{ . }}{{ end }} is now read from source {{ $labels.source }}. Nothing needs to be done if Alibaba Cloud has switched the older operation off there.',
      },
      zh: {
        summary: 'Exporter 读取升级状态的来源与之前不同。',
        description: '账号 {{ $labels.account }}{{ with $labels.region }} 在地域 {{ . }}{{ end }} 现在从来源 {{ $labels.source }} 读取。如果阿里云在该地域停用了旧接口，则无需处理。',
      },
    },
  }
