//! The words of the page, in the languages that it speaks.

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The value of `lang` in the query string.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    pub(super) fn parse(slug: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.slug() == slug)
    }

    pub(super) fn messages(self) -> &'static Messages {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}

/// Declares the fields of [`Messages`] and their texts in each language.
macro_rules! messages {
    ($($name:ident: $english:literal, $chinese:literal;)+) => {
        /// A text of the page for each purpose.
        #[derive(Debug)]
        pub(super) struct Messages {
            $(pub(super) $name: &'static str,)+
        }

        static ENGLISH: Messages = Messages { $($name: $english,)+ };
        static CHINESE: Messages = Messages { $($name: $chinese,)+ };
    };
}

messages! {
    // The page.
    language: "English", "中文";
    language_tag: "en", "zh-CN";
    title: "Cluster upgrades", "集群升级";
    exporter: "Exporter", "Exporter";
    metrics: "Metrics", "指标";
    service_discovery: "Service discovery", "服务发现";
    configuration: "Configuration", "配置";
    readiness: "Readiness", "就绪状态";
    reload: "Reload", "自动刷新";
    off: "off", "关闭";
    cluster: "cluster", "个集群";
    clusters: "clusters", "个集群";
    last_scrape: "last scrape", "上次抓取";
    ago: " ago", "前";
    unit_second: "s", "秒";
    unit_minute: "min", "分钟";
    unit_hour: "h", "小时";
    unit_day: "d", "天";
    in_before: "in ", "";
    in_after: "", "后";
    shard: "shard", "分片";
    incomplete: "incomplete: some had not been asked or had not answered by then", "不完整：部分集群当时尚未查询或尚无响应";
    calm: "No upgrade under way", "没有正在进行的升级";
    footer: "Since: when this exporter first saw the present status and step; it starts anew with \
        the process. Task: when Alibaba Cloud created the upgrade task. Answered: when the last query \
        succeeded. This page shows the last scrape; it never calls the API itself.",
        "持续时间：自本 Exporter 首次看到当前状态和步骤起计，进程重启后重新计算。任务：阿里云创建升级任务的时间。响应：上次查询成功的时间。本页显示上次抓取的结果，本身从不调用 API。";

    // Before the first scrape.
    no_scrape: "No scrape yet", "尚未抓取";
    no_scrape_text: "Prometheus has not scraped the metrics since this exporter started. This page \
        shows the result of the last scrape.",
        "自本 Exporter 启动以来，Prometheus 尚未抓取过指标。本页显示上次抓取的结果。";
    no_scrape_what: "Let Prometheus scrape it, or open the metrics once by hand:", "请让 Prometheus 抓取，或手动打开一次指标页：";

    // Notices.
    old: "This page is old.", "本页内容已过时。";
    old_text: "Clusters may be in another state by now.", "集群的状态可能已经改变。";
    lists: "Unreadable cluster lists", "无法读取的集群列表";
    lists_text: "Clusters may be missing from this page.", "本页可能缺少集群。";
    under_way: "Planned operation due or under way", "计划操作已到开始时间或正在执行";
    planned: "Planned within 24 hours", "24 小时内有计划操作";
    unsupported: "Out of support", "版本已停止支持";
    unsupported_since: "out of support for", "已停止支持";
    ending: "Support ends within 90 days", "90 天内停止支持";
    ending_in: "support ends in", "距停止支持";
    pool_failed: "Upgrade of a node pool failed", "节点池升级失败";
    plan_failed: "Planned operation failed", "计划操作失败";

    // What the reader can change.
    find: "Find", "查找";
    find_what: "name, ID, account, region, version, label=value, message", "名称、ID、账号、地域、版本、标签=值、消息";
    show: "Show", "显示";
    show_all: "Show all", "显示全部";
    of: "of", "/";
    sort: "Sort by", "排序";
    by_urgency: "What needs somebody first", "需要处理的优先";
    by_name: "Name", "名称";
    by_since: "Longest in its state first", "停留最久的优先";
    by_version: "Oldest version first", "版本最旧的优先";
    by_reading: "Oldest reading first", "响应最旧的优先";
    by_status: "Clusters by status", "按状态查看集群";
    pages: "Pages", "分页";
    previous: "Previous", "上一页";
    next_page: "Next", "下一页";
    no_clusters: "No clusters", "没有集群";
    no_clusters_text:
        "The configuration names none, and no cluster list has shown one that it selects.",
        "配置中没有集群，也没有集群列表返回被配置选中的集群。";
    no_match: "No cluster matches", "没有匹配的集群";

    // Statuses.
    failed: "Failed", "失败";
    paused_on_error: "Paused on an error", "因错误暂停";
    not_answering: "Not answering", "无响应";
    paused: "Paused", "已暂停";
    running: "Running", "升级中";
    unknown: "Unknown", "未知";
    canceled: "Canceled", "已取消";
    not_asked: "Not asked yet", "尚未查询";
    succeeded: "Succeeded", "成功";
    never: "No upgrade", "未升级过";

    // Steps.
    steps: "Steps", "步骤";
    step_start: "Start", "开始";
    step_not_started: "Not started", "未开始";
    step_prechecking: "Prechecking", "前置检查";
    step_upgrading: "Upgrading", "升级";
    step_done: "Done", "完成";
    step_between: "Paused between steps", "步骤之间暂停";
    step_unknown: "Step not known", "步骤未知";

    // Reasons of failed queries.
    reason_auth: "credentials missing or refused", "凭证缺失或被拒绝";
    reason_forbidden: "permission missing", "缺少权限";
    reason_not_found: "no such cluster", "集群不存在";
    reason_throttled: "throttled by the API", "被 API 限流";
    reason_rate_limited: "held back by the account's rate limit", "受账号速率限制，未发出查询";
    reason_timeout: "no response in time", "未及时响应";
    reason_network: "no connection", "无法连接";
    reason_server: "an error of the API", "API 出错";
    reason_decode: "response not understood", "无法解析响应";
    reason_other: "the query failed", "查询失败";

    // The columns of a cluster.
    column_cluster: "Cluster", "集群";
    column_upgrade: "Upgrade", "升级";
    column_since: "Since", "持续";
    column_version: "Version", "版本";
    column_account: "Account", "账号";
    column_answered: "Answered", "响应";
    its_turn: "its turn has not come yet", "尚未轮到";
    not_known: "not known", "未知";
    task: "task", "任务";
    next: "next", "可升级至";
    console: "Console", "控制台";
    details: "Details", "详情";
    more_characters: "more characters", "个字符未显示";

    // The details of a cluster.
    task_id: "Task", "任务";
    task_status: "Task status", "任务状态";
    task_created: "Task created", "任务创建于";
    task_changed: "Task changed", "任务更新于";
    precheck_report: "Precheck report", "前置检查报告";
    target_version: "Target version", "目标版本";
    next_version: "Next version", "可升级版本";
    source: "Source", "数据来源";
    in_this_state: "In this state", "进入此状态";
    last_answer: "Last answer", "上次响应";
    query_took: "Last query took", "上次查询耗时";
    cluster_state: "Cluster state", "集群状态";
    cluster_type: "Type", "类型";
    edition: "Edition", "规格";
    label: "Label", "标签";
    plan: "Plan", "计划";
    end_of_support: "End of support", "停止支持时间";
    versions_behind: "Minor versions behind", "落后的次版本数";
    node_pool: "Node pool", "节点池";
    nodes_healthy: "nodes healthy", "个节点健康";
    addons: "Add-ons", "组件";
    precheck: "Check", "检查";
    query: "Query", "查询";

    // The accounts.
    accounts: "Accounts and regions", "账号与地域";
    colon: ": ", "：";
    comma: ", ", "，";
    region: "Region", "地域";
    list: "Cluster list", "集群列表";
    list_read: "read", "已读取";
    list_failed: "cannot be read", "无法读取";
    credentials: "credentials", "凭证";
    expire: "expire", "过期时间";
    failed_queries: "Failed queries", "失败的查询";
    failed_for: "failed for", "失败的集群：";
}
