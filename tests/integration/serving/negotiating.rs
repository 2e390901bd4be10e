//! Content negotiation with the headers of real scrapers.

use std::net::SocketAddr;

use ack_simulator::Action;

use super::server::Setup;
use crate::client::{fetch, get, send};
use crate::exposition::{Dialect, Exposition};
use crate::process::has_ipv6;

const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const PROMETHEUS_3_5: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                              text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                              text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

#[tokio::test]
async fn each_scraper_gets_its_format_and_encoding() {
    let served = Setup::default().serve();
    for (accept, expected, dialect) in [
        (PROMETHEUS_2_42, OPEN_METRICS, Dialect::OpenMetrics),
        (PROMETHEUS_3_5, OPEN_METRICS, Dialect::OpenMetrics),
        (
            "text/plain;version=0.0.4;q=1,*/*;q=0.1",
            TEXT,
            Dialect::Text,
        ),
        ("*/*", TEXT, Dialect::Text),
        ("application/json", TEXT, Dialect::Text),
    ] {
        for (coding, packed) in [
            ("gzip", "gzip"),
            ("gzip;q=0", ""),
            ("identity", ""),
            ("br, gzip;q=0.1", "gzip"),
        ] {
            let headers = format!("Accept: {accept}\r\nAccept-Encoding: {coding}\r\n");
            let response = send(served.address, get("/metrics", &headers))
                .await
                .expect("a response");
            assert_eq!(
                (response.status, response.header("content-type")),
                (200, expected),
                "{accept}"
            );
            assert_eq!(
                (response.header("content-encoding"), response.header("vary")),
                (packed, "Accept, Accept-Encoding"),
                "{coding}"
            );
            let page = Exposition::read(response.text().as_bytes(), dialect)
                .unwrap_or_else(|error| panic!("{accept}: {error}"));
            let statuses = page
                .family("cs_upgrade_status")
                .expect("there are clusters");
            assert_eq!(statuses.kind, "gauge", "state sets stay gauges");
            assert_eq!(page.samples("cs_up").count(), 6);
        }
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_makes_no_call() {
    let served = Setup::default().serve();
    for path in [
        "/metrics",
        "/",
        "/sd",
        "/api/v1/clusters",
        "/-/healthy",
        "/-/ready",
        "/config",
        "/nowhere",
    ] {
        let calls = served.sim.calls().len();
        let head = send(served.address, get(path, "").replacen("GET", "HEAD", 1))
            .await
            .expect("a response");
        assert_eq!(
            (head.body.len(), served.sim.calls().len()),
            (0, calls),
            "{path}"
        );
        let whole = fetch(served.address, path).await;
        assert_eq!(
            (head.status, head.header("content-type")),
            (whole.status, whole.header("content-type")),
            "{path}"
        );
        // The length of a page is known only after it has been written.
        if path != "/metrics" && path != "/" && path != "/api/v1/clusters" {
            assert_eq!(
                head.header("content-length"),
                whole.header("content-length"),
                "{path}"
            );
        }
    }
    assert_eq!(served.sim.count(Action::GetUpgradeStatus), 6, "one scrape");
}

#[tokio::test]
async fn head_of_a_probe_has_the_headers_of_get_and_makes_no_call() {
    let served = Setup::default().serve();
    let id = served.sim.world().clusters()[0].to_string();
    for (query, expected) in [
        (format!("target={id}"), 200),
        (format!("target={id}&debug=true"), 200),
        ("target=nobody".to_owned(), 404),
        ("target=".to_owned(), 400),
        (format!("target={id}&debug=maybe"), 400),
    ] {
        let path = format!("/probe?{query}");
        let calls = served.sim.calls().len();
        let head = send(served.address, get(&path, "").replacen("GET", "HEAD", 1))
            .await
            .expect("a response");
        assert_eq!(
            (head.status, head.body.len(), served.sim.calls().len()),
            (expected, 0, calls),
            "{path}"
        );
        let whole = fetch(served.address, &path).await;
        assert_eq!(
            (whole.status, whole.header("content-type")),
            (expected, head.header("content-type")),
            "{path}"
        );
        assert_eq!(whole.header("vary"), head.header("vary"), "{path}");
        let is_exchange = path.ends_with("debug=true");
        for response in [&whole, &head] {
            let option = response.header("x-content-type-options");
            assert_eq!(option == "nosniff", is_exchange, "{path}");
        }
    }
    assert_eq!(
        served.sim.count(Action::GetUpgradeStatus),
        2,
        "for GET alone"
    );
}

#[tokio::test]
async fn other_methods_are_rejected_with_allow() {
    let served = Setup::default().serve();
    let closed = Setup {
        lifecycle: false,
        ..Setup::default()
    }
    .serve();
    for method in [
        "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "BREW", "get",
    ] {
        for path in [
            "/metrics",
            "/",
            "/probe?target=x",
            "/sd",
            "/api/v1/clusters",
            "/-/healthy",
            "/-/ready",
            "/config",
        ] {
            let response = send(served.address, get(path, "").replacen("GET", method, 1))
                .await
                .expect("a response");
            assert_eq!(
                (response.status, response.header("allow")),
                (405, "GET, HEAD"),
                "{method} {path}"
            );
        }
        let is_reload = matches!(method, "POST" | "PUT");
        let response = send(
            served.address,
            get("/-/reload", "").replacen("GET", method, 1),
        )
        .await
        .expect("a response");
        assert_eq!(
            (response.status, response.header("allow")),
            if is_reload {
                (200, "")
            } else {
                (405, "POST, PUT")
            },
            "{method}"
        );
        let response = send(
            closed.address,
            get("/-/reload", "").replacen("GET", method, 1),
        )
        .await
        .expect("a response");
        assert_eq!(
            (response.status, response.header("allow")),
            (405, ""),
            "{method}, without --web.enable-lifecycle"
        );
    }
    assert_eq!(served.sim.calls().len(), 0);
}

#[tokio::test]
async fn several_addresses_of_both_families_serve_the_same() {
    let addresses = ["127.0.0.1:0", "127.0.0.2:0", "localhost:0", "[::1]:0"];
    // Some build machines have no IPv6.
    let here = if has_ipv6() {
        &addresses[..]
    } else {
        &addresses[..3]
    };
    let served = Setup {
        addresses: here,
        ..Setup::default()
    }
    .serve();
    assert_eq!(served.addresses.len(), here.len());
    assert_eq!(served.addresses.iter().any(SocketAddr::is_ipv6), has_ipv6());
    for address in &served.addresses {
        assert!(
            fetch(*address, "/metrics").await.text().contains("cs_up{"),
            "{address}"
        );
    }
}
