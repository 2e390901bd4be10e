//! The check of a configuration.

use exporter_toolkit::web::config::WebConfig;

use super::serve::usage;
use super::{RunError, accounts, print, print_warnings};
use crate::cli::ServeArgs;
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
        let covered = account
            .access()
            .rate_limit
            .calls_within(length, shard.total());
        let named = account
            .clusters
            .iter()
            .filter(|cluster| shard.owns(&cluster.id))
            .count();
        let clusters = match &account.discovery {
            None => format!("{} named", count(named, "cluster")),
            Some(discovery) if named == 0 => format!(
                "cluster discovery in {}",
                count(discovery.regions.len(), "region")
            ),
            Some(discovery) => {
                format!(
                    "{} named, discovery in {}",
                    count(named, "cluster"),
                    count(discovery.regions.len(), "region")
                )
            }
        };
        print(&format!(
            "account {}: {clusters}; the rate limit allows {covered:.0} calls in a scrape of {length:?}",
            account.name
        ));
        if covered < u32::try_from(named).map_or(f64::INFINITY, f64::from) {
            let message = format!(
                "{named} clusters are named, but the rate limit allows {covered:.0} calls in a \
                    scrape of {length:?}; it takes several scrapes to query them all"
            );
            warnings.note(config::Path::root().key("accounts").index(index), message);
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

/// `1 region`, `2 regions`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
