//! Sets of words that appear in links, class names and, as a message, on the page.

/// Declares an enum with, for each variant, its word in links and class names and its message.
macro_rules! word_set {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $slug:literal, $message:ident;)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it in links and class names.
            pub(super) fn slug(self) -> &'static str {
                match self {
                    $(Self::$variant => $slug,)+
                }
            }

            /// The inverse of `slug`.
            pub(super) fn parse(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.slug() == slug)
            }

            /// The name of it on the page.
            pub(super) fn label(self, t: &super::messages::Messages) -> &'static str {
                match self {
                    $(Self::$variant => t.$message,)+
                }
            }
        }
    };
}

pub(super) use word_set;
