use ack_client::{Reason, Status, Step};
use insta::assert_snapshot;
use std::sync::Arc;

use super::*;
use crate::run::status::fixture::{NOW, ago, cluster, down, fleet, never, up, with_message};
use crate::run::status::order;
use crate::snapshot::Outcome;

const PIPED: Format = Format {
    width: None,
    color: Color::Off,
    header: Header::Shown,
};

/// The table of a whole fleet.
fn sorted(format: Format) -> String {
    let mut fleet = fleet();
    order::sort(&mut fleet);
    Table::new(&fleet, NOW, format).lines(&fleet).join("\n")
}

fn widest(table: &str) -> usize {
    let widths = table.lines().map(unicode_width::UnicodeWidthStr::width);
    widths.max().unwrap_or_default()
}

#[test]
fn the_table_fits_60_columns() {
    let table = sorted(Format {
        width: Some(60),
        ..PIPED
    });
    assert!(widest(&table) <= 60, "{table}");
    assert_snapshot!(table);
}

#[test]
fn the_table_fits_100_columns() {
    let table = sorted(Format {
        width: Some(100),
        ..PIPED
    });
    assert!(widest(&table) <= 100, "{table}");
    assert_snapshot!(table);
}

#[test]
fn the_table_fits_200_columns_in_colour() {
    let table = sorted(Format {
        width: Some(200),
        color: Color::On,
        ..PIPED
    });
    let plain = anstream::adapter::strip_str(&table).to_string();
    assert!(widest(&plain) <= 200, "{plain}");
    // With NO_COLOR it is the same, without the colours.
    let without = sorted(Format {
        width: Some(200),
        ..PIPED
    });
    assert_eq!(plain, without);
    assert_snapshot!(table.replace('\u{1b}', "ESC"));
}

#[test]
fn a_piped_table_has_every_text_in_full() {
    assert_snapshot!(sorted(PIPED));
}

#[test]
fn no_width_is_exceeded_and_none_panics() {
    for width in 1..250 {
        let table = sorted(Format {
            width: Some(width),
            ..PIPED
        });
        assert!(widest(&table) <= width.max(42), "{width}: {table}");
    }
}

#[test]
fn a_table_without_headers_has_only_clusters() {
    let table = sorted(Format {
        header: Header::Hidden,
        ..PIPED
    });
    assert_eq!(table.lines().count(), fleet().len());
    assert!(!table.contains("CLUSTER"), "{table}");
}

#[test]
fn columns_are_aligned_below_wide_characters() {
    let clusters =
        ["生产集群", "shop", "e\u{301}te\u{301}"].map(|name| cluster("1", name, Outcome::NotAsked));
    let table = Table::new(&clusters, NOW, PIPED).lines(&clusters);
    let place = |line: &str, word: &str| line[..line.find(word).expect("it is there")].width();
    let header = place(&table[0], "STATUS");
    for line in &table[1..] {
        assert_eq!(place(line, "not asked"), header, "{table:#?}");
    }
}

#[test]
fn text_of_the_api_is_cleaned_for_the_terminal() {
    let mut state = up(Status::Running, Step::Upgrading, [1, 1]);
    if let Outcome::Up(state) = &mut state {
        Arc::make_mut(state).target_version = "1.32\u{1b}c".to_owned();
    }
    let outcomes = [
        with_message(state, "node\u{1b}[31m"),
        down(Reason::Other, "proxy\n\u{1b}[A"),
        never(),
    ];
    let clusters = outcomes.map(|outcome| {
        let mut reading = cluster("1", "shop\u{1b}[2J\r\n\u{9b}31m", outcome);
        Arc::make_mut(&mut reading.cluster).version = "1.31\u{1b}]0;owned\u{7}".to_owned();
        reading
    });
    let table = Table::new(&clusters, NOW, PIPED).lines(&clusters);
    for line in &table {
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    assert!(
        table[1].contains("shop[2J 31m") && table[1].contains("1.31]0;owned -> 1.32c"),
        "{table:?}"
    );
}

#[test]
fn without_a_time_of_the_task_the_time_since_the_first_look_is_a_lower_bound() {
    let mut reading = cluster("1", "shop", up(Status::Running, Step::Upgrading, [1, 1]));
    if let Outcome::Up(state) = &mut reading.outcome {
        let state = Arc::make_mut(state);
        state.started = None;
        state.updated = None;
    }
    let line = |reading: &ClusterReading| {
        let clusters = std::slice::from_ref(reading);
        Table::new(clusters, NOW, PIPED).row(reading)
    };
    assert!(line(&reading).contains("  -  "), "{}", line(&reading));
    reading.since = Some(ago(90));
    assert!(line(&reading).contains("  >1m  "), "{}", line(&reading));
}
