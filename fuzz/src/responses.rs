//! The API's responses and errors, in JSON and XML, for all operations of a scrape.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use ack_client::Trace;
use ack_upgrade_exporter::collect::Collector;
use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::metrics::ExporterMetrics;
use exporter_toolkit::process::ProcessMetrics;
use tokio::time::{Instant, timeout};

use super::fake_api::FakeApi;
use super::{SECRETS, assert_no_secret, outputs, paused};

/// The sources of upgrade states; the first byte selects one.
const ACCOUNTS: [&str; 4] = [
    "source: upgrade_status\n    clusters: [{id: c1, region: cn-hangzhou}]",
    "source: tasks\n    clusters: [{id: c1, region: cn-hangzhou}]",
    "source: auto\n    clusters: [{id: c1, region: cn-hangzhou}, {id: c2, region: cn-hangzhou}]",
    "source: tasks\n    discovery: {regions: [cn-hangzhou]}",
];

const BUDGET: Duration = Duration::from_secs(9);

fn configs() -> &'static [Config] {
    static CONFIGS: OnceLock<Vec<Config>> = OnceLock::new();
    CONFIGS.get_or_init(|| {
        let config = |account: &&str| {
            let text = format!(
                "accounts:\n  - name: a\n    credentials: {{type: access_key, access_key_id: id, access_key_secret: '{}', security_token: '{}'}}\n    {account}\n",
                SECRETS[0], SECRETS[1]
            );
            Config::parse(&text, Path::new("")).unwrap_or_else(|problems| panic!("{problems}"))
        };
        ACCOUNTS.iter().map(config).collect()
    })
}

/// Scrapes with any response. The scrape ends in time, and its page is legal and has no secret.
pub fn responses(input: &[u8]) {
    let Some((choice, input)) = input.split_first() else {
        return;
    };
    let config = &configs()[usize::from(*choice) % ACCOUNTS.len()];
    paused().block_on(async {
        let own = ExporterMetrics::new(ProcessMetrics::Hidden);
        let collector = Collector::new(config, &FakeApi::read(input).dependencies(&own));
        let began = Instant::now();
        let snapshot = collector.collect(began + BUDGET).await;
        assert!(
            began.elapsed() <= BUDGET + Duration::from_millis(2),
            "{:?}",
            began.elapsed()
        );
        outputs::check(&snapshot, &own, &config.metrics);
        assert_no_secret(&format!("{snapshot:?}"), "the snapshot");
        let trace = Trace::default();
        if let Some(reading) = collector
            .probe("c1", Instant::now() + BUDGET, Some(&trace))
            .await
        {
            assert_no_secret(&format!("{reading:?}"), "a probe");
        }
        assert_no_secret(&trace.to_string(), "an exchange");
        timeout(Duration::from_secs(1), collector.stop())
            .await
            .expect("nothing goes on");
    });
}
