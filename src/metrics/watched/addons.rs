//! The family of the add-ons.

use exporter_toolkit::exposition::{Page, Value};

use crate::metrics::clusters::{Clusters, label_text};
use crate::metrics::declaration::catalogue;

catalogue! {
    METRICS {
        INFO = Info "cs_addon_info" ["cluster", "addon", "version", "state", "available_version"]
            "Add-ons that are installed in the cluster; always 1. available_version is the newest \
                version on offer for the cluster, empty if the add-on has it or if it is not \
                known.";
    }
}

/// Adds the family of the add-ons.
pub(super) fn write(page: &mut Page, clusters: &Clusters<'_>) {
    let mut family = page.family(&INFO);
    for row in &clusters.rows {
        for addon in row.reading.watched.addons.iter() {
            clusters
                .identified(family.sample(), row)
                .label("addon", &label_text(addon.name))
                .label("version", &label_text(addon.version))
                .label("state", addon.state.as_str())
                .label("available_version", &label_text(addon.available_version))
                .value(Value::ONE);
        }
    }
}
