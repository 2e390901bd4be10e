//! Addresses as Go reads them, sockets of our own and of systemd's.

use std::net::TcpStream;
use std::process::Command;

use command_fds::{CommandFdExt as _, FdMapping};

use super::*;

fn address(text: &str) -> ListenAddress {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn accepts(listener: &TcpListener, host: &str) -> bool {
    let port = listener.local_addr().expect("bound").port();
    TcpStream::connect((host, port)).is_ok()
}

fn has_ipv6() -> bool {
    StdListener::bind("[::1]:0").is_ok()
}

#[test]
fn addresses_are_read_as_go_reads_them() {
    for (text, printed) in [
        (":10525", ":10525"),
        ("[::]:10525", ":10525"),
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("0.0.0.0:9", "0.0.0.0:9"),
        ("[::1]:9", "[::1]:9"),
        ("localhost:65535", "localhost:65535"),
    ] {
        assert_eq!(address(text).to_string(), printed);
    }
    for bad in [
        "",
        "10525",
        "localhost",
        ":",
        ":65536",
        ":+80",
        ":http",
        "::1:80",
        "[::1]",
        "[127.0.0.1]:80",
        "a b:80",
        "http://x:80",
        "vsock://:1",
    ] {
        let error = bad.parse::<ListenAddress>().expect_err(bad).to_string();
        assert!(error.contains(&format!("{bad:?}")), "{error}");
    }
}

#[tokio::test]
async fn no_host_means_ipv4_and_ipv6() {
    let listener = address(":0").listen().expect("listens");
    assert!(accepts(&listener, "127.0.0.1"));
    assert!(!has_ipv6() || accepts(&listener, "::1"));
}

#[tokio::test]
async fn a_host_means_that_host_alone() {
    let listener = address("0.0.0.0:0").listen().expect("listens");
    assert!(accepts(&listener, "127.0.0.1"));
    assert!(!accepts(&listener, "::1"));
    assert!(accepts(
        &address("localhost:0").listen().expect("listens"),
        "127.0.0.1"
    ));
    if has_ipv6() {
        let listener = address("[::1]:0").listen().expect("listens");
        assert!(accepts(&listener, "::1"));
        assert!(!accepts(&listener, "127.0.0.1"));
    }
}

#[tokio::test]
async fn an_error_names_the_address() {
    let first = address("127.0.0.1:0").listen().expect("listens");
    let taken = first.local_addr().expect("bound").to_string();
    for text in [&*taken, "192.0.2.1:80", "no..name:80"] {
        let error = address(text).listen().expect_err(text).to_string();
        assert!(
            error.starts_with(&format!("cannot listen on {text}: ")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn systemd_must_hand_something_over() {
    assert!(matches!(
        take_over(ListenFd::empty()),
        Err(SocketError::NothingHandedOver)
    ));
}

/// Runs [`served_by_systemd`] in a process of its own, as systemd would: the sockets from
/// descriptor 3 on, and the ID of the process in the environment. The shell between knows that ID,
/// since it becomes that process.
fn run_under_systemd(process_id: &str, sockets: Vec<std::os::fd::OwnedFd>) -> String {
    let count = sockets.len().to_string();
    let mappings = sockets
        .into_iter()
        .zip(3..)
        .map(|(parent_fd, child_fd)| FdMapping {
            parent_fd,
            child_fd,
        })
        .collect();
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(format!(
            "LISTEN_PID={process_id}; export LISTEN_PID; exec \"$@\""
        ))
        .arg("sh");
    command.arg(std::env::current_exe().expect("this program"));
    command
        .args([
            "--exact",
            "--ignored",
            "--nocapture",
            "web::socket::tests::served_by_systemd",
        ])
        .env("LISTEN_FDS", count);
    let output = command
        .fd_mappings(mappings)
        .expect("distinct descriptors")
        .output()
        .expect("runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
#[ignore = "runs in a process that has been handed sockets"]
async fn served_by_systemd() {
    match take_over(ListenFd::from_env()) {
        Ok(listeners) => listeners
            .iter()
            .for_each(|listener| println!("took {}", listener.local_addr().expect("bound"))),
        Err(error) => println!("error: {error}"),
    }
}

#[test]
fn all_sockets_of_systemd_are_taken_over() {
    let sockets = [(); 2].map(|()| StdListener::bind("127.0.0.1:0").expect("bound"));
    let addresses = sockets
        .each_ref()
        .map(|socket| socket.local_addr().expect("bound"));
    let output = run_under_systemd("$$", sockets.map(Into::into).into());
    for address in addresses {
        assert!(output.contains(&format!("took {address}")), "{output}");
    }
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    let socket = StdListener::bind("127.0.0.1:0").expect("bound");
    let output = run_under_systemd("1", vec![socket.into()]);
    assert!(
        output.contains("error: systemd handed over no sockets"),
        "{output}"
    );
}

#[test]
fn what_is_no_tcp_socket_is_refused_by_its_number() {
    let socket = std::os::unix::net::UnixDatagram::unbound().expect("a socket");
    let output = run_under_systemd("$$", vec![socket.into()]);
    assert!(
        output.contains("error: socket 0 from systemd (file descriptor 3): "),
        "{output}"
    );
}
