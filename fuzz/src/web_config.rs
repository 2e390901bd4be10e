//! The web configuration file.

use exporter_toolkit::web::guard::WebGuard;

use super::{folder, with_secrets};

/// Whatever the file holds, it is refused with its mistakes or taken.
pub fn web_config(input: &[u8]) {
    let file = folder().join("web.yml");
    std::fs::write(&file, with_secrets(input)).expect("writes the file");
    if let Err(error) = WebGuard::load(&file) {
        assert!(!error.to_string().trim().is_empty());
    }
}
