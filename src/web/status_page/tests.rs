//! The page as a whole. Its looks are judged in a browser; here is what must hold of its markup.

mod fleet;
mod people;

use std::collections::BTreeSet;
use std::sync::Arc;

use ack_client::Reason;
use ack_client::names::AccountName;
use ack_client::{Status, Step};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_SECURITY_POLICY;
use jiff::SignedDuration;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::display_status::DisplayStatus;
use super::messages::Language;
use super::row;
use super::{PageQuery, Paths, Snapshot, Timestamp, headers};
use crate::shard::Shard;
use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::UpgradeState;
use crate::web::fixture::{NOW, altered, cluster, down, snapshot, state, up};

const HOSTILE: &str = "</th></title></style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}&lt;\u{1}{}";

fn page(snapshot: Option<&Snapshot>, now: Timestamp, query: &PageQuery, paths: &Paths) -> String {
    super::page(snapshot, now, query, paths).expect("the page is rendered")
}

fn shown(snapshot: &Snapshot, query: &str) -> String {
    page(
        Some(snapshot),
        NOW,
        &PageQuery::parse(Some(query), "en"),
        &paths(""),
    )
}

fn paths(prefix: &str) -> Paths {
    Paths {
        prefix: prefix.to_owned(),
        telemetry: "/metrics".to_owned(),
    }
}

/// A fleet with every outcome, every reason and every pair of status and step in it.
fn everything() -> Vec<ClusterReading> {
    let states = Status::ALL
        .iter()
        .flat_map(|&status| Step::ALL.iter().map(move |&step| up(status, step)));
    let failures = Reason::ALL
        .iter()
        .map(|&reason| down(reason, "it did not answer"));
    let outcomes = states.chain(failures).chain([Outcome::NotAsked]);
    outcomes
        .enumerate()
        .map(|(at, outcome)| cluster(&format!("c{at}"), outcome))
        .collect()
}

/// The tags of a page with the values of their attributes left out: what a browser builds from.
fn skeleton(page: &str) -> Vec<String> {
    let body = page.split("</style>").last().unwrap_or_default();
    let mut tags = Vec::new();
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "a lone > in {text}");
        tags.push(tag.split('"').step_by(2).collect());
    }
    tags
}

#[test]
fn every_status_step_and_outcome_is_told_in_words_and_by_a_shape() {
    let t = Language::English.messages();
    for reading in everything() {
        let status = DisplayStatus::of(&reading);
        let (slug, label) = (status.slug(), status.label(t));
        let expected = match &reading.outcome {
            Outcome::Up(state) => format!("aria-valuetext=\"{}\"", row::step_name(state.step, t)),
            Outcome::Down(failure) => format!("<code>{}</code>", failure.reason.as_str()),
            Outcome::NotAsked => "its turn has not come yet".to_owned(),
        };
        let page = shown(&snapshot(vec![reading]), "");
        for expected in [
            expected,
            format!("<use href=\"#i-{slug}\"/></svg>{label}</span>"),
            format!("<symbol id=\"i-{slug}\""),
        ] {
            assert!(page.contains(&expected), "{status:?}: {expected}");
        }
    }
}

#[test]
fn hostile_text_changes_no_tag() {
    let with_text = |text: &str| {
        let clusters = everything().into_iter().map(|reading| {
            let mut reading = altered(reading, |info| {
                info.account = AccountName::parse(
                    &text
                        .replace('\u{1}', "")
                        .chars()
                        .take(64)
                        .collect::<String>(),
                )
                .unwrap();
                for field in [
                    &mut info.name,
                    &mut info.version,
                    &mut info.next_version,
                    &mut info.cluster_type,
                    &mut info.spec,
                ] {
                    text.clone_into(field);
                }
                info.labels = [(text.to_owned(), text.to_owned())].into();
            });
            match &mut reading.outcome {
                Outcome::Up(state) => {
                    let state = Arc::make_mut(state);
                    state.error_message = Some(text.to_owned());
                    for field in [
                        &mut state.precheck_report_id,
                        &mut state.task_id,
                        &mut state.target_version,
                    ] {
                        text.clone_into(field);
                    }
                    format!("{text}!").clone_into(&mut state.target_version);
                }
                Outcome::Down(failure) => text.clone_into(&mut failure.message),
                Outcome::NotAsked => {}
            }
            reading
        });
        snapshot(clusters.collect())
    };
    let (harmless, hostile) = (
        shown(&with_text("shop"), "q=shop"),
        shown(&with_text(HOSTILE), "q=%3Cimg+src%3Dx"),
    );
    assert_eq!(skeleton(&hostile), skeleton(&harmless));
    assert!(hostile.contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[test]
fn the_policy_allows_the_style_sheet_of_the_page_and_nothing_inline_beside_it() {
    let page = shown(&snapshot(everything()), "refresh=15");
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, body) = rest.split_once("</style>").unwrap();
    let hash = STANDARD.encode(Sha256::digest(style));
    let headers = headers();
    let (_, policy) = headers
        .iter()
        .find(|(name, _)| name == CONTENT_SECURITY_POLICY)
        .unwrap();
    let expected = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    assert_eq!(policy, expected.as_str());
    for forbidden in ["<style", "style=", "<script", " on", "<img", "<link"] {
        assert!(
            !skeleton(body)
                .iter()
                .any(|tag| tag.contains(forbidden.trim_start_matches('<'))),
            "{forbidden}"
        );
    }
    for forbidden in ["url(", "@import", "\r"] {
        assert!(!style.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn tags_are_closed_and_ids_are_unique() {
    for page in [
        shown(&snapshot(everything()), "q=c&refresh=60"),
        page(None, NOW, &PageQuery::default(), &paths("")),
    ] {
        // What comes before is the style sheet's, and not looked at.
        let mut open = vec!["html".to_owned(), "head".to_owned()];
        for tag in skeleton(&page) {
            let name: String = tag.chars().take_while(|c| !c.is_whitespace()).collect();
            match name.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed)),
                None if tag.ends_with('/') || name == "input" => {}
                None => open.push(name),
            }
        }
        assert_eq!(open, [""; 0]);
        let ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len());
    }
}

#[test]
fn before_the_first_scrape_the_page_says_what_to_do() {
    let query = PageQuery::parse(Some("refresh=15&q=x"), "en");
    let page = page(None, NOW, &query, &paths("/ack"));
    assert!(page.contains("<h2>No scrape yet</h2>"));
    assert!(page.contains("\n    metrics_path: /ack/metrics\n    static_configs:\n"));
    assert!(page.contains("<a href=\"/ack/metrics\">/ack/metrics</a>"));
    assert!(!page.contains("<table"));
}

#[test]
fn links_have_the_prefix() {
    let page = page(
        Some(&snapshot(everything())),
        NOW,
        &PageQuery::default(),
        &paths("/ack"),
    );
    for path in [
        "/ack/metrics",
        "/ack/sd",
        "/ack/api/v1/clusters",
        "/ack/config",
        "/ack/-/ready",
    ] {
        assert!(page.contains(&format!("href=\"{path}\"")), "{path}");
    }
}

#[test]
fn the_page_reloads_only_when_asked_to_and_keeps_doing_so() {
    let snapshot = snapshot(everything());
    assert!(!shown(&snapshot, "").contains("http-equiv"));
    let page = shown(&snapshot, "refresh=15");
    assert!(page.contains("<meta http-equiv=\"refresh\" content=\"15\">"));
    assert!(page.contains("<input type=\"hidden\" name=\"refresh\" value=\"15\">"));
    assert!(page.contains("href=\"?refresh=15&amp;status=fail\""));
}

#[test]
fn an_old_or_incomplete_picture_says_so() {
    let mut snapshot = snapshot(everything());
    let fresh = shown(&snapshot, "");
    assert!(!fresh.contains("class=\"notice") && !fresh.contains("incomplete"));
    assert!(fresh.contains("title=\"2026-11-23 18:49:17 UTC\">12 s</span> ago"));
    snapshot.at = NOW - SignedDuration::from_mins(47);
    snapshot.complete = false;
    snapshot.shard = Shard::new(2, 10).expect("a shard");
    let page = shown(&snapshot, "");
    for expected in [
        "This page is old.",
        "incomplete: some had not",
        "shard 3/10",
    ] {
        assert_eq!(page.matches(expected).count(), 1, "{expected}");
    }
    assert!(page.contains("47 min"));
}

#[test]
fn a_message_and_the_way_from_version_to_version_are_shown() {
    let failed = UpgradeState {
        error_message: Some("node\nNotReady".to_owned()),
        ..state(Status::Fail, Step::Upgrading)
    };
    let page = shown(
        &snapshot(vec![cluster("c1", Outcome::Up(Arc::new(failed)))]),
        "",
    );
    assert!(page.contains("<p class=\"message\">node NotReady</p>"));
    assert!(page.contains("1.30.1-aliyun.1 <b>→ 1.31.1-aliyun.1</b>"));
    assert!(page.contains("<title>Failed: 1 · ack-upgrade-exporter</title>"));
}

#[test]
fn a_fleet_of_thousands_is_paged_and_stays_small() {
    let message = "x".repeat(256);
    let clusters = (0..4000).map(|at| {
        let failed = UpgradeState {
            error_message: Some(message.clone()),
            ..state(Status::Fail, Step::Upgrading)
        };
        cluster(
            &format!("c106f377e16f34eb1808d6b9362c9{at:04}"),
            Outcome::Up(Arc::new(failed)),
        )
    });
    let page = shown(&snapshot(clusters.collect()), "page=2&status=fail");
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.contains("501–1,000 of 4,000"));
    assert!(page.contains("href=\"?page=3&amp;status=fail\""));
    assert_eq!(page.matches("class=\"name\"").count(), 500);
}

#[test]
fn no_match_and_no_cluster_have_their_words() {
    assert!(shown(&snapshot(everything()), "q=nowhere").contains("No cluster matches"));
    assert!(shown(&snapshot(Vec::new()), "").contains("No clusters"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_query_string_gives_a_whole_page(query in ".*", value in ".{0,40}", key in "(q|status|account|region|mark|sort|page|refresh|lang)") {
        let snapshot = snapshot(vec![cluster("c1", up(Status::Running, Step::Upgrading)), cluster("c2", down(Reason::Other, ""))]);
        let page = shown(&snapshot, &format!("{query}&{key}={value}"));
        prop_assert!(page.ends_with("</html>\n"));
        skeleton(&page);
    }
}
