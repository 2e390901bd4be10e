//! The order and the words of the page: what people see first, and in their language.

use std::fmt::Write as _;
use std::sync::Arc;

use ack_client::{PlanState, Status, Step};
use insta::assert_snapshot;

use super::fleet::{HOUR, fleet, plan};
use super::shown;
use crate::queries::plans::Plan;
use crate::snapshot::{Outcome, Snapshot};
use crate::upgrade::UpgradeState;
use crate::web::fixture::{NOW, cluster, snapshot, state, up};

/// The text of an HTML fragment.
fn text(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        let (_, shown) = piece.split_once('>').unwrap_or(("", piece));
        text.push_str(shown);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Headings, groups and clusters of a page in their order. A `>` stands before a folded group, a
/// `v` before an open one.
fn outline(page: &str) -> String {
    let mut outline = String::new();
    for line in page.lines() {
        let (mark, html) = if line.starts_with("<h2 ") {
            ("#", line)
        } else if line.starts_with("<details class=\"fold") && line.contains(" open>") {
            ("v", line)
        } else if line.starts_with("<details class=\"fold") {
            (">", line)
        } else if let Some((name, _)) = line.split_once("</a>")
            && line.contains("class=\"name\"")
        {
            (" ", name)
        } else {
            continue;
        };
        writeln!(outline, "{mark} {}", text(html)).unwrap();
    }
    outline
}

/// Everything between the title and the search: banners and tiles.
fn head(page: &str) -> String {
    let (_, rest) = page.split_once("<main>").unwrap();
    let (head, _) = rest.split_once("<form").unwrap();
    let (_, head) = head.split_once("</p>\n</div>\n").unwrap();
    let lines = head.lines().map(text);
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn title(page: &str) -> &str {
    page.lines()
        .find(|line| line.starts_with("<title>"))
        .unwrap()
}

fn three() -> Snapshot {
    snapshot(vec![
        cluster("c1", up(Status::Success, Step::Success)),
        cluster("c2", up(Status::Running, Step::Upgrading)),
        cluster("c3", up(Status::None, Step::NotStart)),
    ])
}

#[test]
fn what_needs_somebody_stands_before_the_folded_rest() {
    assert_snapshot!(outline(&shown(&three(), "")), @r##"
    # Running 1
      shop-c2
    > Succeeded 1
      shop-c1
    > No upgrade 1
      shop-c3
    v Accounts and regions 1
    "##);
    assert_snapshot!(outline(&shown(&fleet(30), "")), @r##"
    # Failed 1
      ml-training-7
    # Paused on an error 1
      ml-training-11
    # Not answering 1
      ml-training-19
    # Paused 1
      ml-training-23
    # Running 2
      search-1
      search-29
    > Succeeded 14
      ledger-10
      ledger-14
      ledger-2
      ledger-22
      ledger-26
      search-13
      search-17
      search-25
      search-5
      shop-16
      shop-20
      shop-28
      shop-4
      shop-8
    > No upgrade 10
      ledger-18
      ledger-6
      ml-training-15
      ml-training-27
      ml-training-3
      search-21
      search-9
      shop-0
      shop-12
      shop-24
    v Accounts and regions 6 Failed queries: 5
    "##);
}

#[test]
fn a_calm_fleet_is_open_and_so_is_what_was_asked_for() {
    let calm = snapshot(vec![cluster("c1", up(Status::Success, Step::Success))]);
    assert_snapshot!(outline(&shown(&calm, "")), @r##"
    v Succeeded 1
      shop-c1
    v Accounts and regions 1
    "##);
    assert_snapshot!(outline(&shown(&three(), "status=none")), @r##"
    # No upgrade 1
      shop-c3
    v Accounts and regions 1
    "##);
    assert_snapshot!(outline(&shown(&three(), "sort=name")), @r##"
      shop-c1
      shop-c2
      shop-c3
    v Accounts and regions 1
    "##);
}

#[test]
fn banners_say_what_is_wrong_and_what_is_coming() {
    let page = shown(&fleet(40), "");
    assert_snapshot!(head(&page), @r##"
    Unreadable cluster lists: 1 · Clusters may be missing from this page.
    staging ap-southeast-1: no response in time timeout: DescribeClustersForRegion: no response within 9 s
    1 Failed
    1 Paused on an error
    1 Not answering
    1 Paused
    2 Running
    1 Canceled 1 Not asked yet 18 Succeeded 14 No upgrade
    Accounts and regions 6
    Upgrade of a node pool failed: 2 clusters: search-9 (default 2 h 13 min ago), ml-training-39 (default 2 h 13 min ago)
    Planned within 24 hours: 2 clusters: ledger-22 (cluster_upgrade_master in 3 h), ledger-2 (cluster_upgrade_master in 4 h)
    Out of support: 4 clusters
    Support ends within 90 days: 4 clusters
    "##);
    assert_snapshot!(title(&page), @"<title>Unreadable cluster lists: 1 · Failed: 1 · Paused on an error: 1 · Not answering: 1 · Paused: 1 · Running: 2 · ack-upgrade-exporter</title>");
}

/// A plan stays scheduled until the next reading of the plans, although its window has begun.
#[test]
fn a_plan_is_announced_before_its_window_and_under_way_within_it() {
    let planned = |id: &str, state, start: Option<i64>| {
        let mut reading = cluster(id, up(Status::None, Step::NotStart));
        let start = start.map(|hours| NOW + HOUR * i32::try_from(hours).unwrap());
        reading.watched.plans = Some(Arc::new([Plan {
            state,
            start,
            end: start.map(|start| start + HOUR * 4),
            ..plan(0)
        }]));
        reading
    };
    let page = shown(
        &snapshot(vec![
            planned("soon", PlanState::Scheduled, Some(3)),
            planned("later", PlanState::Scheduled, Some(25)),
            planned("begun", PlanState::Scheduled, Some(-1)),
            planned("over", PlanState::Scheduled, Some(-5)),
            planned("running", PlanState::Executing, Some(-2)),
            planned("too-long", PlanState::Executing, Some(-6)),
            planned("untimed", PlanState::Executing, None),
            planned("ended", PlanState::Executed, Some(-1)),
            planned("unclear", PlanState::Unknown, Some(-1)),
            planned("unclear-soon", PlanState::Unknown, Some(2)),
        ]),
        "",
    );
    assert_snapshot!(head(&page), @r##"
    0 Failed
    0 Paused on an error
    0 Not answering
    0 Paused
    0 Running
    10 No upgrade
    Accounts and regions 1
    Planned operation due or under way: 4 clusters: shop-untimed (cluster_upgrade_master), shop-too-long (cluster_upgrade_master 6 h ago), shop-running (cluster_upgrade_master 2 h ago), shop-begun (cluster_upgrade_master 1 h ago)
    Planned within 24 hours: 2 clusters: shop-unclear-soon (cluster_upgrade_master in 2 h), shop-soon (cluster_upgrade_master in 3 h)
    "##);
}

#[test]
fn a_plan_without_an_end_is_due_for_a_day() {
    let begun = |id: &str, hours| {
        let mut reading = cluster(id, up(Status::None, Step::NotStart));
        reading.watched.plans = Some(Arc::new([Plan {
            state: PlanState::Scheduled,
            start: Some(NOW - HOUR * hours),
            end: None,
            ..plan(0)
        }]));
        reading
    };
    let page = shown(&snapshot(vec![begun("today", 23), begun("old", 25)]), "");
    assert_snapshot!(head(&page), @r##"
    0 Failed
    0 Paused on an error
    0 Not answering
    0 Paused
    0 Running
    2 No upgrade
    Accounts and regions 1
    Planned operation due or under way: 1 cluster: shop-today (cluster_upgrade_master 23 h ago)
    "##);
}

#[test]
fn the_page_speaks_chinese() {
    let page = shown(&fleet(40), "lang=zh");
    assert!(page.contains("<html lang=\"zh-CN\">"));
    assert!(page.contains("hreflang=\"en\">English</a>"));
    assert_snapshot!(head(&page), @r##"
    无法读取的集群列表：1 · 本页可能缺少集群。
    staging ap-southeast-1：未及时响应 timeout：DescribeClustersForRegion: no response within 9 s
    1 失败
    1 因错误暂停
    1 无响应
    1 已暂停
    2 升级中
    1 已取消 1 尚未查询 18 成功 14 未升级过
    账号与地域 6
    节点池升级失败：2 个集群：search-9 (default 2 小时 13 分钟前)，ml-training-39 (default 2 小时 13 分钟前)
    24 小时内有计划操作：2 个集群：ledger-22 (cluster_upgrade_master 3 小时后)，ledger-2 (cluster_upgrade_master 4 小时后)
    版本已停止支持：4 个集群
    90 天内停止支持：4 个集群
    "##);
    assert_snapshot!(title(&page), @"<title>无法读取的集群列表: 1 · 失败: 1 · 因错误暂停: 1 · 无响应: 1 · 已暂停: 1 · 升级中: 2 · ack-upgrade-exporter</title>");
}

#[test]
fn a_long_error_is_shown_whole() {
    let message = "etcd member is not healthy; ".repeat(40);
    let failed = UpgradeState {
        error_message: Some(message.clone()),
        ..state(Status::Fail, Step::Upgrading)
    };
    for size in [1, 31] {
        let failed = Outcome::Up(Arc::new(failed.clone()));
        let clusters = (0..size).map(|at| cluster(&format!("c{at}"), failed.clone()));
        let page = shown(&snapshot(clusters.collect()), "");
        let whole = format!("<p class=\"message\">{}</p>", message.trim());
        assert_eq!(page.matches(&whole).count(), size);
    }
}

/// Writes pages into the folder that `PAGES` names.
#[test]
#[ignore = "tests/browser looks at them"]
fn pages_of_fleets() {
    let folder = std::env::var("PAGES").unwrap();
    for size in [0, 3, 30, 300, 3000] {
        for language in ["en", "zh"] {
            let page = shown(&fleet(size), &format!("lang={language}"));
            std::fs::write(format!("{folder}/{size}-{language}.html"), page).unwrap();
        }
    }
}
