// Recording rules that the alerts about clusters share. They stand before them in the same group, so that both see the same scrape.
function(config)
  local promql = (import 'promql.libsonnet')(config);
  local cluster = config.clusterLabel;
  local joined = promql.joined;
  local metric = promql.metric;
  local last = promql.last;
  local records = promql.records;

  // Series whose label with the ID was lost (AckUpgradeClusterLabelLost) are one for all clusters: a join with them would fail for every job.
  local identified(name) = metric(name, '%(c)s!="", exported_%(c)s=""' % { c: cluster });
  local info = identified('cs_cluster_info');

  local rules = [
    // What is known of each cluster. A cluster that an exporter no longer has while it has others was removed; only where a whole page is
    // missing is the last one looked up. A change of version leaves two series within the look back, and a join would fail: topk keeps one.
    {
      record: records.info,
      expr: |||
        group by (%(cluster)s, job, instance, %(labels)s) (
          topk by (%(cluster)s, job, instance) (1,
            %(info)s
            or on (%(cluster)s, job, instance)
              (last_over_time(%(info)s[%(lookback)s]) unless on (job, instance) %(info)s)
          )
        )
      ||| % { cluster: cluster, labels: promql.labels, info: info, lookback: config.lookback },
    },

    // Upgrades that are under way or have not ended well. A cluster that does not answer keeps the status it had; one that is seen in another
    // is let go at once, which also serves state_sets: active, where a state that is over just leaves the page.
    {
      record: records.status,
      expr: |||
        %(open)s == 1
        or %(joined)s
          (%(last)s == 1 unless %(joined)s %(ended)s == 1)
      ||| % {
        open: metric('cs_upgrade_status', 'status=~"running|pause|fail|unknown"'),
        last: last('cs_upgrade_status', 'status=~"running|pause|fail|unknown"'),
        ended: metric('cs_upgrade_status', 'status=~"none|success|canceled"'),
        joined: joined,
      },
    },

    // The steps of those upgrades. That of a cluster that does not answer is the one recorded before.
    {
      record: records.step,
      expr: |||
        (
          %(step)s == 1
          or %(joined)s
            %(record)s
        )
        and %(joined)s
          %(status)s
      ||| % { step: metric('cs_upgrade_step'), record: records.step, joined: joined, status: records.status },
    },

    // The attempts that have failed or are paused, by cluster and source: the task, or the report of its precheck where the older operation
    // tells no task. Of several within the look back the newest counts, and a cluster of which neither is known stays. The value is the time
    // of its last change, or 0 if the source does not tell it.
    {
      local standing = '(%s or %s)' % [promql.status('fail|pause'), promql.step('pause')],
      record: records.attempts,
      expr: |||
        topk by (%(cluster)s, job, source) (1,
          group by (%(cluster)s, job, source, attempt) (
            label_replace(
              label_replace(
                (
                  %(now)s
                  or %(joined)s
                    topk by (%(cluster)s, job, instance) (1, max_over_time(timestamp(%(now)s)[%(lookback)s:1m])) ^ 0
                  or %(joined)s
                    %(info)s
                )
                and %(joined)s
                  %(standing)s,
                "attempt", "$1", "precheck_report_id", "(.+)"
              ),
              "attempt", "$1", "task_id", "(.+)"
            )
          )
        )
        * on (%(cluster)s, job) group_left ()
          (
            max by (%(cluster)s, job) (%(updated)s or %(started)s)
            or on (%(cluster)s, job)
              group by (%(cluster)s, job) (%(standing)s) * 0
          )
      ||| % {
        now: identified('cs_upgrade_info'),
        joined: joined,
        cluster: cluster,
        lookback: config.lookback,
        info: records.info,
        standing: standing,
        updated: last('cs_upgrade_updated_timestamp_seconds'),
        started: last('cs_upgrade_started_timestamp_seconds'),
      },
    },

    // A change of source is no new failure: while an upgrade stands, the attempt and the time stay those of the source before.
    {
      record: records.attempt,
      expr: |||
        (%(attempts)s and on (%(cluster)s, job, source) %(attempt)s)
        or on (%(cluster)s, job)
          (%(attempt)s and on (%(cluster)s, job) %(attempts)s)
        or on (%(cluster)s, job)
          topk by (%(cluster)s, job) (1, %(attempts)s)
      ||| % { cluster: cluster, attempts: records.attempts, attempt: records.attempt },
    },
  ];
  [rule { expr: std.rstripChars(rule.expr, '\n') } for rule in rules]
