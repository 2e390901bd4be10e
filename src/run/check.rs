//! The check of a configuration.

mod cost;

use std::time::Duration;

use exporter_toolkit::web::config::WebConfig;

use self::cost::Cost;
use super::serve::usage;
use super::{RunError, accounts, print, print_warnings};
use crate::cli::ServeArgs;
use crate::config::Account;
use crate::{collect, config};

/// Checks the configuration, and the web configuration if there is one, and prints the effect.
pub(super) fn check(args: &ServeArgs) -> Result<(), RunError> {
    let web = args.web.config_file.as_deref().map(WebConfig::load);
    let (web, (config, mut warnings)) =
        match (web.transpose(), accounts::source(&args.accounts)?.check()) {
            (Ok(web), Ok(config)) => (web, config),
            (web, config) => return Err(usage(web.err(), config.err())),
        };
    let shard = accounts::shard(&args.shard)?;
    let length = collect::budget(None, &config.scrape);
    for (index, account) in config.accounts.iter().enumerate() {
        let cost = Cost::new(account, &config.scrape, shard);
        let limit = &account.access().rate_limit;
        let covered = limit.calls_within(length, shard.total());
        print(&summary(account, &cost, covered, length));
        print(&cost.to_string());
        let path = config::Path::root().key("accounts").index(index);
        for message in doubts(&cost, covered, length) {
            warnings.note(path.clone(), message);
        }
    }
    print_warnings(&warnings.to_string());
    if let Some(web) = web {
        print_warnings(&web.warnings.to_string());
    }
    for file in [&args.accounts.config_file, &args.web.config_file]
        .into_iter()
        .flatten()
    {
        print(&format!("configuration accepted: {}", file.display()));
    }
    Ok(())
}

/// The clusters of `account`, and the calls that its rate limit allows in a scrape.
fn summary(account: &Account, cost: &Cost<'_>, covered: f64, length: Duration) -> String {
    let clusters = match &account.discovery {
        None => format!("{} named", count(cost.named, "cluster")),
        Some(discovery) => {
            let found = count(discovery.regions.len(), "region");
            match cost.named {
                0 => format!("cluster discovery in {found}"),
                named => format!("{} named, discovery in {found}", count(named, "cluster")),
            }
        }
    };
    format!(
        "account {}: {clusters}; the rate limit allows {covered:.0} calls in a scrape of \
         {length:?}",
        account.name
    )
}

/// The reasons why the rate limit may be too low.
fn doubts(cost: &Cost<'_>, covered: f64, length: Duration) -> Vec<String> {
    let named = cost.named;
    let mut doubts = Vec::new();
    if covered < u32::try_from(named).map_or(f64::INFINITY, f64::from) {
        doubts.push(format!(
            "{named} clusters are named, but the rate limit allows {covered:.0} calls in a scrape \
                of {length:?}; it takes several scrapes to query them all"
        ));
    }
    doubts.extend(cost.shortage());
    doubts
}

/// `1 region`, `2 regions`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
