//! Closed sets of states, so that a metric can have a series for each.

/// A fixed set of values of which one is active at a time, exposed as one series per value.
pub trait StateSet: Copy + Eq + 'static {
    /// Every value, in the order of the API's reference.
    const ALL: &'static [Self];

    /// The value in lower case, as in the API.
    fn as_str(self) -> &'static str;
}

/// Declares an enum that is a [`StateSet`]. Its constant and its function are also there without
/// the trait.
macro_rules! state_set {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant),+
        }

        impl $type {
            /// Every value, in the order of the API's reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value in lower case, as in the API.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl $crate::state_set::StateSet for $type {
            const ALL: &'static [Self] = Self::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }
    };
}
pub(crate) use state_set;
