//! The declaration of metrics, in the catalogue and beside the families of each query.

/// Declares metrics in groups: `CONSTANT = Kind "name" ["label", …] "HELP";`.
macro_rules! catalogue {
    ($($group:ident { $($constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)+ })+) => {
        $($(
            #[doc = concat!("`", $name, "`")]
            pub(crate) static $constant: exporter_toolkit::exposition::Metric =
                exporter_toolkit::exposition::Metric {
                    name: $name,
                    kind: exporter_toolkit::exposition::Kind::$kind,
                    labels: &[$($label),*],
                    help: $help,
                };
        )+)+

        $(
            pub(crate) static $group: &[&exporter_toolkit::exposition::Metric] =
                &[$(&$constant),+];
        )+
    };
}

pub(super) use catalogue;
