//! The ends of the help: examples, exit codes, environment.

/// The end of the help of the program.
pub(super) const PROGRAM: &str = "\
Examples:
  ack-upgrade-exporter demo
      Try it with a simulated account
  ack-upgrade-exporter --config.file=exporter.yaml
      Serve the metrics of the accounts in a file
  ack-upgrade-exporter --config.file=exporter.yaml --config.check
      List every mistake in the file
  ack-upgrade-exporter --region=cn-hangzhou
      Serve the clusters of one region with the credentials of the environment
  ack-upgrade-exporter status --config.file=exporter.yaml
      Show the clusters in the terminal

Exit codes:
  0  Stopped by SIGTERM or SIGINT
  1  Something failed while running, such as listening on the address
  2  The command line or the configuration is wrong

Environment:
  ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, and the other
  variables of the official SDKs
      Credentials of accounts that have no others in the configuration
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY
      Proxies for the calls of the API
  SSL_CERT_FILE, SSL_CERT_DIR
      Authorities to trust in place of those of the system";

/// The end of the help of `demo`.
#[cfg(feature = "demo")]
pub(super) const DEMO: &str = "\
Examples:
  ack-upgrade-exporter demo
      Serve a dozen clusters
  ack-upgrade-exporter demo --write-config=demo.yaml
      Also write a configuration with which `status` and `explain` show the same clusters
  ack-upgrade-exporter demo --clusters=300 --faults
      Serve a large fleet of an API that often fails

Exit codes:
  0  Stopped by SIGTERM or SIGINT
  1  Something failed while running, such as listening on the address
  2  The command line is wrong";

/// The end of the help of `status`.
pub(super) const STATUS: &str = "\
Examples:
  ack-upgrade-exporter status --config.file=exporter.yaml
      Show all clusters, failed upgrades first
  ack-upgrade-exporter status --config.file=exporter.yaml --status=fail,pause --region=cn-hangzhou
      Show only these
  ack-upgrade-exporter status --config.file=exporter.yaml --watch
      Show all clusters again every five seconds
  ack-upgrade-exporter status shop --config.file=exporter.yaml --wait \
  --target-version=1.32.1-aliyun.1 --timeout=2h
      Wait in a pipeline until a cluster has a version
  ack-upgrade-exporter status --config.file=exporter.yaml --output=json | jq -r '.clusters[] | \
  select(.status == \"fail\") | .name'
      Print the names of the clusters whose upgrades failed

Exit codes:
  0  All could be read; with --wait, the upgrades have ended well
  1  Something failed while running
  2  The command line or the configuration is wrong
  3  An upgrade failed or was canceled (with --wait or --fail-on=failed)
  4  A cluster or a cluster list could not be read
  5  The time of --timeout is over

Environment:
  NO_COLOR
      No colours, if it is set
  CLICOLOR_FORCE
      Colours also where the output is no terminal, if it is set and not 0
  The variables of credentials and proxies are those of serving.";

/// The end of the help of `explain`.
pub(super) const EXPLAIN: &str = "\
Examples:
  ack-upgrade-exporter explain shop --config.file=exporter.yaml
      Show the requests for the cluster shop
  ack-upgrade-exporter explain c106f377e16f34eb1808d6b9362c9abcd --region=cn-hangzhou
      Show those for a cluster by its ID, with the credentials of the environment

Exit codes:
  0  The requests are shown
  1  The credentials or a cluster list could not be read
  2  The command line or the configuration is wrong, or there is no such cluster";

/// The end of the help of `completion`.
pub(super) const COMPLETION: &str = "\
Examples:
  ack-upgrade-exporter completion bash > /etc/bash_completion.d/ack-upgrade-exporter
  ack-upgrade-exporter completion zsh > ~/.zfunc/_ack-upgrade-exporter
  ack-upgrade-exporter completion fish > ~/.config/fish/completions/ack-upgrade-exporter.fish";

/// The end of the help of `man`.
pub(super) const MAN: &str = "\
Examples:
  ack-upgrade-exporter man | man -l -
  ack-upgrade-exporter man status > /usr/local/share/man/man1/ack-upgrade-exporter-status.1";
