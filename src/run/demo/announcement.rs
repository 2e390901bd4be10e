//! The text that `demo` prints when it serves.

use std::net::SocketAddr;
use std::path::Path;

use ack_simulator::KeyPair;

use crate::run::explain::{indented, quoted};

/// The file in the printed commands if the demo has written none.
const UNWRITTEN: &str = "demo.yaml";

/// Addresses, key, configuration, and commands to try next.
#[derive(Debug)]
pub(super) struct Announcement<'a> {
    /// The URL of the exporter, without a slash at its end.
    pub(super) web: &'a str,
    pub(super) telemetry_path: &'a str,
    pub(super) api: SocketAddr,
    /// The configuration for the terminal commands.
    pub(super) config: &'a str,
    /// The file that has this configuration.
    pub(super) written_config: Option<&'a Path>,
    /// The name of a cluster.
    pub(super) cluster: Option<String>,
}

impl Announcement<'_> {
    pub(super) fn text(&self) -> String {
        let Self {
            web,
            telemetry_path,
            api,
            ..
        } = self;
        let pair = KeyPair::demo();
        let mut text = format!(
            "A simulated account with upgrades in accelerated time.

  page      {web}/
  metrics   {web}{telemetry_path}

The simulated API accepts any client of Alibaba Cloud:

  endpoint  http://{api}
  key       {}
  secret    {}

",
            pair.access_key_id,
            pair.access_key_secret.expose(),
        );
        text += &self.configuration();
        text += &self.commands();
        text += "\nPress Ctrl-C to end it.";
        text
    }

    fn configuration(&self) -> String {
        match self.written_config {
            Some(file) => format!(
                "The configuration for the terminal is in {}.\n\n",
                file.display()
            ),
            None => format!(
                "The configuration for the terminal. Save it as {UNWRITTEN}, or start the demo with \
                 --write-config={UNWRITTEN}:\n\n{}\n\n",
                indented(self.config)
            ),
        }
    }

    fn commands(&self) -> String {
        let program = program();
        let file = self.written_config.map_or_else(
            || UNWRITTEN.to_owned(),
            |file| word(&file.display().to_string()),
        );
        let cluster = self.cluster.as_deref().unwrap_or("CLUSTER");
        format!(
            "Try next, in another terminal:

  {program} status --config.file={file}
  {program} status --config.file={file} --watch
  {program} explain --config.file={file} {cluster}
"
        )
    }
}

/// The program as it was called.
fn program() -> String {
    std::env::args_os().next().map_or_else(
        || "ack-upgrade-exporter".to_owned(),
        |program| word(&program.to_string_lossy()),
    )
}

/// `text` as one word for a POSIX shell.
fn word(text: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}
